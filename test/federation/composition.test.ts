import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { buildSchema, parse, validate } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApolloGateway } from './examples/apollo-gateway.ts';
import { composers, fetchSubgraph, type Subgraph } from './examples/compose.ts';
import { startDirectory } from './examples/directory.ts';
import { startSecretsGateway } from './support/secrets-gateway.ts';

const query = parse(`{
  users { email secrets { totalCount nodes { name maskedValue owner { __typename } } } }
  teams(ids: ["red"]) {
    members { email }
    secrets { nodes { name health { status checkedAt source } lastUsedAt expiresAt useUrl } }
  }
}`);

/** What values are sealed with, on their way in and out. */
const sealing = parse(`
  query Keys { sealingKeys { kid alg jwk } providers { id title destination { origin header format paths } } }
  mutation Create($input: CreateSecretInput = { name: "A", sealedValue: "e" }) {
    createSecret(input: $input) { secret { id } }
  }
  mutation Update($input: UpdateSecretInput = { id: "i", sealedValue: "e" }) {
    updateSecret(input: $input) { secret { id } }
  }
  mutation Resolve($input: ResolveSecretsInput!) {
    resolveSecrets(input: $input) { missing deliveries { jwe secret { id name version } } }
  }
  mutation ResolveAll($recipient: JSON!) {
    resolveSecrets(input: { recipient: $recipient }) { ... on ResolveSecretsPayload { deliveries { ... on Delivery { jwe } } } }
  }`);
/** Many subgraphs have a scalar of this name. */
const alsoWithJson: Subgraph = {
  name: 'other',
  url: 'http://127.0.0.1:1/',
  sdl: 'scalar JSON type Query { any: JSON }',
};

describe.each(Object.entries(composers))('%s', (_name, compose) => {
  const running: { close(): Promise<void> }[] = [];
  let secrets: Subgraph;
  let secured: Subgraph;
  let directory: Subgraph;

  beforeAll(async () => {
    const started = await Promise.all([
      startSecretsGateway(),
      startDirectory(),
      startSecretsGateway({ SECURITY_DIRECTIVES: 'on' }),
    ]);
    running.push(...started);
    secrets = await fetchSubgraph('secrets', started[0].url);
    directory = await fetchSubgraph('directory', started[1].url);
    secured = await fetchSubgraph('secrets', started[2].url);
  });
  afterAll(() => Promise.all(running.map((one) => one.close())));

  it('composes the subgraph alone, and with another one that also defines users, teams and connectors', () => {
    expect(compose([secrets])).toContain('join__Graph');
    expect(validate(buildSchema(compose([secrets, directory])), query)).toEqual([]);
  });

  it('has what values are sealed with, with the security directives and without, beside another scalar JSON', () => {
    for (const one of [secrets, secured]) {
      const schema = buildSchema(compose([one, directory, alsoWithJson]));
      expect(validate(schema, sealing)).toEqual([]);
      expect(schema.getType('SealingKey')?.toString()).toBe('SealingKey');
    }
  });

  it('composes a supergraph that Apollo Gateway starts with', async () => {
    const gateway = await startApolloGateway(compose([secrets, directory]), 0);
    await gateway.close();
  });

  it('keeps the security directives when SECURITY_DIRECTIVES is on', () => {
    const supergraph = compose([secured, directory]);
    expect(supergraph).toMatch(/secrets\([^)]*\): SecretConnection!.*@authenticated/);
    expect(supergraph).toContain('@requiresScopes(scopes: [["secrets:read"]])');
    expect(supergraph).toMatch(
      /resolveSecrets\([\s\S]*?\): ResolveSecretsPayload!.*@requiresScopes\(scopes: \[\["secrets:resolve"\]\]\)/,
    );
  });

  it('needs them off by default, since Apollo Gateway does not start with them', async () => {
    await expect(startApolloGateway(compose([secured, directory]), 0)).rejects.toThrow(
      /authenticated\/v0\.1 is for: SECURITY but is unsupported/,
    );
  });

  it('has the same types with and without them', () => {
    const [first, second] = [secured, secrets].map((one) =>
      Object.keys(buildSchema(compose([one, directory])).getTypeMap()).filter((name) => !/__|Scope/.test(name)),
    );
    expect(second).toEqual(first);
  });

  it('is the same with examples/compose.ts on the command line', async () => {
    const script = join(import.meta.dirname, 'examples/compose.ts');
    const named = [secrets, directory].map(({ name, url }) => `${name}=${url}`);
    const run = async (...args: string[]) => (await promisify(execFile)(process.execPath, [script, ...args])).stdout;
    expect(validate(buildSchema(await run(...named)), query)).toEqual([]);
  });
});
