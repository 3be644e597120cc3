import type { AnyBulkWriteOperation, WriteConcernSettings } from 'mongodb';
import type { ValueDigest } from '../../model/envelope.ts';
import { type Owner, ownerKey } from '../../model/owner.ts';
import type { SecretRecord } from '../../model/secret.ts';
import type { DigestedSecret, DigestStore, UndigestedPage } from '../digests.ts';
import type { Collections } from './collections.ts';
import {
  type FoundDocument,
  type Owned,
  ownedOf,
  readDigest,
  readMark,
  readOwned,
  readRest,
  type SecretDocument,
  secretRecord,
  withOwner,
  withSealed,
} from './documents.ts';
import type { Reads } from './reads.ts';
import type { RowDecoder } from './row-reader.ts';

interface DigestedRow {
  readonly owned: Owned;
  readonly digest: ValueDigest;
}

type DigestedDocument = FoundDocument & { readonly sealed: { readonly digest: ValueDigest } };

export const digestedRow: RowDecoder<DigestedRow> = {
  read(row) {
    const owned = readOwned(row);
    const { mark, digest } = row.object('sealed', (sealed) => ({
      mark: readMark(sealed),
      digest: sealed.object('digest', readDigest),
    }));
    return { owned: readRest(row, withSealed(owned, mark)), digest };
  },
  of(document) {
    const found = document as DigestedDocument;
    return { owned: ownedOf(found), digest: digestOf(found.sealed.digest) };
  },
};

interface IdDigest {
  readonly id: string;
  readonly digest: ValueDigest;
}

export const idDigest: RowDecoder<IdDigest> = {
  read: (row) => ({
    id: row.text('_id'),
    digest: row.object('sealed', (sealed) => sealed.object('digest', readDigest)),
  }),
  of: ({ _id, sealed }) => ({ id: String(_id), digest: digestOf(sealed.digest) }),
};

/** As text whatever is there: its MAC tells. */
function digestOf({ kid, digest, mac }: ValueDigest): ValueDigest {
  return { kid: String(kid), digest: String(digest), mac: String(mac) };
}

export class MongodbDigests implements DigestStore {
  readonly #secrets: Collections['secrets'];
  readonly #reads: Reads;
  readonly #put: { readonly writeConcern: WriteConcernSettings; readonly maxTimeMS: number };
  readonly #answer: <T>(answer: Promise<T>) => Promise<T>;

  /** @param answer bounds how long a call takes, and types its errors */
  constructor(
    secrets: Collections['secrets'],
    reads: Reads,
    put: { readonly writeConcern: WriteConcernSettings; readonly maxTimeMS: number },
    answer: <T>(answer: Promise<T>) => Promise<T>,
  ) {
    this.#secrets = secrets;
    this.#reads = reads;
    this.#put = put;
    this.#answer = answer;
  }

  async match(owner: Owner, digests: readonly string[], limit: number): Promise<DigestedSecret[]> {
    const filter = { owner: ownerKey(owner), 'sealed.digest.digest': { $in: digests } };
    const projection = { 'sealed.envelope': 0 };
    const find = { find: 'secrets', filter, projection, limit, batchSize: limit + 1 };
    const rows = await this.#answer(this.#reads.rows(find, digestedRow));
    return rows.map(({ owned, digest }) => ({ secret: withOwner(owned), digest }));
  }

  async of(owner: Owner, ids: readonly string[]): Promise<ReadonlyMap<string, ValueDigest>> {
    const filter = { owner: ownerKey(owner), _id: { $in: ids }, 'sealed.digest': { $ne: null } };
    const find = { find: 'secrets', filter, projection: { 'sealed.digest': 1 }, batchSize: ids.length + 1 };
    const rows = await this.#answer(this.#reads.rows(find, idDigest));
    return new Map(rows.map(({ id, digest }) => [id, digest]));
  }

  async undigested(kid: string, after: string, limit: number): Promise<UndigestedPage> {
    const filter = { _id: { $gt: after }, sealed: { $ne: null }, 'sealed.digest.kid': { $ne: kid } };
    const find = { find: 'secrets', filter, sort: { _id: 1 }, limit, batchSize: limit + 1 };
    const rows = await this.#answer(this.#reads.rows(find, secretRecord));
    const records: SecretRecord[] = [];
    const damaged: string[] = [];
    for (const row of rows) {
      try {
        records.push(withOwner(row));
      } catch {
        damaged.push(row.secret.id);
      }
    }
    return { records, damaged, next: rows.length < limit ? null : (rows.at(-1)?.secret.id ?? null) };
  }

  async put(digests: readonly { readonly record: SecretRecord; readonly digest: ValueDigest }[]): Promise<number> {
    if (digests.length === 0) return 0;
    const writes = digests.map(({ record: { id, owner, sealed }, digest }): AnyBulkWriteOperation<SecretDocument> => {
      const asRead = { 'sealed.version': sealed?.version ?? 0, 'sealed.tag': sealed?.tag ?? '' };
      const filter = { _id: id, owner: ownerKey(owner), ...asRead };
      return { updateOne: { filter, update: { $set: { 'sealed.digest': digest } } } };
    });
    const bulk = this.#secrets.bulkWrite(writes, { ...this.#put, ordered: false });
    return (await this.#answer(bulk)).matchedCount;
  }
}
