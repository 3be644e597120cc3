import type { Document } from 'mongodb';
import type { DeletedRecord, Deletion } from '../../model/deleted-secret.ts';
import { type Owner, ownerKey } from '../../model/owner.ts';
import { actorOfKey } from '../../model/principal.ts';
import type { SecretRecord } from '../../model/secret.ts';
import {
  type DeletedQuery,
  type DeletedSecretStore,
  type ExpiredSecrets,
  expiredOf,
  type PurgedSecret,
} from '../deleted-secrets.ts';
import type { Position } from '../position.ts';
import type { ListResult } from '../store.ts';
import {
  type ListedDocument,
  type ListedSecret,
  listedProjection,
  listedSecretOf,
  type Owned,
  readListedSecret,
  readMac,
  type SecretDocument,
  secretRecord,
  withOwner,
} from './documents.ts';
import type { Reads } from './reads.ts';
import type { RowDecoder } from './row-reader.ts';
import type { SecretOwners } from './secret-ids.ts';

/** A secret as it was, with its value. `deletedBy` is the actor's key. */
export interface DeletedDocument extends SecretDocument {
  readonly deletedAt: Date;
  readonly deletedBy: string;
}

function withDeletion(row: Owned<SecretRecord & { owner: Owner }>, deletedAt: Date, deletedBy: string) {
  const deletion: Deletion = { deletedAt, deletedBy: actorOfKey(deletedBy) };
  return { key: row.key, secret: Object.assign(row.secret, deletion) };
}

const deletedRecord: RowDecoder<Owned<DeletedRecord & { owner: Owner }>> = {
  read: (row) => withDeletion(secretRecord.read(row), row.date('deletedAt'), row.text('deletedBy')),
  of(document) {
    const { deletedAt, deletedBy, ...rest } = document as DeletedDocument;
    return withDeletion(secretRecord.of(rest), deletedAt, deletedBy);
  },
};

const listedSecret: RowDecoder<ListedSecret> = {
  read: (row) => readListedSecret(row.text('_id'), row),
  of: (document) => listedSecretOf(document as ListedDocument),
};

const counted: RowDecoder<number> = {
  read: (row) => row.integer('count'),
  of: (document) => Number(document.count),
};

/** The owner's key is read when it is known that the secret is past its time. */
interface ExpiredRow extends Omit<PurgedSecret, 'owner'> {
  readonly key: string;
  readonly deletedAt: Date;
}

const expiredRow: RowDecoder<ExpiredRow> = {
  read: (row) => ({
    id: row.text('_id'),
    name: row.text('name'),
    version: row.integer('version'),
    key: row.text('owner'),
    mac: row.object('mac', readMac),
    deletedAt: row.date('deletedAt'),
  }),
  of(document) {
    const { _id: id, name, version, owner: key, mac, deletedAt } = document as DeletedDocument;
    return { id, name, version, key, mac, deletedAt };
  },
};

export class MongodbDeletedSecrets implements DeletedSecretStore {
  readonly #reads: Reads;
  readonly #owners: SecretOwners;
  readonly #answer: <T>(answer: Promise<T>) => Promise<T>;

  /** @param answer bounds how long a call takes, and types its errors */
  constructor(reads: Reads, owners: SecretOwners, answer: <T>(answer: Promise<T>) => Promise<T>) {
    this.#reads = reads;
    this.#owners = owners;
    this.#answer = answer;
  }

  async find(id: string): Promise<DeletedRecord | undefined> {
    const found = this.#owners.find([id], (filter) =>
      this.#reads.rows({ find: 'deletedSecrets', filter, batchSize: 2 }, deletedRecord),
    );
    const row = (await this.#answer(found)).get(id);
    return row && withOwner(row);
  }

  async list({ owner, since, after, limit, count }: DeletedQuery): Promise<ListResult> {
    const match = { owner: ownerKey(owner), deletedAt: { $gt: since } };
    const [rows, totalCount] = await this.#answer(
      Promise.all([
        limit === 0 ? [] : this.#page({ ...match, ...(after && isAfter(after)) }, limit),
        count ? this.#count(match) : null,
      ]),
    );
    const secrets = rows.slice(0, limit).map((secret) => Object.assign(secret, { owner }));
    return { secrets, hasMore: rows.length > limit, totalCount };
  }

  /** In the order of the ids: there is no index by time, since every index begins with the owner. */
  async expired(before: Date, after: string, limit: number): Promise<ExpiredSecrets> {
    const filter = { _id: { $gt: after } };
    const projection = { owner: 1, name: 1, version: 1, mac: 1, deletedAt: 1 };
    const find = { find: 'deletedSecrets', filter, sort: { _id: 1 }, limit, batchSize: limit + 1, projection };
    const rows = await this.#answer(this.#reads.rows(find, expiredRow));
    return {
      ...expiredOf(rows.filter(({ deletedAt }) => deletedAt < before).map(({ deletedAt: _, ...row }) => row)),
      next: rows.length < limit ? null : (rows.at(-1)?.id ?? null),
    };
  }

  /** One more than the limit tells whether there are more. */
  #page(filter: Document, limit: number): Promise<ListedSecret[]> {
    const order = { sort: { name: 1, _id: 1 }, limit: limit + 1, batchSize: limit + 2 };
    const projection = { ...listedProjection, deletedAt: 0, deletedBy: 0 };
    return this.#reads.rows({ find: 'deletedSecrets', filter, ...order, projection }, listedSecret);
  }

  async #count(match: Document): Promise<number> {
    const pipeline = [{ $match: match }, { $count: 'count' }];
    const command = { aggregate: 'deletedSecrets', pipeline, cursor: { batchSize: 2 } };
    return (await this.#reads.rows(command, counted))[0] ?? 0;
  }
}

function isAfter({ name, id }: Position): Document {
  // The first condition gives the index its bound.
  return { name: { $gte: name }, $or: [{ name: { $gt: name } }, { _id: { $gt: id } }] };
}
