import type { Document } from 'mongodb';
import { ownerKey } from '../../model/owner.ts';
import { isUnfiltered, nameConditions } from '../filter.ts';
import type { ListQuery, ListResult } from '../store.ts';
import { type ListedDocument, listedProjection, listedSecretOf } from './documents.ts';

interface Part {
  readonly collection: 'secrets' | 'owners';
  readonly pipeline: Document[];
  readonly maxRows: number;
}

/** A row of a page, the count of an owner, or the count of what matches a filter. `k` is the index of its list. */
type Row =
  | (ListedDocument & { readonly k?: number; readonly count?: undefined })
  | { readonly _id: string; readonly count: number }
  | { readonly _id?: undefined; readonly k: number; readonly count: number };

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
export function listResults(queries: readonly ListQuery[], rows: readonly Document[]): ListResult[] {
  const pages = queries.map((): ListedDocument[] => []);
  const ownerCounts = new Map<string, number>();
  const filteredCounts = new Map<number, number>();
  for (const row of rows as readonly Row[]) {
    if (row.count === undefined) pages[row.k ?? 0]?.push(row);
    else if (row._id !== undefined) ownerCounts.set(row._id, row.count);
    else filteredCounts.set(row.k, row.count);
  }
  return queries.map((query, k) => {
    const page = pages[k] ?? [];
    const hasMore = page.length > query.limit;
    if (hasMore) page.pop();
    if (query.from === 'end') page.reverse();
    const counted = isUnfiltered(query.filter) ? ownerCounts.get(ownerKey(query.owner)) : filteredCounts.get(k);
    const secrets = page.map((document) => listedSecretOf(document, query.owner));
    return { secrets, hasMore, totalCount: query.count ? (counted ?? 0) : null };
  });
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
  return match;
}
