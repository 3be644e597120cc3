import { MongoClient } from 'mongodb';
import { type Owner, ownerKey } from '../src/owner.ts';
import { collectionsOf, documentOf, type OwnerDocument, type SecretDocument } from '../src/store/mongodb/documents.ts';
import { openStore } from '../src/store/open-store.ts';
import { withDatabase } from '../test/support/mongod.ts';
import { reader, readerTeams, writer } from './identities.ts';
import { progress, say } from './progress.ts';
import { fillerIds, readerIds, recordsOf, teamIds, writerIds } from './records.ts';

/** So many secrets of an owner, numbered from `from` on. */
export interface Holding {
  readonly owner: Owner;
  readonly from: number;
  readonly count: number;
}

const batchSize = 2000;

/**
 * Fills a database as the gateway would, only faster: the documents go in as they are stored, without their audit, and
 * the gateway's own migrations build the indexes over them afterwards.
 * @returns its URL
 */
export async function loadDatabase(mongodbUri: string, name: string, holdings: readonly Holding[]): Promise<string> {
  const client = new MongoClient(mongodbUri, { writeConcern: { w: 1, journal: false } });
  const { secrets, owners } = collectionsOf(client.db(name));
  const total = holdings.reduce((sum, { count }) => sum + count, 0);
  const started = performance.now();
  let loaded = 0;
  let batch: SecretDocument[] = [];
  const flush = async () => {
    if (batch.length > 0) await secrets.insertMany(batch, { ordered: false });
    loaded += batch.length;
    batch = [];
    progress(`${loaded.toLocaleString('en')} secrets into ${name}`, loaded, total);
  };
  for (const { owner, ...numbers } of holdings) {
    for (const record of recordsOf(owner, numbers)) {
      batch.push(documentOf(record));
      if (batch.length === batchSize) await flush();
    }
  }
  await flush();
  const documents = holdings.map(({ owner, count }): OwnerDocument => {
    return { _id: ownerKey(owner), count, revision: 1, auditSequence: 1, auditHash: 'loaded' };
  });
  await owners.insertMany(documents, { ordered: false });
  await client.close();

  const url = withDatabase(mongodbUri, name);
  await (await openStore(url)).close();
  const seconds = (performance.now() - started) / 1000;
  say(`${name}: ${total.toLocaleString('en')} secrets of ${holdings.length} owners in ${seconds.toFixed(1)} s`);
  return url;
}

/** The same into an embedded store, through its own commits. */
export async function loadSqlite(path: string, holdings: readonly Holding[]): Promise<string> {
  const url = `sqlite:${path}`;
  const store = await openStore(url);
  const audit = { type: 'secret.created', actor: 'benchmark', requestId: 'loaded', at: new Date() } as const;
  for (const { owner, ...numbers } of holdings) {
    const changes = Array.from(recordsOf(owner, numbers), (record) => ({ type: 'insert', record, audit }) as const);
    for (let from = 0; from < changes.length; from += batchSize) {
      await store.commit(changes.slice(from, from + batchSize));
      progress(`secrets into ${path}`, from + batchSize, changes.length);
    }
  }
  await store.close();
  return url;
}

/** What every contender reads and writes: 10,000 secrets of 100 owners, and those of the ones who call. */
export const holdings: readonly Holding[] = [
  { owner: { type: 'user', userId: reader }, ...readerIds },
  ...readerTeams.map((teamId, n) => ({
    owner: { type: 'team', teamId } as const,
    from: teamIds.from + n * teamIds.count,
    count: teamIds.count,
  })),
  ...Array.from({ length: writerIds.count }, (_, n) => ({
    owner: { type: 'user', userId: writer(n) } as const,
    from: writerIds.from + n,
    count: 1,
  })),
  ...Array.from({ length: 100 }, (_, n) => ({
    owner: { type: 'user', userId: `somebody-${n}` } as const,
    from: fillerIds.from + n * fillerIds.count,
    count: fillerIds.count,
  })),
];
