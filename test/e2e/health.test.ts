import { DatabaseSync } from 'node:sqlite';
import { MongoClient } from 'mongodb';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { userKinds } from '../support/broker.ts';
import { changeFields, subscribe } from '../support/events.ts';
import { FakeProvider, gatewayOf } from '../support/fake-provider.ts';
import { storeNames, type TestGateway } from '../support/gateway.ts';
import { deleteSecret, updateSecret } from '../support/graphql.ts';
import { type Checkable, Keeper } from '../support/health.ts';
import { refuseEvents } from '../support/refuse-events.ts';

const mutation = (field: string, type: string) =>
  `mutation ($input: ${type}Input!) { ${field}(input: $input) { secret { id } } }`;
const rollback = mutation('rollbackSecret', 'RollbackSecret');
const restore = mutation('restoreSecret', 'RestoreSecret');

describe.each(storeNames)('the health of a key, on %s', (store) => {
  let gateway: TestGateway;
  let provider: FakeProvider;
  beforeAll(async () => {
    provider = await FakeProvider.start();
    gateway = await gatewayOf(store, provider);
  });
  afterEach(() => {
    provider.status = null;
    provider.onArrival = () => {};
  });
  afterAll(async () => {
    await gateway?.close();
    await provider?.close();
  });

  const revoke = ({ key }: Checkable) => provider.known.delete(key);
  const allow = ({ key }: Checkable) => provider.known.add(key);

  describe.each(userKinds)('found out with %s', (kind) => {
    it('turns REJECTED by a check and back to VALID, and is told in audit and live: once for each turn', async () => {
      const keeper = await Keeper.new(gateway, provider, kind);
      const secret = await keeper.newSecret();
      const { id } = secret;
      const fields = `${changeFields} secret { health { status } }`;
      const live = await subscribe(gateway.url, { token: keeper.user.credential, owner: {}, fields });
      expect(await keeper.health(id)).toBeNull();
      expect([await keeper.result(id), await keeper.health(id)]).toEqual(['VALID', ['VALID', 'CHECK']]);
      revoke(secret);
      for (let times = 0; times < 2; times += 1)
        expect([await keeper.result(id), await keeper.health(id)]).toEqual(['REJECTED', ['REJECTED', 'CHECK']]);
      allow(secret);
      expect([await keeper.result(id), await keeper.health(id)]).toEqual(['VALID', ['VALID', 'CHECK']]);
      revoke(secret);
      await keeper.result(id);
      const told = ['created', 'checked', 'checked', 'rejected', 'checked', 'checked', 'checked', 'rejected'];
      expect(await keeper.events(id)).toEqual(told);
      const changes = await live.told(2);
      expect(changes.map(({ type, version, secretId }) => [type, version, secretId])).toEqual([
        ['REJECTED', 1, id],
        ['REJECTED', 1, id],
      ]);
      expect(changes[1]?.secret.health.status).toBe('REJECTED');
      live.leave();
      const [checked] = (await keeper.eventsOf(id)).filter(({ type }) => type === 'secret.checked');
      const actor = { kind: keeper.user.kind, id: keeper.user.id };
      expect(checked).toMatchObject({ actor, version: 1, method: 'GET', origin: provider.origin });
    });

    it('turns REJECTED by a use, before its answer is there, and back to VALID by another', async () => {
      const keeper = await Keeper.new(gateway, provider, kind);
      const secret = await keeper.newSecret();
      const { id } = secret;
      const used = async () => [await keeper.use(id), await keeper.health(id)];
      expect(await used()).toEqual([200, ['VALID', 'USE']]);
      revoke(secret);
      expect(await used()).toEqual([401, ['REJECTED', 'USE']]);
      expect(await used()).toEqual([401, ['REJECTED', 'USE']]);
      allow(secret);
      expect(await used()).toEqual([200, ['VALID', 'USE']]);
      expect(await keeper.events(id)).toEqual(['created', 'used', 'used', 'rejected', 'used', 'used']);
    });
  });

  it('is told once where 20 uses and 5 checks find out at the same time that the key is refused', async () => {
    const keeper = await Keeper.new(gateway, provider);
    const secret = await keeper.newSecret();
    const { id } = secret;
    for (const before of [null, 'VALID']) {
      if (before) {
        allow(secret);
        await keeper.use(id);
      }
      revoke(secret);
      const statuses = await Promise.all([
        ...Array.from({ length: 20 }, () => keeper.use(id)),
        ...Array.from({ length: 5 }, () => keeper.result(id)),
      ]);
      expect(new Set(statuses)).toEqual(new Set([401, 'REJECTED']));
      expect((await keeper.health(id))?.[0]).toBe('REJECTED');
    }
    expect((await keeper.events(id)).filter((type) => type === 'rejected')).toHaveLength(2);
  });

  it('is never REJECTED by an outage, a rate limit, a 403 or any other answer, and uses say nothing then', async () => {
    const keeper = await Keeper.new(gateway, provider);
    const [checked, used] = [await keeper.newSecret(), await keeper.newSecret()];
    await keeper.use(used.id);
    for (const [status, result] of [
      [429, 'RATE_LIMITED'],
      [500, 'UNREACHABLE'],
      [503, 'UNREACHABLE'],
      [403, 'UNSUPPORTED'],
      [400, 'UNSUPPORTED'],
      [404, 'UNSUPPORTED'],
      [302, 'UNSUPPORTED'],
    ] as const) {
      provider.status = status;
      const before = await keeper.health(checked.id);
      expect([status, await keeper.result(checked.id)]).toEqual([status, result]);
      expect(await keeper.health(checked.id)).toEqual(result === 'UNSUPPORTED' ? before : [result, 'CHECK']);
      expect([await keeper.use(used.id), await keeper.health(used.id)]).toEqual([status, ['VALID', 'USE']]);
    }
    expect((await keeper.events(checked.id)).concat(await keeper.events(used.id))).not.toContain('rejected');
  });

  it('is told again when a refused key was asked about in an outage meanwhile: what was known before is gone', async () => {
    const keeper = await Keeper.new(gateway, provider);
    const secret = await keeper.newSecret();
    revoke(secret);
    await keeper.result(secret.id);
    provider.status = 503;
    expect(await keeper.result(secret.id)).toBe('UNREACHABLE');
    provider.status = null;
    await keeper.result(secret.id);
    expect((await keeper.events(secret.id)).filter((type) => type === 'rejected')).toHaveLength(2);
  });

  it('never decides whether a secret may be used, is no change of the secret and no use of it', async () => {
    const keeper = await Keeper.new(gateway, provider);
    const secret = await keeper.newSecret();
    const { id } = secret;
    const fields = 'query ($id: ID!) { secret(id: $id) { version updatedAt lastUsedAt updatedBy { id } } }';
    const before = await keeper.run(fields, { id });
    revoke(secret);
    await keeper.result(id);
    expect((await keeper.run(fields, { id })).data).toEqual(before.data);
    expect(before.data.secret.lastUsedAt).toBeNull();
    allow(secret);
    expect(await keeper.use(id)).toBe(200);
  });

  it('belongs to the value: a rename keeps it, deletion and restoration keep it, a new value and a rollback do not', async () => {
    const keeper = await Keeper.new(gateway, provider);
    const secret = await keeper.newSecret();
    const { id } = secret;
    const change = async (query: string, input: object) =>
      expect((await keeper.run(query, { input: { id, ...input } })).errors).toEqual([]);
    revoke(secret);
    await keeper.result(id);
    const rejected = ['REJECTED', 'CHECK'];
    await change(updateSecret(), { name: `RENAMED_${secret.name}`, notes: 'notes', tags: ['a'] });
    expect(await keeper.health(id)).toEqual(rejected);
    await change(deleteSecret, {});
    await change(restore, {});
    expect(await keeper.health(id)).toEqual(rejected);
    await change(updateSecret(), { value: provider.newKey() });
    expect(await keeper.health(id)).toBeNull();
    await keeper.result(id);
    await change(rollback, { toVersion: 1 });
    expect(await keeper.health(id)).toBeNull();
    expect((await keeper.result(id)) === 'REJECTED' && (await keeper.events(id)).at(-1)).toBe('rejected');
  });

  it.each(['a check', 'a use'])('is not that of a value that was replaced or rolled back during %s', async (how) => {
    const keeper = await Keeper.new(gateway, provider);
    const { id } = await keeper.newSecret();
    await keeper.run(updateSecret(), { input: { id, value: provider.newKey() } });
    for (const [query, input] of [
      [updateSecret(), { value: `acme-unknown-${crypto.randomUUID()}` }],
      [rollback, { toVersion: 1 }],
    ] as const) {
      const held = provider.hold();
      const asking = how === 'a use' ? keeper.use(id) : keeper.check(id);
      await held.arrived;
      expect((await keeper.run(query, { input: { id, ...input } })).errors).toEqual([]);
      held.release();
      const answer = await asking;
      if (typeof answer !== 'number') {
        // It is told as it was when it was asked about.
        expect(answer.data.checkSecret).toMatchObject({ result: expect.any(String), secret: { health: null } });
      }
      expect(await keeper.health(id)).toBeNull();
    }
    expect(await keeper.events(id)).not.toContain('rejected');
  });

  it('is recorded when the secret is renamed during a check: it has the same value', async () => {
    const keeper = await Keeper.new(gateway, provider);
    const secret = await keeper.newSecret();
    const { id } = secret;
    revoke(secret);
    const held = provider.hold();
    const checking = keeper.check(id);
    await held.arrived;
    await keeper.run(updateSecret(), { input: { id, name: `NEW_${secret.name}` } });
    held.release();
    const { data } = await checking;
    expect(data.checkSecret).toMatchObject({
      result: 'REJECTED',
      secret: { version: 2, health: { status: 'REJECTED' } },
    });
    const event = (await keeper.eventsOf(id)).find(({ type }) => type === 'secret.rejected');
    expect(event).toMatchObject({ version: 2 });
  });

  it('does not wait for a provider: others change and use the secret while it is asked', async () => {
    const keeper = await Keeper.new(gateway, provider);
    const { id } = await keeper.newSecret();
    const held = provider.hold();
    const checking = keeper.check(id);
    await held.arrived;
    expect((await keeper.run(updateSecret(), { input: { id, notes: 'while it is asked' } })).errors).toEqual([]);
    held.release();
    expect((await checking).data.checkSecret.result).toBe('VALID');
  });

  it('lets a use go on where what it says cannot be recorded, and records it by the next', async () => {
    const keeper = await Keeper.new(gateway, provider);
    const secret = await keeper.newSecret();
    const { id } = secret;
    revoke(secret);
    const allowEvents = await refuseEvents(store, gateway.databaseUrl, 'secret.rejected');
    expect([await keeper.use(id), await keeper.health(id)]).toEqual([401, null]);
    await allowEvents();
    expect(gateway.log.join()).toContain('was not recorded');
    expect([await keeper.use(id), await keeper.health(id)]).toEqual([401, ['REJECTED', 'USE']]);
    expect(await keeper.events(id)).toEqual(['created', 'used', 'used', 'rejected']);
  });

  it('that is none of those known here, as a newer gateway may leave it, is null, and the next one takes its place', async () => {
    const keeper = await Keeper.new(gateway, provider);
    for (const find of ['use', 'result'] as const) {
      const { id } = await keeper.newSecret();
      await writeHealth(gateway.databaseUrl, id, { status: 'OF_LATER', source: 'CHECK' });
      expect(await keeper.health(id)).toBeNull();
      await keeper[find](id);
      expect((await keeper.health(id))?.[0]).toBe('VALID');
    }
  });

  it('is not written again by each use that says the same', async () => {
    const keeper = await Keeper.new(gateway, provider);
    const { id } = await keeper.newSecret();
    await keeper.use(id);
    const at = async () => {
      const { data } = await keeper.run('query ($id: ID!) { secret(id: $id) { health { checkedAt } lastUsedAt } }', {
        id,
      });
      return data.secret;
    };
    const first = await at();
    await keeper.use(id);
    const second = await at();
    expect(second.health).toEqual(first.health);
    expect(second.lastUsedAt >= first.lastUsedAt).toBe(true);
  });
});

async function writeHealth(databaseUrl: string, id: string, { status, source }: Record<string, string>): Promise<void> {
  if (databaseUrl.startsWith('sqlite:')) {
    using database = new DatabaseSync(databaseUrl.slice('sqlite:'.length));
    const set = 'UPDATE secrets SET health_status = ?, health_source = ?, health_checked_at = 1 WHERE id = ?';
    database.prepare(set).run(status ?? '', source ?? '', id);
    return;
  }
  await using client = new MongoClient(databaseUrl);
  const health = { status, checkedAt: new Date(1), source };
  // A newer gateway has put a validator of its own in place of this one's.
  await client.db().command({ collMod: 'secrets', validationLevel: 'off' });
  await client
    .db()
    .collection('secrets')
    .updateOne({ _id: id } as object, { $set: { health } });
}
