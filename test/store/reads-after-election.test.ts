import { randomUUID } from 'node:crypto';
import { type CommandStartedEvent, MongoClient, type Timestamp } from 'mongodb';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { openMongodbStore } from '../../src/store/mongodb/mongodb-store.ts';
import type { Store } from '../../src/store/store.ts';
import { chain, insert, newOwner, newRecord, query } from '../contract/fixtures.ts';
import { withTestMac } from '../support/keyring.ts';
import { type ReplicaSet, startReplicaSet, withDatabase } from '../support/mongod.ts';

const hasMongod = inject('mongodbUri') !== null && !process.env.MONGODB_URI;

/**
 * A new primary has every acknowledged write. Until a majority has confirmed something of its own term, read concern majority
 * may leave the last of them out: docs/adr/0020-reads-after-an-election.md.
 */
describe.skipIf(!hasMongod)('a read after an election waits for what was acknowledged before it', () => {
  let replicaSet: ReplicaSet;
  let admin: MongoClient;
  let store: Store;
  let commands: CommandStartedEvent[] = [];
  const record = newRecord(newOwner());
  const command = (document: object) => admin.db('admin').command(document);

  beforeAll(async () => {
    replicaSet = await startReplicaSet();
    admin = new MongoClient(replicaSet.uri, { directConnection: true });
    const onCommand = (event: CommandStartedEvent) => commands.push(event);
    store = await openMongodbStore(withDatabase(replicaSet.uri, 'reads'), {
      ...withTestMac,
      onCommand,
      timeoutMs: 20_000,
    });
    await store.commit([insert(record)]);
  });
  afterAll(async () => {
    await store?.close();
    await admin?.close();
    await replicaSet?.stop();
  });
  beforeEach(() => {
    commands = [];
  });

  /** Where the log of the server is at this moment. */
  async function now(): Promise<Timestamp> {
    return (await command({ hello: 1 })).lastWrite.opTime.ts;
  }

  /** The times that the reads since then waited for. */
  function waitedFor(): Timestamp[] {
    return commands.flatMap(({ command: sent }) => (sent.readConcern ? [sent.readConcern.afterClusterTime] : []));
  }

  const reads: Record<string, () => Promise<unknown>> = {
    find: () => store.find(record.id),
    findRecord: () => store.findRecord(record.id),
    list: () => store.list(query(record.owner)),
    audit: () => chain(store, record.owner),
    'wrapped keys': () => store.wrappedKeys('', 10),
    'counts of keys': () => store.countKids('envelopes', '', 10),
    'chain head': () => store.chainHead(record.owner),
    'API key by its hash': () => store.apiKeys.findByHash('hash'),
    'API key by its id': () => store.apiKeys.find(randomUUID(), ['red']),
    'API keys': () => store.apiKeys.list({ teamId: 'red', limit: 10, count: true }),
  };

  it('that is begun afterwards', async () => {
    const before = await elected(async () => {});
    for (const [read, run] of Object.entries(reads)) {
      commands = [];
      await run();
      const times = waitedFor().map((time) => time.comp(before));
      expect({ read, times: times.filter((order) => order >= 0).length }).toEqual({ read, times: times.length });
      expect(times.length).toBeGreaterThan(0);
    }
  });

  it('that is begun while there is no primary, and sent to the new one', async () => {
    let timer: NodeJS.Timeout | undefined;
    const begun: Promise<unknown>[] = [];
    const before = await elected(async () => {
      // The driver knows by now that there is none, and lets a read wait for one. After a while each gives up.
      await expect
        .poll(
          () =>
            store.check().then(
              () => 'ok',
              ({ details }) => details.reason,
            ),
          { timeout: 20_000 },
        )
        .toBe('no-primary');
      commands = [];
      const begin = () => begun.push(store.find(record.id).catch(() => null));
      begin();
      timer = setInterval(begin, 20);
    });
    clearInterval(timer);
    expect(await Promise.all(begun)).toContainEqual(expect.objectContaining({ id: record.id }));
    expect(waitedFor().length).toBeGreaterThan(0);
    for (const time of waitedFor()) expect(time.comp(before)).toBeGreaterThanOrEqual(0);
  });

  /** @returns where the log was at the end of the last term */
  async function elected(between: () => Promise<void>): Promise<Timestamp> {
    await store.commit([insert(newRecord(newOwner()))]);
    const before = await now();
    await command({ replSetStepDown: 600, force: true });
    await between();
    await command({ replSetFreeze: 0 });
    // The driver may learn of the election later than its connections work again.
    const known = async () => {
      await store.find(randomUUID()).catch(() => {});
      return (waitedFor().at(-1)?.comp(before) ?? -1) >= 0;
    };
    await expect.poll(known, { timeout: 20_000 }).toBe(true);
    return before;
  }
});
