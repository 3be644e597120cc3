import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Client,
  createClient,
  type ErrorCode,
  GatewayError,
  isGatewayError,
  sealValue,
} from '../../src/client/index.ts';
import { errorTable } from '../../src/errors.ts';
import { duplicateSecrets } from '../support/batches.ts';
import { openDatabaseWriter } from '../support/database-writer.ts';
import { TestGateway } from '../support/gateway.ts';

const owner = { teamId: 'red', connectorId: 'codeless-1' };

/** The codes of the documents on connector secrets: all of them. */
const listed: ErrorCode[] = [
  'BAD_REQUEST',
  'UNAUTHORIZED',
  'FORBIDDEN',
  'NOT_FOUND',
  'CONFLICT_ERROR',
  'DUPLICATION_FAILED',
  'PERMISSION_ERROR',
  'UNPROCESSABLE_ENTITY',
  'UNPROCESSABLE_CONTENT',
  'TOO_MANY_REQUESTS',
  'INTERNAL_SERVER_ERROR',
  'SERVICE_UNAVAILABLE',
];

describe('every listed code of connector secrets is reached by the client', () => {
  let gateway: TestGateway;
  let client: Client;
  const as = async (claims: Record<string, unknown>) =>
    createClient({ url: gateway.url, token: await gateway.issuer.token(claims) });
  const newName = () => `S_${crypto.randomUUID()}`;
  const create = async (of = client) =>
    (await of.createSecret({ owner, name: newName(), value: 'a value of a connector' })).secret;

  beforeAll(async () => {
    gateway = await TestGateway.start('sqlite', { RATE_LIMIT: '200/60s' });
    client = await as({ scope: 'secrets:read secrets:write secrets:resolve' });
  });
  afterAll(() => gateway.close());

  /** How each is reached, in a real situation. */
  const reach: Partial<Record<ErrorCode, () => Promise<unknown>>> = {
    BAD_REQUEST: () => client.secrets({ owner, after: 'a cursor of nobody' }),
    UNAUTHORIZED: () => createClient({ url: gateway.url, token: 'x.y.z' }).secrets({ owner }),
    FORBIDDEN: () => client.secrets({ owner: { ...owner, teamId: 'blue' } }),
    NOT_FOUND: () => client.deleteSecret({ id: crypto.randomUUID() }),
    async CONFLICT_ERROR() {
      const { name } = await create();
      await client.createSecret({ owner, name, value: 'another value' });
    },
    async DUPLICATION_FAILED() {
      const { name } = await create();
      const to = { teamId: 'red', connectorId: 'codeless-2' };
      await client.createSecret({ owner: to, name, value: 'a value that is there' });
      await client.request(duplicateSecrets, { input: { from: owner, to, names: [name] } });
    },
    PERMISSION_ERROR: async () => create(await as({ scope: 'secrets:read' })),
    UNPROCESSABLE_ENTITY: () => client.createSecret({ owner, name: newName() }),
    async UNPROCESSABLE_CONTENT() {
      const { id } = await create();
      const [sealingKey] = await client.sealingKeys();
      if (!sealingKey) throw new Error('no sealing key is published');
      const sealedValue = await sealValue('used twice', { sealingKey, subject: 'ada', owner, id });
      await client.updateSecret({ id, sealedValue });
      await client.updateSecret({ id, sealedValue });
    },
    async TOO_MANY_REQUESTS() {
      const greedy = await as({ sub: 'greedy' });
      for (;;) await greedy.deleteSecret({ id: crypto.randomUUID() }).catch(unless('NOT_FOUND'));
    },
    async INTERNAL_SERVER_ERROR() {
      const { id, name } = await create();
      const writer = openDatabaseWriter(gateway.databaseUrl);
      const [row = {}] = await writer.records([id]);
      await writer.replaceRecords([id], [{ ...row, placeholder: 'sec_000000000' }]);
      await writer.close();
      await client.resolve({ owner, names: [name] });
    },
    async SERVICE_UNAVAILABLE() {
      await client.sealingKeys();
      const other = new DatabaseSync(gateway.databaseUrl.slice('sqlite:'.length));
      other.exec('BEGIN EXCLUSIVE');
      await create().finally(() => other.close());
    },
  };

  /** For a code that comes before the one that is looked for. */
  const unless = (code: ErrorCode) => (error: unknown) => {
    if (!isGatewayError(error, code)) throw error;
  };

  it.each(listed)('%s', async (code) => {
    const error: unknown = await reach[code]?.().catch((thrown: unknown) => thrown);
    if (!isGatewayError(error, code)) throw new Error(`not ${code}: ${error}`);
    expect(error).toBeInstanceOf(GatewayError);
    expect({ status: error.status, type: error.type }).toEqual({
      status: errorTable[code].status,
      type: errorTable[code].type,
    });
    expect(error.requestId).not.toBe('');
    expect(error.message).toBe(errorTable[code].message);
    const comesBack = ['TOO_MANY_REQUESTS', 'SERVICE_UNAVAILABLE'].includes(code);
    expect(typeof error.retryAfter).toBe(comesBack ? 'number' : 'undefined');
  });
});
