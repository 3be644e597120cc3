import type { ClientSession, Filter } from 'mongodb';
import type { AuditEvent, ChainHead } from '../../model/audit-event.ts';
import { type Owner, ownerKey } from '../../model/owner.ts';
import {
  type AuditPage,
  type AuditQuery,
  type AuditStore,
  type ChainState,
  type ChainWatch,
  type ChainWatcher,
  emptyChain,
  type OwnedEvent,
  type OwnerHead,
} from '../audit.ts';
import { type ChainReader, indexedTypes, listEvents, type Range, typeWithoutIndex } from '../audit-scan.ts';
import type { Collections } from './collections.ts';
import { chainOf } from './owner-document.ts';
import { watchOwners } from './watch-owners.ts';

/** To look at one takes the server about 2 µs, and a command takes a round trip. */
const sliceSize = 10_000;

type Read = <T>(read: (session: ClientSession) => Promise<T>) => Promise<T>;

export interface AuditDocument extends AuditEvent {
  readonly owner: string;
}

function auditEventOf({ _id, owner, ...event }: AuditDocument & { readonly _id?: unknown }): AuditEvent {
  return event;
}

export class MongodbAudit implements AuditStore {
  readonly #collections: Pick<Collections, 'audit' | 'owners'>;
  readonly #timeoutMs: number;
  readonly #read: Read;

  /** @param read runs a read that sees every acknowledged write, and makes its errors those that the port promises */
  constructor(collections: Pick<Collections, 'audit' | 'owners'>, timeoutMs: number, read: Read) {
    this.#collections = collections;
    this.#timeoutMs = timeoutMs;
    this.#read = read;
  }

  list(query: AuditQuery): Promise<AuditPage> {
    return listEvents(query, this.#reader(query));
  }

  /** Of one owner, after this one. */
  async events(owner: Owner, afterSequence: number, limit: number): Promise<AuditEvent[]> {
    if (limit === 0) return [];
    const found = await this.#find({ owner: ownerKey(owner), sequence: { $gt: afterSequence } }, limit);
    return found.map(([, event]) => event);
  }

  async head(owner: Owner): Promise<ChainHead> {
    return (await this.#chain(ownerKey(owner))).head;
  }

  async heads(after: string, limit: number): Promise<OwnerHead[]> {
    const { owners } = this.#collections;
    const options = { sort: { _id: 1 }, limit, batchSize: limit + 1, maxTimeMS: this.#timeoutMs } as const;
    const find = (session: ClientSession) => owners.find({ _id: { $gt: after } }, { ...options, session }).toArray();
    return (await this.#read(find)).map((owner) => [owner._id, chainOf(owner).head]);
  }

  async walk([owner, sequence]: readonly [string, number], upTo: string | null, limit: number): Promise<OwnedEvent[]> {
    // Two ranges of one index. An $or of them would be sorted as a whole.
    const end = upTo === null ? {} : { $lte: upTo };
    const rest = owner === '' ? [] : await this.#find({ owner, sequence: { $gt: sequence } }, limit);
    if (rest.length === limit || owner === upTo) return rest;
    return [...rest, ...(await this.#find({ owner: { $gt: owner, ...end } }, limit - rest.length))];
  }

  async size(): Promise<number> {
    const pipeline = [{ $group: { _id: null, size: { $sum: '$auditSequence' } } }];
    const { owners } = this.#collections;
    const [sum] = await this.#read((session) => owners.aggregate(pipeline, { ...this.#within, session }).toArray());
    return Number(sum?.size ?? 0);
  }

  async headsOf(keys: readonly string[]): Promise<OwnerHead[]> {
    const { owners } = this.#collections;
    const options = { batchSize: keys.length + 1, ...this.#within };
    const find = (session: ClientSession) =>
      owners.find({ _id: { $in: [...keys] } }, { ...options, session }).toArray();
    return (await this.#read(find)).map((owner) => [owner._id, chainOf(owner).head]);
  }

  watch(watcher: ChainWatcher): ChainWatch {
    return watchOwners(this.#collections.owners, watcher);
  }

  async #find(filter: Filter<AuditDocument>, limit: number): Promise<OwnedEvent[]> {
    const { audit } = this.#collections;
    const options = { sort: { owner: 1, sequence: 1 }, limit, batchSize: limit + 1, ...this.#within } as const;
    const find = (session: ClientSession) => audit.find(filter, { ...options, session }).toArray();
    return (await this.#read(find)).map((document) => [document.owner, auditEventOf(document)]);
  }

  async #chain(owner: string): Promise<ChainState> {
    const { owners } = this.#collections;
    const found = await this.#read((session) => owners.findOne({ _id: owner }, { ...this.#within, session }));
    return found ? chainOf(found) : emptyChain;
  }

  #reader({ owner, filter, from }: AuditQuery): ChainReader {
    const { audit } = this.#collections;
    const key = ownerKey(owner);
    const { secretId, types, actor, since, until } = filter;
    const at = { ...(since && { $gte: since }), ...(until && { $lt: until }) };
    const byType = indexedTypes(filter);
    const indexed = ({ first, last }: Range) => ({
      owner: key,
      ...(secretId !== undefined && { secretId }),
      // The comparison is that of the partial index, without which the server does not take it.
      ...(byType && { type: { $in: [...byType], $lt: typeWithoutIndex } }),
      sequence: { $gte: first, $lte: last },
    });
    const match = (range: Range) => ({
      ...indexed(range),
      ...(actor !== undefined && { 'actor.id': actor }),
      ...(types && !byType && { type: { $in: [...types] } }),
      ...((since || until) && { at }),
    });
    const ofSecret = byType ? 'owner_secretId_type_sequence' : 'owner_secretId_sequence';
    const hint = secretId === undefined ? 'owner_sequence' : ofSecret;
    const sort = { sequence: from === 'end' ? -1 : 1 } as const;
    const within = { ...this.#within, hint };
    return {
      sliceSize,
      chain: () => this.#chain(key),
      matching: async (range, limit) => {
        const options = { ...within, sort, limit, batchSize: limit + 1 };
        const find = (session: ClientSession) => audit.find(match(range), { ...options, session }).toArray();
        return (await this.#read(find)).map(auditEventOf);
      },
      countMatching: (range) => this.#read((session) => audit.countDocuments(match(range), { ...within, session })),
      sliceOfSecret: async (range, limit) => {
        const end = { [from === 'end' ? '$min' : '$max']: '$sequence' };
        const pipeline = [
          ...[{ $match: indexed(range) }, { $sort: sort }, { $limit: limit }],
          { $group: { _id: null, events: { $sum: 1 }, end } },
        ];
        const [slice] = await this.#read((session) => audit.aggregate(pipeline, { ...within, session }).toArray());
        return { events: Number(slice?.events ?? 0), end: Number(slice?.end ?? 0) };
      },
      timeAt: async (sequence) => {
        const options = { ...this.#within, sort: { sequence: 1 }, projection: { at: 1 } } as const;
        const later = { owner: key, sequence: { $gte: sequence } };
        return (await this.#read((session) => audit.findOne(later, { ...options, session })))?.at;
      },
    };
  }

  get #within() {
    return { maxTimeMS: this.#timeoutMs };
  }
}
