import DataLoader from 'dataloader';
import {
  type AnyBulkWriteOperation,
  type ClientSession,
  type Collection,
  type Document,
  MongoServerError,
} from 'mongodb';
import type { ApiKeyRecord } from '../../model/api-key.ts';
import { ownerKey, ownerOfKey } from '../../model/owner.ts';
import type { ApiKeyList, ApiKeyQuery, ApiKeyStore } from '../api-keys.ts';
import { type ApiKeyWrite, StoreConflict } from '../store.ts';
import type { Reads } from './reads.ts';

type ApiKeyFields = Omit<ApiKeyRecord, 'hash' | 'teamId'>;

/** One line for each field. A migration says which type each has in the database (validators.ts). */
const apiKeyFields: { readonly [field in keyof ApiKeyFields]: true } = {
  id: true,
  connectorId: true,
  name: true,
  prefix: true,
  scopes: true,
  createdAt: true,
  createdBy: true,
  expiresAt: true,
  lastUsedAt: true,
  revokedAt: true,
  mac: true,
};
const fieldNames = Object.keys(apiKeyFields) as (keyof ApiKeyFields)[];

/** `_id` is the SHA-256 of the key, by which each request with a key is authenticated. The owner is the team. */
export interface ApiKeyDocument extends ApiKeyFields {
  readonly _id: string;
  readonly owner: string;
}

function teamKey(teamId: string): string {
  return ownerKey({ type: 'team', teamId });
}

function documentOf(record: ApiKeyRecord): ApiKeyDocument {
  return { _id: record.hash, owner: teamKey(record.teamId), ...pick(record) };
}

function recordOf(document: ApiKeyDocument): ApiKeyRecord {
  const owner = ownerOfKey(document.owner);
  return { ...pick(document), hash: document._id, teamId: owner.type === 'user' ? '' : owner.teamId };
}

/** Named fields only: a spread would also store what else an object happens to hold. */
function pick(source: ApiKeyFields): ApiKeyFields {
  return Object.fromEntries(fieldNames.map((name) => [name, source[name]])) as unknown as ApiKeyFields;
}

/** Makes these writes inside the transaction of `session`. @throws StoreConflict */
export async function writeApiKeys(
  apiKeys: Collection<ApiKeyDocument>,
  changes: readonly { readonly write: ApiKeyWrite; readonly index: number }[],
  session: ClientSession,
): Promise<void> {
  for (const { write, index } of changes) {
    const { matchedCount } = await apiKeys.bulkWrite(operationsOf(write), { session });
    if (write.type === 'changeApiKey' && matchedCount === 0) throw new StoreConflict(index, 'version');
  }
}

function operationsOf(write: ApiKeyWrite): AnyBulkWriteOperation<ApiKeyDocument>[] {
  if (write.type === 'insertApiKey') return [{ insertOne: { document: documentOf(write.record) } }];
  const { from, to, successor } = write;
  const filter = { _id: from.hash, owner: teamKey(from.teamId), 'mac.tag': from.mac.tag };
  const { expiresAt, revokedAt, mac } = to;
  const change = { updateOne: { filter, update: { $set: { expiresAt, revokedAt, mac } } } };
  return successor ? [change, { insertOne: { document: documentOf(successor) } }] : [change];
}

const maxFinds = 1000;

export class MongodbApiKeys implements ApiKeyStore {
  readonly #collection: Collection<ApiKeyDocument>;
  readonly #timeoutMs: number;
  readonly #reads: Reads;
  readonly #answer: <T>(answer: Promise<T>) => Promise<T>;
  /** What is asked for in one tick of the event loop goes out in one command. Nothing is cached. */
  readonly #finds = new DataLoader((hashes: readonly string[]) => this.#answer(this.#findAll(hashes)), {
    cache: false,
    maxBatchSize: maxFinds,
    batchScheduleFn: (flush) => void setImmediate(flush),
  });

  /** @param answer makes the errors of the driver those that the port promises, after a deadline too */
  constructor(
    collection: Collection<ApiKeyDocument>,
    timeoutMs: number,
    reads: Reads,
    answer: <T>(answer: Promise<T>) => Promise<T>,
  ) {
    this.#collection = collection;
    this.#timeoutMs = timeoutMs;
    this.#reads = reads;
    this.#answer = answer;
  }

  async findByHash(hash: string): Promise<ApiKeyRecord | undefined> {
    const document = await this.#finds.load(hash);
    return document && recordOf(document);
  }

  async find(id: string, teamIds: readonly string[]): Promise<ApiKeyRecord | undefined> {
    const filter = { owner: { $in: teamIds.map(teamKey) }, id };
    const options = { maxTimeMS: this.#timeoutMs };
    const document = await this.#answer(
      this.#reads.run((session) => this.#collection.findOne(filter, { ...options, session })),
    );
    return document ? recordOf(document) : undefined;
  }

  async list({ teamId, after, limit, count }: ApiKeyQuery): Promise<ApiKeyList> {
    const owner = teamKey(teamId);
    const options = { maxTimeMS: this.#timeoutMs };
    const inOrder = { sort: { name: 1, id: 1 }, batchSize: limit + 2 } as const;
    // One more than the limit tells whether there are more.
    const page = (session: ClientSession) =>
      this.#collection
        .find({ owner, ...(after && isAfter(after)) }, { ...options, ...inOrder, limit: limit + 1, session })
        .toArray();
    const all = (session: ClientSession) => this.#collection.countDocuments({ owner }, { ...options, session });
    const [documents, totalCount] = await this.#answer(
      Promise.all([limit === 0 ? [] : this.#reads.run(page), count ? this.#reads.run(all) : null]),
    );
    return { apiKeys: documents.slice(0, limit).map(recordOf), hasMore: documents.length > limit, totalCount };
  }

  async markUsed(hash: string, at: Date, everyMs: number): Promise<void> {
    const before = new Date(at.getTime() - everyMs);
    const filter = { _id: hash, $or: [{ lastUsedAt: null }, { lastUsedAt: { $lte: before } }] };
    const writeConcern = { w: 'majority' as const, wtimeoutMS: this.#timeoutMs };
    const options = { writeConcern, maxTimeMS: this.#timeoutMs };
    const update = this.#collection.updateOne(filter, { $set: { lastUsedAt: at } }, options);
    await this.#answer(
      update.catch((error: unknown) => {
        // A rotation or a revocation of the key goes first.
        if (!(error instanceof MongoServerError && error.code === 112)) throw error;
      }),
    );
  }

  async #findAll(hashes: readonly string[]): Promise<(ApiKeyDocument | undefined)[]> {
    const filter = { _id: { $in: [...new Set(hashes)] } };
    const options = { batchSize: hashes.length + 1, maxTimeMS: this.#timeoutMs };
    const documents = await this.#reads.run((session) =>
      this.#collection.find(filter, { ...options, session }).toArray(),
    );
    const byHash = new Map(documents.map((document) => [document._id, document]));
    return hashes.map((hash) => byHash.get(hash));
  }
}

function isAfter({ name, id }: { readonly name: string; readonly id: string }): Document {
  // The first condition gives the index its bound.
  return { name: { $gte: name }, $or: [{ name: { $gt: name } }, { id: { $gt: id } }] };
}
