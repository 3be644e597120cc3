import type { TransactionOptions } from 'mongodb';
import { ownerKey } from '../../src/model/owner.ts';
import { collectionsOf } from '../../src/store/mongodb/collections.ts';
import { createClient, databaseOf } from '../../src/store/mongodb/connect.ts';
import { type FoundDocument, foundProjection, secretOf } from '../../src/store/mongodb/documents.ts';
import { inTransaction } from '../../src/store/mongodb/transaction.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { ListQuery, Store, Write } from '../../src/store/store.ts';
import { withTestMac } from '../../test/support/keyring.ts';
import { commitNaively } from './naive-commit.ts';

const timeoutMs = 5000;
const transaction: TransactionOptions = {
  readConcern: { level: 'snapshot' },
  writeConcern: { w: 'majority', journal: true },
  readPreference: 'primary',
};

export function openCollections(databaseUrl: string) {
  const client = createClient(databaseUrl, {});
  return { client, ...collectionsOf(databaseOf(client, databaseUrl)) };
}

/**
 * A simple first version of the store: a find and a count for each list, a find for each secret, a transaction for
 * each commit. It supports only the queries of the benchmark; the rest is the gateway's own store.
 */
export async function openNaiveStore(databaseUrl: string): Promise<Store> {
  const { client, ...collections } = openCollections(databaseUrl);
  const { secrets } = collections;

  const naive: Pick<Store, 'find' | 'list' | 'commit'> = {
    async find(id) {
      const document = await secrets.findOne<FoundDocument>({ _id: id }, { projection: foundProjection });
      return document ? secretOf(document) : undefined;
    },
    async list(query: ListQuery) {
      const match = { owner: ownerKey(query.owner) };
      const page = secrets
        .find<FoundDocument>(match, { projection: foundProjection })
        .sort({ name: 1 })
        .limit(query.limit + 1)
        .toArray();
      const count = query.count ? secrets.countDocuments(match) : null;
      const [documents, totalCount] = await Promise.all([page, count]);
      const hasMore = documents.length > query.limit;
      if (hasMore) documents.pop();
      return { secrets: documents.map(secretOf), hasMore, totalCount };
    },
    commit: (writes: readonly Write[]) =>
      inTransaction(
        client,
        transaction,
        { deadlineMs: performance.now() + timeoutMs, attempts: 20 },
        async (session) => {
          for (const write of writes) await commitNaively(collections, write, session);
        },
      ),
  };
  const store = await openStore(databaseUrl, withTestMac);
  return new Proxy(store, {
    get(target, property) {
      if (property in naive) return Reflect.get(naive, property);
      const member: unknown = Reflect.get(target, property);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
}
