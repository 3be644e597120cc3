import type { Document } from 'mongodb';
import { ownerKey } from '../../model/owner.ts';
import type { Secret } from '../../model/secret.ts';
import { isUnfiltered, nameConditions } from '../filter.ts';
import type { ListQuery, ListResult } from '../store.ts';
import {
  type ListedDocument,
  type ListedSecret,
  listedProjection,
  listedSecretOf,
  readListedSecret,
} from './documents.ts';
import { notUsedSince } from './last-used.ts';
import type { Reads } from './reads.ts';
import type { RowDecoder } from './row-reader.ts';

interface Part {
  readonly collection: 'secrets' | 'owners';
  readonly pipeline: Document[];
  readonly maxRows: number;
}

/** A row of a page, the count of an owner, or the count of what matches a filter. `k` is the index of its list. */
type Row =
  | { readonly secret: ListedSecret; readonly k: number }
  | { readonly owner: string; readonly count: number }
  | { readonly owner?: undefined; readonly k: number; readonly count: number };

type RowDocument =
  | (ListedDocument & { readonly k?: number; readonly count?: undefined })
  | { readonly _id: string; readonly count: number }
  | { readonly _id?: undefined; readonly k: number; readonly count: number };

export const listRow: RowDecoder<Row> = {
  read(row) {
    if (row.isNext('count')) return { count: row.integer('count'), k: row.integer('k') };
    const id = row.text('_id');
    if (row.isNext('count')) return { owner: id, count: row.integer('count') };
    const secret = readListedSecret(id, row);
    return { secret, k: row.isNext('k') ? row.integer('k') : 0 };
  },
  of(document) {
    const row = document as RowDocument;
    if (row.count === undefined) return { secret: listedSecretOf(row), k: row.k ?? 0 };
    return row._id === undefined ? row : { owner: row._id, count: row.count };
  },
};

export interface ListCommand {
  readonly collection: Part['collection'];
  readonly pipeline: Document[];
  /** Larger than the answer can be, so that one reply holds it all and the server closes the cursor. */
  readonly batchSize: number;
  /**
   * `snapshot` where a page and its count must agree: the parts of a pipeline are read one after the other, and `majority`
   * reads each as it is by then.
   */
  readonly readConcern: { readonly level: 'snapshot' | 'majority' };
}

/**
 * One aggregate that answers all these lists and their counts: each command costs a round trip, and a further part of one
 * costs little. Undefined when the database need not be asked.
 */
export function listCommand(queries: readonly ListQuery[]): ListCommand | undefined {
  const parts: Part[] = [];
  for (const [k, query] of queries.entries()) {
    if (query.limit > 0) parts.push(pagePart(query, queries.length === 1 ? undefined : k));
    if (query.count && !isUnfiltered(query.filter)) parts.push(filteredCountPart(query, k));
  }
  const counted = queries.filter((query) => query.count && isUnfiltered(query.filter));
  if (counted.length > 0) parts.push(ownerCountsPart([...new Set(counted.map((query) => ownerKey(query.owner)))]));

  const [first, ...others] = parts;
  if (!first) return undefined;
  const unions = others.map(({ collection, pipeline }) => ({ $unionWith: { coll: collection, pipeline } }));
  return {
    collection: first.collection,
    pipeline: [...first.pipeline, ...unions],
    batchSize: parts.reduce((rows, part) => rows + part.maxRows, 1),
    readConcern: { level: queries.some((query) => query.count && query.limit > 0) ? 'snapshot' : 'majority' },
  };
}

/** The results of the queries, in their order, from the rows that `listCommand` found. */
export function listResults(queries: readonly ListQuery[], rows: readonly Row[]): ListResult[] {
  const pages = queries.map((): Secret[] => []);
  const ownerCounts = new Map<string, number>();
  const filteredCounts = new Map<number, number>();
  for (const row of rows) {
    if ('secret' in row) {
      const { secret, k } = row;
      secret.owner = queries[k]?.owner ?? secret.owner;
      pages[k]?.push(secret);
    } else if (row.owner !== undefined) ownerCounts.set(row.owner, row.count);
    else filteredCounts.set(row.k, row.count);
  }
  return queries.map((query, k) => {
    const secrets = pages[k] ?? [];
    const hasMore = secrets.length > query.limit;
    if (hasMore) secrets.pop();
    if (query.from === 'end') secrets.reverse();
    const counted = isUnfiltered(query.filter) ? ownerCounts.get(ownerKey(query.owner)) : filteredCounts.get(k);
    return { secrets, hasMore, totalCount: query.count ? (counted ?? 0) : null };
  });
}

export async function readLists(reads: Reads, queries: readonly ListQuery[]): Promise<ListResult[]> {
  const command = listCommand(queries);
  if (!command) return listResults(queries, []);
  const { collection, pipeline, batchSize, readConcern } = command;
  const rows = await reads.rows({ aggregate: collection, pipeline, cursor: { batchSize }, readConcern }, listRow);
  return listResults(queries, rows);
}

/** Reads one secret beyond the limit, which tells whether there is more. */
function pagePart(query: ListQuery, k: number | undefined): Part {
  const maxRows = query.limit + 1;
  const pipeline: Document[] = [
    { $match: matching(query, nameConditions(query.filter, query.after, query.before)) },
    { $sort: { name: query.from === 'end' ? -1 : 1 } },
    { $limit: maxRows },
    { $project: listedProjection },
  ];
  if (k !== undefined) pipeline.push({ $set: { k: { $literal: k } } });
  return { collection: 'secrets', pipeline, maxRows };
}

function filteredCountPart(query: ListQuery, k: number): Part {
  const match = matching(query, nameConditions(query.filter));
  return {
    collection: 'secrets',
    pipeline: [{ $match: match }, { $count: 'count' }, { $set: { k: { $literal: k } } }],
    maxRows: 1,
  };
}

function ownerCountsPart(owners: string[]): Part {
  return {
    collection: 'owners',
    pipeline: [{ $match: { _id: { $in: owners } } }, { $project: { count: 1 } }],
    maxRows: owners.length,
  };
}

const operators = { '=': '$eq', '>': '$gt', '>=': '$gte', '<': '$lt' } as const;

/** The one place that says what each field of a filter asks of a document. */
function matching({ owner, filter }: ListQuery, names: ReturnType<typeof nameConditions>): Document {
  const match: Document = { owner: ownerKey(owner) };
  if (names.length > 0) match.name = Object.fromEntries(names.map(([operator, name]) => [operators[operator], name]));
  if (filter.provider !== undefined) match.provider = filter.provider;
  if (filter.tags?.length) match.tags = { $all: filter.tags };
  if (filter.placeholder !== undefined) match.placeholder = filter.placeholder;
  if (filter.expiresBefore !== undefined) match.expiresAt = { $lt: filter.expiresBefore };
  if (filter.notUpdatedSince !== undefined) match.updatedAt = { $lt: filter.notUpdatedSince };
  if (filter.health !== undefined) match['health.status'] = filter.health;
  if (filter.notUsedSince !== undefined) Object.assign(match, notUsedSince(filter.notUsedSince));
  if (filter.hasValue !== undefined) match.sealed = { $type: filter.hasValue ? 'object' : 'null' };
  return match;
}
