import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { listCommand, listResults, listRow } from '../../src/store/mongodb/list.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { ListQuery, ListResult, Store } from '../../src/store/store.ts';
import { insert, newOwner, newRecord, query, remove } from '../contract/fixtures.ts';
import { withTestMac } from '../support/keyring.ts';
import { withDatabase } from '../support/mongod.ts';

const uri = withDatabase(inject('mongodbUri') ?? '', `snapshot-${process.pid}`);
const rounds = 150;

describe.skipIf(!inject('mongodbUri'))('a page and its count, while its owner writes', () => {
  let store: Store;
  let client: MongoClient;
  const owner = newOwner();
  const filter = { provider: 'aws' };
  // Pages come first in the command and counts last. What is between them is the time in which others write.
  const queries: readonly ListQuery[] = [
    query(owner),
    query(owner, { filter }),
    ...Array.from({ length: 60 }, (_, index) => query(newOwner(), { limit: 1 + index })),
  ];

  beforeAll(async () => {
    store = await openStore(uri, withTestMac);
    client = new MongoClient(uri);
    await store.commit(Array.from({ length: 8 }, () => insert(newRecord(owner))));
  });
  afterAll(async () => {
    await store?.close();
    await client?.db().dropDatabase();
    await client?.close();
  });

  /** How many of the lists have a count that is not that of their secrets. */
  async function differing(list: () => Promise<readonly ListResult[]>, enough = rounds): Promise<number> {
    let isWriting = true;
    const writer = (async () => {
      while (isWriting) {
        const record = newRecord(owner);
        await store.commit([insert(record)]);
        await store.commit([remove(record)]);
      }
    })();
    let found = 0;
    for (let round = 0; round < rounds && found < enough; round += 1) {
      const whole = (await list()).slice(0, 2);
      found += whole.filter(({ secrets, totalCount }) => secrets.length !== totalCount).length;
    }
    isWriting = false;
    await writer;
    return found;
  }

  it('are of one moment, also filtered, and with other lists in the same command', async () => {
    expect(await differing(() => Promise.all(queries.map((one) => store.list(one))))).toBe(0);
  });

  it('would differ when read with read concern majority', async () => {
    const command = listCommand(queries);
    if (!command) throw new Error('there is nothing to read');
    const { collection, pipeline, batchSize } = command;
    const rows = () =>
      client.db().collection(collection).aggregate(pipeline, { batchSize, readConcern: 'majority' }).toArray();
    expect(await differing(async () => listResults(queries, (await rows()).map(listRow.of)), 1)).toBeGreaterThan(0);
  });
});
