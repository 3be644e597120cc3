import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { macOfEvent } from '../../src/crypto/event-mac.ts';
import type { Keyring } from '../../src/crypto/keyring.ts';
import type { StoredSecret } from '../../src/model/secret.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { Store } from '../../src/store/store.ts';
import { eventAlone, eventOf, remove, update } from '../contract/fixtures.ts';
import { keyringOf, storeNames, TestGateway } from '../support/gateway.ts';
import { LoadClient, type Run } from '../support/load-client.ts';
import { nothingFound, WriteLoad } from '../support/write-load.ts';
import { stuckPart } from './load/way.ts';

/** What the long run and the tests beside this one look for is planted here, and must be found. */
describe.each(storeNames)('the checks of a load on %s', (storeName) => {
  let gateway: TestGateway;
  let client: LoadClient;
  let store: Store;
  let keyring: Keyring;
  beforeAll(async () => {
    gateway = await TestGateway.start(storeName, { RATE_LIMIT: 'off', LOG_LEVEL: 'silent' });
    client = new LoadClient({ url: gateway.url, token: await gateway.issuer.token() });
    keyring = await keyringOf(gateway);
    store = await openStore(gateway.databaseUrl, { macOfEvent: (owner, event) => macOfEvent(owner, event, keyring) });
  });
  afterAll(async () => {
    client.close();
    await store.close();
    await gateway.close();
  });

  /** A load that is over, and one of the secrets that it created and updated twice. */
  async function loaded(run: Run = client.run): Promise<{ load: WriteLoad; secret: StoredSecret }> {
    const load = new WriteLoad({ runs: [run], owners: 1 });
    load.start(2, 1);
    await load.until(({ acknowledged }) => acknowledged >= 20);
    await load.stop();
    const owner = { type: 'connector', teamId: load.team, connectorId: load.connectors[0] ?? '' } as const;
    const { secrets } = await store.list({ owner, filter: {}, from: 'start', limit: 1000, count: false });
    const secret = await store.find(secrets.find(({ version }) => version === 3)?.id ?? '');
    if (!secret) throw new Error('nothing was updated twice');
    return { load, secret };
  }

  it('find nothing where nothing is wrong', async () => {
    const { load } = await loaded();
    const findings = await load.findings(store, keyring);
    expect(findings).toMatchObject({ ...nothingFound, refused: 0, unknown: 0, stale: 0 });
    expect([findings.made, findings.read].every((count) => count > 0)).toBe(true);
  });

  it('find a write that is lost', async () => {
    const { load, secret } = await loaded();
    const record = await store.findRecord(secret.id);
    if (record) await store.commit([remove(record, keyring)]);
    expect((await load.findings(store, keyring)).lost).toEqual([`${secret.id}: create`]);
  });

  it('find a write that was made twice', async () => {
    const { load, secret } = await loaded();
    await store.commit([update(secret, {}, undefined, keyring)]);
    expect((await load.findings(store, keyring)).doubled).toEqual([`${secret.id}: update`]);
    const { load: another, secret: second } = await loaded();
    const event = eventOf('secret.created', second);
    await store.commit([{ type: 'appendEvent', owner: second.owner, event }]);
    expect((await another.findings(store, keyring)).doubled).toEqual([`${second.id}: create`]);
  });

  it('find a write that was made though it was refused', async () => {
    const told = new Set<string>();
    const { load } = await loaded(async (query, variables) => {
      const answer = await client.run(query, variables);
      const { id } = (variables.input ?? {}) as { id?: string };
      if (!query.includes('createSecret') || told.size > 0 || id === undefined) return answer;
      told.add(id);
      return refusal({ 'retry-after': '1' });
    });
    expect((await load.findings(store, keyring)).doubled).toEqual([...told].map((id) => `${id}: create`));
  });

  it('find an event without its change', async () => {
    const { load, secret } = await loaded();
    await store.commit([eventAlone(secret)]);
    expect((await load.findings(store, keyring)).halfWritten).toEqual([`${secret.id}: update`]);
  });

  it('find a read that does not show what was acknowledged', async () => {
    const { load } = await loaded(async (query, variables) => {
      const answer = await client.run(query, variables);
      return query.startsWith('query') ? { ...answer, data: { secrets: { nodes: [] } } } : answer;
    });
    const { stale, read } = await load.findings(store, keyring);
    expect(read).toBeGreaterThan(0);
    expect(stale).toBe(read);
  });

  it.each<[string, Run, string]>([
    ['an error of another kind', () => client.run('{ nothing }', {}), 'not promised, 400 BAD_REQUEST'],
    ['a refusal that does not tell when to come back', async () => refusal({}), 'no Retry-After'],
    ['an error without a code', async () => ({ ...refusal({}), errors: [] }), 'not one error'],
    ['a connection that ends without an answer', () => unreachable.run('', {}), 'no answer, ECONNREFUSED'],
  ])('find %s', async (_what, run, found) => {
    const load = new WriteLoad({ runs: [run] });
    load.start(1, 0);
    await load.until(({ untyped }) => untyped.length > 0);
    await load.stop();
    expect(load.untyped[0]).toContain(found);
  });
  const unreachable = new LoadClient({ url: 'http://127.0.0.1:1', token: '' });
});

describe('the check for a stuck gateway', () => {
  let server: Server;
  let answersWrites = false;
  let isReady = true;
  const target = () => ({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`, token: '' });
  beforeAll(async () => {
    server = createServer((request, response) => {
      const isFine = request.url === '/readyz' ? isReady : answersWrites;
      response.writeHead(isFine ? 200 : 503).end('{}');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => server.close());

  it('finds one that answers no write, and one that is not ready', async () => {
    expect(await stuckPart(target(), 'red', 200)).toEqual(['no write is answered', '/readyz is not ok']);
    answersWrites = true;
    isReady = false;
    expect(await stuckPart(target(), 'red', 200)).toEqual(['/readyz is not ok']);
    isReady = true;
    expect(await stuckPart(target(), 'red', 200)).toEqual([]);
  });
});

function refusal(headers: Record<string, string>) {
  const extensions = {
    code: 'SERVICE_UNAVAILABLE',
    status: 503,
    type: 'unavailable_error',
    requestId: 'r',
    retryAfter: 1,
  };
  return {
    status: 503,
    headers,
    text: '',
    data: null,
    errors: [{ message: 'The service is unavailable.', extensions }],
  };
}
