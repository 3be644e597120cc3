import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { adminClaims, newApiKey, revokeApiKey, withApiKey } from '../support/api-keys.ts';
import { openDatabaseWriter } from '../support/database-writer.ts';
import { changeFields, type Events, openEvents, type SubscribeOptions, subscribe } from '../support/events.ts';
import { storeNames, TestGateway } from '../support/gateway.ts';
import { createSecret, updateSecret } from '../support/graphql.ts';

const red = { teamId: 'red' };
const mutation = (name: string, input: string, selected: string) =>
  `mutation ($input: ${input}!) { ${name}(input: $input) { ${selected} } }`;
const rollback = mutation('rollbackSecret', 'RollbackSecretInput', 'secret { id }');
const remove = mutation('deleteSecret', 'DeleteSecretInput', 'id');
const restore = mutation('restoreSecret', 'RestoreSecretInput', 'secret { id }');
const purge = mutation('purgeSecret', 'PurgeSecretInput', 'id');
const subscription = `subscription { secretChanged(owner: { teamId: "red" }) { ${changeFields} } }`;

describe.each(storeNames)('secretChanged, on %s', (name) => {
  let gateway: TestGateway;
  let admin: string;
  let ada: string;
  let made = 0;
  let opened: Events[] = [];

  beforeAll(async () => {
    gateway = await TestGateway.start(name, { RATE_LIMIT: 'off', MAX_SUBSCRIPTIONS_PER_CALLER: '8' });
    ada = await gateway.issuer.token();
    admin = await gateway.issuer.token(adminClaims);
  });
  afterAll(() => gateway?.close());

  async function follow(options: Partial<SubscribeOptions> = {}): Promise<Events> {
    const events = await subscribe(gateway.url, { owner: red, token: ada, ...options });
    opened.push(events);
    return events;
  }
  /** Leaves all that were followed, and waits until the gateway has noticed. */
  async function leaveAll(): Promise<void> {
    for (const events of opened) events.leave();
    opened = [];
    while ((await metric('secrets_gateway_subscriptions')) > 0);
  }
  async function metric(of: string): Promise<number> {
    const text = await (await fetch(new URL('/metrics', gateway.url))).text();
    return Number(
      text
        .split('\n')
        .find((line) => line.startsWith(`${of} `))
        ?.slice(of.length),
    );
  }
  async function run(query: string, input: object) {
    const { data, text } = await gateway.run(query, { input }, { token: admin });
    if (!data) throw new Error(text);
    return data;
  }
  async function create(owner: object = red): Promise<string> {
    made += 1;
    const data = await run(createSecret(), { owner, name: `SECRET_${made}`, value: `a-long-value-${made}` });
    return data.createSecret.secret.id;
  }
  const rename = (id: string) => run(updateSecret(), { id, name: `RENAMED_${++made}` });

  describe('tells', () => {
    it('every kind of change in order, with the version that it made, and null for what is deleted', async () => {
      const events = await follow({ fields: `${changeFields} secret { name version }` });
      const id = await create();
      await run(updateSecret(), { id, value: 'another-long-value' });
      await run(rollback, { id, toVersion: 1 });
      await run(remove, { id });
      await run(restore, { id });
      await run(purge, { id });
      const changes = await events.told(6);
      expect(changes.map(({ type, version, secretId }) => [type, version, secretId])).toEqual([
        ['CREATED', 1, id],
        ['UPDATED', 2, id],
        ['UPDATED', 3, id],
        ['DELETED', 3, id],
        ['RESTORED', 4, id],
        ['PURGED', 4, id],
      ]);
      expect([changes[3]?.secret, changes[5]?.secret]).toEqual([null, null]);
      await leaveAll();
    });

    it('the secret as it is, and changes of the caller’s own, of a team and of a connector each to their followers', async () => {
      const connector = { teamId: 'red', connectorId: 'crm' };
      const token = admin;
      const fields = `${changeFields} secret { name owner { __typename } }`;
      const all = await Promise.all([{}, red, connector].map((owner) => follow({ owner, token, fields })));
      await run(createSecret(), { owner: {}, name: 'OWN', value: 'a-long-value', provider: 'aws' });
      await create(connector);
      await create();
      const told = await Promise.all(all.map((events) => events.told(1)));
      expect(told.map(([change]) => change?.secret.owner.__typename)).toEqual(['User', 'Team', 'Connector']);
      expect(told.map(({ length }) => length)).toEqual([1, 1, 1]);
      await leaveAll();
    });

    it('nothing but changes, and its cursors move past the rest', async () => {
      const events = await follow();
      await newApiKey(gateway);
      const first = await create();
      const key = await newApiKey(gateway);
      await run(revokeApiKey, { id: key.id });
      await rename(first);
      expect((await events.told(2)).map(({ type }) => type)).toEqual(['CREATED', 'UPDATED']);
      const later = await follow({ after: events.changes[0]?.cursor });
      expect(await later.told(1)).toEqual([events.changes[1]]);
      await leaveAll();
    });

    it('what is committed once it has begun, and nothing from before', async () => {
      const earlier = await create();
      const events = await follow();
      await rename(earlier);
      expect((await events.told(1))[0]?.version).toBe(2);
      await leaveAll();
    });

    it('the same after any cursor: each change once, in order', async () => {
      const events = await follow();
      const ids = [await create(), await create(), await create()];
      for (let turn = 0; turn < 20; turn += 1) await rename(ids[turn % 3] ?? '');
      const all = await events.told(23);
      for (const at of [0, 1, 7, 20, 21]) {
        const resumed = await follow({ after: all[at]?.cursor });
        // Also what happens while it reads what it missed.
        expect(await resumed.told(22 - at)).toEqual(all.slice(at + 1));
        resumed.leave();
      }
      await leaveAll();
    });

    it('more than are kept for a follower, from the first one on', async () => {
      const start = await follow();
      const [id, others] = [await create(), 300];
      const first = (await start.told(1))[0]?.cursor;
      const secrets = Array.from({ length: others }, (_, index) => ({ name: `MANY_${index}`, value: 'a-long-value' }));
      await run(mutation('createSecrets', 'CreateSecretsInput', 'totalCount'), { owner: red, secrets });
      await run(remove, { id });
      const [changes, resumed] = [await start.told(others + 2), await follow({ after: first })];
      expect(await resumed.told(others + 1)).toEqual(changes.slice(1));
      expect(new Set(changes.map(({ cursor }) => cursor)).size).toBe(others + 2);
      expect(changes.at(-1)?.type).toBe('DELETED');
      await leaveAll();
    });
  });

  describe('is refused', () => {
    const codeOf = async (options: Partial<SubscribeOptions>) => {
      const events = await follow(options);
      await events.end().catch(() => {});
      expect(events.isComplete).toBe(true);
      return events.errors.map(({ extensions }) => extensions.code);
    };

    it('for an owner that the caller does not reach, without the scope, and for a cursor of another list', async () => {
      const events = await follow();
      await create();
      const [change] = await events.told(1);
      const list = await gateway.run('{ secrets(owner: { teamId: "red" }, first: 1) { pageInfo { endCursor } } }');
      const writer = await gateway.issuer.token({ scope: 'secrets:write' });
      expect(await codeOf({ owner: { teamId: 'blue' } })).toEqual(['FORBIDDEN']);
      expect(await codeOf({ owner: { connectorId: 'crm' } })).toEqual(['UNPROCESSABLE_ENTITY']);
      expect(await codeOf({ token: writer })).toEqual(['PERMISSION_ERROR']);
      expect(await codeOf({ owner: {}, after: change?.cursor })).toEqual(['BAD_REQUEST']);
      expect(await codeOf({ after: list.data.secrets.pageInfo.endCursor })).toEqual(['BAD_REQUEST']);
      expect(await codeOf({ after: 'no cursor' })).toEqual(['BAD_REQUEST']);
      await leaveAll();
    });

    it('by its HTTP status before it begins: without credentials, in an array, for a client that takes no events', async () => {
      const send = (body: unknown, headers: Record<string, string>, token?: null) =>
        gateway.send({ body: JSON.stringify(body) }, { headers, ...(token === null && { token }) });
      const [query, accept] = [subscription, 'text/event-stream'];
      const answers = [
        await send({ query }, { accept }, null),
        await send({ query }, { accept: 'application/json' }),
        await send([{ query }, { query }], { accept: 'application/json, text/event-stream' }),
        await send([{ query }], { accept }),
      ];
      expect(answers.map(({ status }) => status)).toEqual([401, 200, 200, 400]);
      expect(answers[1]?.errors[0]?.extensions.code).toBe('NOT_ACCEPTABLE');
      expect(JSON.parse(answers[2]?.text ?? '').map((one: never) => Object(one).errors[0].extensions.code)).toEqual([
        'BAD_REQUEST',
        'BAD_REQUEST',
      ]);
    });

    it('with a list in its events: they are not charged for, and would be as large as answers', async () => {
      const fields = 'cursor secret { owner { ... on Team { secrets(first: 1000) { nodes { notes } } } } }';
      const events = await follow({ fields });
      await events.end().catch(() => {});
      expect(events.errors.map(({ extensions }) => extensions.type)).toEqual(['lists_limit_error']);
      await leaveAll();
    });

    it('beyond the number that a caller may have, until one of them has ended', async () => {
      for (let count = 0; count < 8; count += 1) await follow();
      const ninth = await follow();
      expect(ninth.response.statusCode).toBe(429);
      expect((await follow({ token: admin })).response.statusCode).toBe(200);
      opened[0]?.leave();
      while ((await metric('secrets_gateway_subscriptions')) > 8);
      expect((await follow()).response.statusCode).toBe(200);
      await leaveAll();
    });
  });

  describe('ends', () => {
    it('with the token, and says how to go on', async () => {
      const token = await gateway.issuer.token({ exp: Math.floor(Date.now() / 1000) + 4 });
      const events = await follow({ token });
      await create();
      await events.told(1);
      await events.end();
      const [error] = events.errors;
      expect([error?.extensions.code, events.isComplete]).toEqual(['UNAUTHORIZED', true]);
      expect(error?.extensions.description).toContain('"after"');
    });

    it('with the API key that it began with, before anything more is told', async () => {
      const { id, key } = await newApiKey(gateway, { scopes: ['secrets:read'] });
      const { headers } = withApiKey(key);
      const events = await openEvents(
        gateway.url,
        { query: subscription },
        { accept: 'text/event-stream', ...headers },
      );
      await create();
      await events.told(1);
      await run(revokeApiKey, { id });
      await create();
      await events.end();
      expect(events.errors.map(({ extensions }) => extensions.code)).toEqual(['UNAUTHORIZED']);
      expect(events.changes.length).toBe(1);
    });

    it('at an event that somebody changed or removed in the database, and tells nothing of what comes after it', async () => {
      const owner = { teamId: 'red', connectorId: name };
      const events = await follow({ owner });
      const [, second] = [await create(owner), await create(owner), await create(owner)];
      const [first] = await events.told(3);
      const writer = openDatabaseWriter(gateway.databaseUrl);
      const rows = await writer.events();
      for (const changed of [
        rows.map((row) => (row.secret_id === second ? { ...row, type: 'secret.resolved' } : row)),
        rows.filter((row) => row.secret_id !== second),
      ]) {
        await writer.replaceEvents(changed);
        const resumed = await follow({ owner, after: first?.cursor });
        await resumed.end().catch(() => {});
        expect([resumed.errors[0]?.extensions.code, resumed.changes]).toEqual(['INTERNAL_SERVER_ERROR', []]);
      }
      await writer.replaceEvents(rows);
      await writer.close();
      await leaveAll();
    });

    it('when its client leaves, and is logged with what it was told', async () => {
      const events = await follow();
      await create();
      await events.told(1);
      await leaveAll();
      const line = gateway.log.findLast((one) => one.includes('subscription ended'));
      expect(JSON.parse(line ?? '')).toMatchObject({ operation: 'secretChanged', reason: 'left', told: 1, code: 'OK' });
    });
  });

  it('is answered by GET too, with names and headers as for any answer; other operations are one event', async () => {
    const url = `${gateway.url}?query=${encodeURIComponent(subscription)}`;
    const response = await fetch(url, { headers: { accept: 'text/event-stream', authorization: `Bearer ${admin}` } });
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8']);
    expect(response.headers.get('cache-control')).toBe('no-store');
    await response.body?.cancel();
    const one = await gateway.run('{ viewer { subject } }', {}, { headers: { accept: 'text/event-stream' } });
    expect(one.text).toBe('event: next\ndata: {"data":{"viewer":{"subject":"ada"}}}\n\nevent: complete\ndata:\n\n');
    await leaveAll();
  });

  it('ends with the gateway, complete, and goes on at the next one without a gap', async () => {
    const events = await follow();
    const id = await create();
    const [change] = await events.told(1);
    await gateway.stop();
    await events.end();
    expect([events.isComplete, events.errors]).toEqual([true, []]);
    await gateway.launch({ RATE_LIMIT: 'off' });
    await rename(id);
    const resumed = await follow({ after: change?.cursor });
    expect((await resumed.told(1)).map(({ type }) => type)).toEqual(['UPDATED']);
    await leaveAll();
  });
});
