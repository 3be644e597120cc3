import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openStore } from '../../src/store/open-store.ts';
import { userKinds } from '../support/broker.ts';
import { openDatabaseWriter } from '../support/database-writer.ts';
import { checkPath, checkQuery, FakeProvider, gatewayOf, settingsOf } from '../support/fake-provider.ts';
import { type GraphQLAnswer, storeNames, type TestGateway } from '../support/gateway.ts';
import { createSecret, deleteSecret, updateSecret } from '../support/graphql.ts';
import { type Checkable, checkSecret, Keeper } from '../support/health.ts';
import { LeakDetector } from '../support/leak-detector.ts';
import { refuseEvents } from '../support/refuse-events.ts';
import { stored } from '../support/stored.ts';
import { ToldSpans } from '../support/told-spans.ts';

const bare =
  'mutation ($input: CheckSecretInput!) { checkSecret(input: $input) { result secret { id name version } } }';
const codeOf = ({ errors }: GraphQLAnswer) => errors[0]?.extensions.code ?? null;

describe.each(storeNames)('checkSecret, on %s', (store) => {
  let gateway: TestGateway;
  let provider: FakeProvider;
  const spans = new ToldSpans();
  beforeAll(async () => {
    provider = await FakeProvider.start();
    gateway = await gatewayOf(store, provider, { LOG_LEVEL: 'trace' });
  });
  afterEach(() => {
    provider.status = null;
    provider.onArrival = () => {};
    provider.arrived.length = 0;
  });
  afterAll(async () => {
    spans.stop();
    await gateway?.close();
    await provider?.close();
  });

  describe.each(userKinds)('by %s', (kind) => {
    it('asks with one request at the destination of the value, and shows it to who may only use it', async () => {
      const keeper = await Keeper.new(gateway, provider, kind);
      const { id, name, key } = await keeper.newSecret();
      const { data, errors } = await keeper.run(bare, { input: { id: id.toUpperCase() } });
      expect([errors, data?.checkSecret]).toEqual([[], { result: 'VALID', secret: { id, name, version: 1 } }]);
      const [asked] = provider.arrived;
      expect([provider.arrived.length, asked?.method, asked?.path, asked?.key]).toEqual([
        1,
        'GET',
        `${checkPath}${checkQuery}`,
        key,
      ]);
      expect(JSON.stringify(asked?.headers)).not.toContain(keeper.user.credential);
      expect(asked?.headers['user-agent']).toMatch(/^secrets-gateway\//);
    });

    it('needs secrets:use alone, before anything is looked up, and secrets:read to show more', async () => {
      const keeper = await Keeper.new(gateway, provider, kind);
      const { id } = await keeper.newSecret();
      if (kind === 'a JWT') {
        const as = async (scope: string, query: string, of = id) => {
          const token = await gateway.issuer.token({ sub: keeper.user.id, teams: [], scope });
          return codeOf(await gateway.run(query, { input: { id: of } }, { token }));
        };
        const without = 'secrets:read secrets:write secrets:resolve secrets:match';
        for (const of of [id, randomUUID(), 'no id']) expect(await as(without, bare, of)).toBe('PERMISSION_ERROR');
        expect(await as('secrets:use', checkSecret)).toBe('PERMISSION_ERROR');
        expect(provider.arrived).toEqual([]);
        expect(await as('secrets:use', bare)).toBeNull();
      }
      expect(codeOf(await gateway.run(bare, { input: { id } }, { token: null }))).toBe('UNAUTHORIZED');
      expect(codeOf(await keeper.check('no id'))).toBe('UNPROCESSABLE_ENTITY');
    });

    it('knows neither the secrets of others nor those that are not there, and both alike', async () => {
      const [keeper, other] = [await Keeper.new(gateway, provider, kind), await Keeper.new(gateway, provider, kind)];
      const { id } = await keeper.newSecret();
      const deleted = await other.newSecret();
      await other.run(deleteSecret, { input: { id: deleted.id } });
      const texts = new Set<string>();
      for (const of of [id, randomUUID(), deleted.id]) {
        const answer = await other.check(of);
        expect(codeOf(answer)).toBe('NOT_FOUND');
        texts.add(answer.text.replaceAll(/"requestId":"[^"]+"/g, ''));
      }
      expect([texts.size, provider.arrived]).toEqual([1, []]);
      expect(await keeper.events(id)).toEqual(['created']);
    });

    it('works 30 times a minute together with verify, whatever is asked; nobody else pays for it', async () => {
      const [keeper, other] = [await Keeper.new(gateway, provider, kind), await Keeper.new(gateway, provider, kind)];
      const [own, foreign] = [await keeper.newSecret(), await other.newSecret()];
      const madeUp = { name: 'MADE_UP', provider: 'acme', value: `acme-${randomUUID()}`, verify: true };
      const codes: (string | null)[] = [];
      for (let times = 0; times < 8; times += 1) {
        codes.push(codeOf(await keeper.check(own.id)), codeOf(await keeper.check(foreign.id)));
        codes.push(codeOf(await keeper.run(createSecret(), { input: madeUp })));
        codes.push(
          codeOf(await keeper.run(updateSecret(), { input: { id: own.id, value: madeUp.value, verify: true } })),
        );
      }
      const round = [null, 'NOT_FOUND', 'UNPROCESSABLE_ENTITY', 'UNPROCESSABLE_ENTITY'];
      expect(codes.slice(0, 30)).toEqual(
        Array.from({ length: 8 }, () => round)
          .flat()
          .slice(0, 30),
      );
      expect(codes.slice(30)).toEqual(['TOO_MANY_REQUESTS', 'TOO_MANY_REQUESTS']);
      provider.arrived.length = 0;
      const refused = await keeper.check(own.id);
      expect([codeOf(refused), refused.errors[0]?.extensions.retryAfter ?? 0]).toEqual([
        'TOO_MANY_REQUESTS',
        expect.any(Number),
      ]);
      expect(codeOf(await keeper.run(createSecret(), { input: { ...madeUp, verify: true } }))).toBe(
        'TOO_MANY_REQUESTS',
      );
      expect(provider.arrived).toEqual([]);
      // It can be used, and values can be written without being verified.
      expect(await keeper.use(own.id)).toBe(200);
      expect((await keeper.run(createSecret(), { input: { ...madeUp, verify: false } })).errors).toEqual([]);
      expect([await other.result(foreign.id), await other.events(foreign.id)]).toEqual([
        'VALID',
        ['created', 'checked'],
      ]);
    });

    it('asks once where the same call is sent again, and counts it once', async () => {
      const keeper = await Keeper.new(gateway, provider, kind);
      const secret = await keeper.newSecret();
      const idempotencyKey = randomUUID();
      const held = provider.hold();
      const first = keeper.check(secret.id, { idempotencyKey });
      await held.arrived;
      const meanwhile = await keeper.check(secret.id, { idempotencyKey });
      expect(meanwhile.errors[0]?.extensions.errors?.[0]?.type).toBe('idempotency_key_in_use');
      held.release();
      const { data } = await first;
      provider.known.delete(secret.key);
      await keeper.run(updateSecret(), { input: { id: secret.id, name: `N_${secret.name}` } });
      for (let times = 0; times < 35; times += 1)
        expect((await keeper.check(secret.id, { idempotencyKey })).data).toEqual(data);
      expect(provider.arrived).toHaveLength(1);
      expect(await keeper.result(secret.id)).toBe('REJECTED');
      expect((await keeper.events(secret.id)).filter((type) => type === 'checked')).toHaveLength(2);
    });
  });

  it('sends nothing, and records nothing, where the provider cannot be asked about this value', async () => {
    const keeper = await Keeper.new(gateway, provider);
    const { origin } = provider;
    const unsupported = {
      'another provider': { provider: 'custom', destination: { origin } },
      'no destination': { destination: null },
      'another origin': { destination: { origin: 'http://127.0.0.1:9' } },
      'another header': { destination: { origin, header: 'X-Api-Key' } },
      'another format': { destination: { origin, format: 'Token {value}' } },
      'the path of the check is not allowed': { destination: { origin, paths: ['/v1/chat', '/v1/whoamix'] } },
    };
    for (const [why, input] of Object.entries(unsupported)) {
      const { id } = await keeper.newSecret(input);
      expect([why, await keeper.result(id), await keeper.health(id)]).toEqual([why, 'UNSUPPORTED', null]);
      expect([why, await keeper.events(id)]).toEqual([why, ['created']]);
    }
    const allowed = await keeper.newSecret({ destination: { origin, header: 'authorization', paths: ['/v1'] } });
    expect(provider.arrived).toEqual([]);
    expect(await keeper.result(allowed.id)).toBe('VALID');
    // Its provider is another one now, and its destination is that of the value. What is known stays.
    await keeper.run(updateSecret(), { input: { id: allowed.id, provider: 'custom' } });
    expect([await keeper.result(allowed.id), await keeper.health(allowed.id)]).toEqual([
      'UNSUPPORTED',
      ['VALID', 'CHECK'],
    ]);
    const { data } = await gateway.run(createSecret(), { input: { owner: { teamId: 'red' }, name: randomUUID() } });
    const use = { token: await gateway.issuer.token({ scope: 'secrets:use' }) };
    const without = await gateway.run(bare, { input: { id: data.createSecret.secret.id } }, use);
    expect(without.data.checkSecret.result).toBe('UNSUPPORTED');
    expect(provider.arrived).toHaveLength(1);
  });

  it('has its event in the store before the provider is asked, and asks nobody where that cannot be written', async () => {
    const keeper = await Keeper.new(gateway, provider);
    const { id } = await keeper.newSecret();
    const other = await openStore(gateway.databaseUrl);
    const owner = { type: 'user', userId: keeper.user.id } as const;
    const atArrival: string[][] = [];
    provider.onArrival = async () => {
      atArrival.push((await other.auditEvents(owner, 0, 100)).map(({ type }) => type));
    };
    expect(await keeper.result(id)).toBe('VALID');
    provider.onArrival = () => {};
    await other.close();
    expect(atArrival).toEqual([['secret.created', 'secret.checked']]);
    provider.arrived.length = 0;
    const allow = await refuseEvents(store, gateway.databaseUrl, 'secret.checked');
    const refused = await keeper.check(id);
    const created = await keeper.run(createSecret(), {
      input: { name: 'NEVER', provider: 'acme', value: provider.newKey(), verify: true },
    });
    await allow();
    for (const answer of [refused, created]) expect([answer.data, codeOf(answer)]).toEqual([null, expect.any(String)]);
    expect(provider.arrived).toEqual([]);
    expect(await keeper.result(id)).toBe('VALID');
  });

  it('records what it finds out, also where the caller has gone meanwhile', async () => {
    const keeper = await Keeper.new(gateway, provider);
    const secret = await keeper.newSecret();
    provider.known.delete(secret.key);
    const held = provider.hold();
    const left = new AbortController();
    const headers = { authorization: `Bearer ${keeper.user.credential}` };
    const body = JSON.stringify({ query: checkSecret, variables: { input: { id: secret.id } } });
    const leaving = gateway.send({ body, signal: left.signal, headers }, { headers }).catch(() => 'gone');
    await held.arrived;
    left.abort();
    expect(await leaving).toBe('gone');
    held.release();
    await expect.poll(() => keeper.health(secret.id)).toEqual(['REJECTED', 'CHECK']);
    expect(await keeper.events(secret.id)).toEqual(['created', 'checked', 'rejected']);
  });

  it('asks one after the other in one document, and costs what other mutations cost', async () => {
    const keeper = await Keeper.new(gateway, provider);
    const secrets = [await keeper.newSecret(), await keeper.newSecret()];
    const query = `mutation ($a: CheckSecretInput!, $b: CheckSecretInput!) {
      a: checkSecret(input: $a) { result } b: checkSecret(input: $b) { result } }`;
    const [a, b] = secrets.map(({ id }) => ({ id }));
    for (let times = 0; times < 2; times += 1) {
      provider.arrived.length = 0;
      const held = provider.hold();
      const running = keeper.run(query, { a, b });
      await held.arrived;
      expect(provider.arrived.map(({ key }) => key)).toEqual([secrets[0]?.key]);
      held.release();
      const { data, errors } = await running;
      expect([errors, data]).toEqual([[], { a: { result: 'VALID' }, b: { result: 'VALID' } }]);
      expect(provider.arrived.map(({ key }) => key)).toEqual(secrets.map(({ key }) => key));
    }
  });

  it('sends nothing of a record that something other than a gateway wrote', async () => {
    const keeper = await Keeper.new(gateway, provider);
    const [one, two] = [await keeper.newSecret(), await keeper.newSecret()];
    const writer = openDatabaseWriter(gateway.databaseUrl);
    const [first, second] = await writer.records([one.id, two.id]);
    await writer.replaceRecords([one.id], [{ ...first, name: `${second?.name}_` }]);
    expect(codeOf(await keeper.check(one.id))).toBe('INTERNAL_SERVER_ERROR');
    const update = { id: one.id, value: provider.newKey(), verify: true };
    expect(codeOf(await keeper.run(updateSecret(), { input: update }))).toBe('INTERNAL_SERVER_ERROR');
    await writer.close();
    expect(provider.arrived).toEqual([]);
  });

  it('leaves nothing of the value, of the provider’s answer or of the path anywhere', async () => {
    const keeper = await Keeper.new(gateway, provider);
    const secret = await keeper.newSecret();
    const answers: string[] = [];
    const run = async (query: string, input: object) => {
      const answer = await keeper.run(query, { input });
      answers.push(answer.text, [...answer.headers].join());
    };
    const updates = [] as string[];
    for (const status of [200, 401, 403, 429, 503, null]) {
      provider.status = status;
      updates.push(provider.newKey());
      await run(checkSecret, { id: secret.id });
      await run(updateSecret('name maskedValue'), { id: secret.id, value: updates.at(-1), verify: true });
      await run(createSecret('name', 'warnings { message }'), {
        name: `K_${updates.length}`,
        provider: 'acme',
        value: updates.at(-1),
        verify: true,
      });
    }
    const metrics = await (await fetch(new URL('/metrics', gateway.url))).text();
    expect(metrics).toMatch(/^secrets_gateway_checks_total\{result="REJECTED"\} \d+$/m);
    const everywhere = { answers: answers.join(), log: gateway.log.join(), metrics, spans: spans.text() };
    const database = await stored(gateway, 'keyring.json');
    const detector = new LeakDetector([secret.key, ...updates, 'whose-key-it-is', checkQuery]);
    for (const [where, text] of Object.entries({ ...everywhere, database }))
      expect([where, [...detector.find(text)]]).toEqual([where, []]);
    expect(detector.find(`x ${secret.key} ${checkQuery} {"account":"whose-key-it-is"}`).size).toBe(3);
    expect(spans.text()).toContain('broker.check');
  });

  it('counts a check that is sent as one of the uses of the secret, and none that is not', async () => {
    await gateway.stop();
    await gateway.launch({ RATE_LIMIT: 'off', ...(await settingsOf(provider)), BROKER_RATE_LIMIT: '2/60s' });
    const keeper = await Keeper.new(gateway, provider);
    const busy: Checkable = await keeper.newSecret();
    const none = await keeper.newSecret({ provider: 'custom', destination: { origin: provider.origin } });
    expect([await keeper.result(busy.id), await keeper.use(busy.id)]).toEqual(['VALID', 200]);
    provider.arrived.length = 0;
    expect([codeOf(await keeper.check(busy.id)), await keeper.use(busy.id)]).toEqual(['TOO_MANY_REQUESTS', 429]);
    expect(provider.arrived).toEqual([]);
    for (let times = 0; times < 3; times += 1) expect(await keeper.result(none.id)).toBe('UNSUPPORTED');
    expect(await keeper.events(busy.id)).toEqual(['created', 'checked', 'used']);
  });
});
