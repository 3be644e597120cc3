import { join } from 'node:path';
import { MongoClient } from 'mongodb';
import { type Owner, ownerKey } from '../src/model/owner.ts';
import { emptyChain } from '../src/store/audit.ts';
import { collectionsOf } from '../src/store/mongodb/collections.ts';
import { documentOf, type SecretDocument } from '../src/store/mongodb/documents.ts';
import { chainFields, type OwnerDocument } from '../src/store/mongodb/owner-document.ts';
import { openStore } from '../src/store/open-store.ts';
import type { Write } from '../src/store/store.ts';
import { withTestMac } from '../test/support/keyring.ts';
import { withDatabase } from '../test/support/mongod.ts';
import { apiKeyRecords, reader, teamGroups, teamsOf, writer } from './identities.ts';
import { progress, say } from './progress.ts';
import { readerIds, recordsOf, teamIds, writerIds } from './records.ts';
import { maxConnections } from './work.ts';

/** This many secrets of an owner, numbered from `from`. */
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
  const { secrets, secretIds, owners } = collectionsOf(client.db(name));
  const total = holdings.reduce((sum, { count }) => sum + count, 0);
  const started = performance.now();
  let loaded = 0;
  let batch: SecretDocument[] = [];
  const flush = async () => {
    if (batch.length > 0) {
      await secrets.insertMany(batch, { ordered: false });
      await secretIds.insertMany(
        batch.map(({ _id, owner }) => ({ _id, owner })),
        { ordered: false },
      );
    }
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
    const chain = { ...emptyChain, head: { sequence: 1, hash: 'loaded' } };
    return { _id: ownerKey(owner), count, revision: 1, ...chainFields(chain) };
  });
  await owners.insertMany(documents, { ordered: false });
  await client.close();

  const url = withDatabase(mongodbUri, name);
  await addApiKeys(url);
  const seconds = (performance.now() - started) / 1000;
  say(`${name}: ${total.toLocaleString('en')} secrets of ${holdings.length} owners in ${seconds.toFixed(1)} s`);
  return url;
}

/** Fills an embedded store in the same way, through its own commits. */
export async function loadSqlite(directory: string, name: string, holdings: readonly Holding[]): Promise<string> {
  const url = `sqlite:${join(directory, name)}.db`;
  const store = await openStore(url, withTestMac);
  const loaded = { type: 'secret.created', requestId: 'loaded', at: new Date() } as const;
  const actor = { kind: 'user', id: 'benchmark' } as const;
  for (const { owner, ...numbers } of holdings) {
    const writes = Array.from(recordsOf(owner, numbers), (record): Write => {
      return {
        type: 'insertSecret',
        record,
        event: { ...loaded, actor, secretId: record.id, version: record.version, secretName: record.name },
      };
    });
    for (let from = 0; from < writes.length; from += batchSize) {
      await store.commit(writes.slice(from, from + batchSize));
      progress(`secrets into ${name}, embedded`, from + batchSize, writes.length);
    }
  }
  await store.close();
  await addApiKeys(url);
  return url;
}

async function addApiKeys(url: string): Promise<void> {
  const store = await openStore(url, withTestMac);
  await store.commit(
    apiKeyRecords.map((record): Write => {
      const actor = record.createdBy;
      const event = {
        type: 'apiKey.created',
        requestId: 'loaded',
        at: new Date(),
        actor,
        apiKeyId: record.id,
      } as const;
      return { type: 'insertApiKey', record, event };
    }),
  );
  await store.close();
}

/** What every contender reads and writes. */
export const holdings: readonly Holding[] = [
  ...Array.from({ length: maxConnections }, (_, n): Holding[] => [
    { owner: { type: 'user', userId: reader(n) }, ...readerIds(n) },
    { owner: { type: 'user', userId: writer(n) }, ...writerIds(n) },
  ]).flat(),
  ...Array.from({ length: teamGroups }, (_, group) => teamsOf(group))
    .flat()
    .map((teamId, n): Holding => ({ owner: { type: 'team', teamId }, ...teamIds(n) })),
];
