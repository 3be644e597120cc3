import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  ControllerSecretsDocument,
  CreateControllerSecretDocument,
  DeleteSecretDocument,
  type TypedDocumentString,
  UpdateControllerSecretDocument,
} from '../../examples/documents.ts';
import { TestGateway } from '../support/gateway.ts';

describe('the typed documents of codegen', () => {
  let gateway: TestGateway;

  beforeAll(async () => {
    gateway = await TestGateway.start();
  });
  afterAll(() => gateway.close());

  /** The type of an answer comes from the schema, its content from the gateway. */
  async function run<TResult, TVariables extends Record<string, unknown>>(
    document: TypedDocumentString<TResult, TVariables>,
    variables: TVariables,
  ): Promise<TResult> {
    const { data, errors } = await gateway.run(document.toString(), variables);
    expect(errors).toEqual([]);
    return data as TResult;
  }

  it('create, list, update and delete with the types of the schema', async () => {
    const owner = { teamId: 'red' };
    const input = { owner, name: 'typed', notes: 'by codegen', tags: ['typed'] };
    const { createSecret } = await run(CreateControllerSecretDocument, { input });
    expect(createSecret.secret).toMatchObject({ name: 'typed', notes: 'by codegen', tags: ['typed'] });
    const { id } = createSecret.secret;
    const { updateSecret } = await run(UpdateControllerSecretDocument, { input: { id, notes: null } });
    expect(updateSecret.secret.notes).toBeNull();
    const { secrets } = await run(ControllerSecretsDocument, { teamId: 'red' });
    expect(secrets.nodes.map((secret) => secret.id)).toContain(id);
    const { deleteSecret } = await run(DeleteSecretDocument, { id });
    expect(deleteSecret.id).toBe(id);
  });
});
