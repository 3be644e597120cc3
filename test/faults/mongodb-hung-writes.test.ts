import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { openMongodbStore } from '../../src/store/mongodb/mongodb-store.ts';
import type { Store } from '../../src/store/store.ts';
import { chain, countOf, insert, newOwner, newRecord, query, sealed, wrappedKeyOf } from '../contract/fixtures.ts';
import { FaultyLink } from '../support/faulty-link.ts';
import { withTestMac } from '../support/keyring.ts';
import { type ReplicaSet, startReplicaSet } from '../support/mongod.ts';

const timeoutMs = 1000;
const hasMongod = inject('mongodbUri') !== null && !process.env.MONGODB_URI;

/**
 * A command that is written to a socket which is destroyed, and has not said so yet. The driver's own wait for such a write
 * would never end (docs/adr/0019-writes-of-the-mongodb-driver.md).
 */
describe.skipIf(!hasMongod)('a connection to MongoDB that breaks just before a command is written to it', () => {
  let replicaSet: ReplicaSet;
  let link: FaultyLink;
  let store: Store;
  const sockets = new Set<Socket>();
  let breaksAt: string | null = null;
  let broken = 0;

  const watch = (message: unknown) => {
    const { socket } = message as { socket: Socket };
    socket.once('connect', () => socket.remotePort === link.port && sockets.add(socket));
  };

  function onCommand({ commandName }: { commandName: string }): void {
    if (commandName !== breaksAt) return;
    breaksAt = null;
    for (const socket of sockets) {
      if (!socket.destroyed) broken += 1;
      socket.destroy();
    }
    sockets.clear();
  }

  beforeAll(async () => {
    replicaSet = await startReplicaSet();
    link = await FaultyLink.open({ host: '127.0.0.1', port: Number(new URL(replicaSet.uri.split(',')[0] ?? '').port) });
    subscribe('net.client.socket', watch);
    const uri = `mongodb://127.0.0.1:${link.port}/hung?directConnection=true`;
    store = await openMongodbStore(uri, { ...withTestMac, timeoutMs, onCommand });
  });
  afterAll(async () => {
    unsubscribe('net.client.socket', watch);
    await store?.close();
    await link?.close();
    await replicaSet?.stop();
  });
  beforeEach(() => {
    breaksAt = null;
    broken = 0;
  });

  const record = newRecord(newOwner());
  const from = wrappedKeyOf(record);
  const calls: Record<string, () => Promise<unknown>> = {
    find: () => store.find(record.id),
    aggregate: () => store.list(query(record.owner)),
    update: () => store.replaceWrappedKeys([{ from, to: from }]),
    findAndModify: () => store.counter(60).add('somebody', 1),
  };

  it.each(Object.keys(calls))(
    'ends %s with a typed error or an answer, and the next call is answered',
    async (command) => {
      await store.check();
      breaksAt = command;
      const [outcome] = await Promise.allSettled([calls[command]?.()]);
      expect(broken).toBeGreaterThan(0);
      if (outcome?.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
      await expect.poll(() => store.check().then(() => 'ok', String), { timeout: 10_000 }).toBe('ok');
    },
  );

  it.each(['find', 'insert', 'update', 'commitTransaction', 'abortTransaction'])(
    'ends a commit at %s, which is made once or not at all, and the commits after it are made',
    async (command) => {
      const owner = newOwner();
      const twice = newRecord(owner);
      await store.commit([insert(newRecord(owner))]);
      breaksAt = command;
      // The second of the same id cannot be made, which is what aborts a transaction.
      const write = command === 'abortTransaction' ? [insert(twice), insert(twice)] : [insert(newRecord(owner))];
      const [outcome] = await Promise.allSettled([store.commit(write)]);
      expect(broken).toBeGreaterThan(0);
      await expect.poll(() => store.check().then(() => 'ok', String), { timeout: 10_000 }).toBe('ok');
      const before = outcome?.status === 'fulfilled' ? 2 : 1;
      if (command !== 'abortTransaction') expect(outcome?.status).toBe('fulfilled');
      await store.commit([insert(newRecord(owner))]);
      expect(await countOf(store, owner)).toBe(before + 1);
      expect((await store.list(query(owner))).secrets).toHaveLength(before + 1);
      expect((await chain(store, owner)).map(({ sequence }) => sequence)).toEqual(
        Array.from({ length: before + 1 }, (_, index) => index + 1),
      );
    },
  );

  it('ends a write to a server that stopped reading, and closes while it does not read', async () => {
    const large = newRecord(newOwner(), { sealed: sealed(1, 'x'.repeat(12 * 1024 * 1024)) });
    const other = await openMongodbStore(`mongodb://127.0.0.1:${link.port}/hung?directConnection=true`, {
      ...withTestMac,
      timeoutMs,
      onCommand: ({ commandName }) => commandName === 'insert' && link.fail('stalled'),
    });
    await expect(other.commit([insert(large)])).rejects.toMatchObject({ code: 'GATEWAY_TIMEOUT' });
    const began = performance.now();
    await other.close();
    expect(performance.now() - began).toBeLessThan(2 * timeoutMs + 3000);
    link.restore();
    await expect.poll(() => store.check().then(() => 'ok', String), { timeout: 10_000 }).toBe('ok');
    expect(await countOf(store, large.owner)).toBe(0);
  });
});
