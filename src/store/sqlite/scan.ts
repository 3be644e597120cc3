import type { Position } from '../position.ts';
import type { ListQuery } from '../store.ts';
import { boundaryStatement, countStatement, pageStatement } from './list.ts';
import type { PreparedLists } from './prepared-lists.ts';
import type { Values } from './rows.ts';

/** Rows that a list looks at in one tick of the event loop: in some 5 ms at most. */
export const rowsPerSlice = 500;

export interface Scanned {
  readonly rows: Values[];
  readonly count: number | null;
}

/**
 * Reads a list whose filter may look at many rows in slices of the names, so that other requests are answered in between.
 * @param lists of a snapshot: a page and its count are of one moment
 * @param nextTurn what it throws ends the scan
 */
export async function scan(query: ListQuery, lists: PreparedLists, nextTurn: () => Promise<void>): Promise<Scanned> {
  const rows: Values[] = [];
  if (query.limit > 0) {
    for await (const slice of slices(query, lists, nextTurn)) {
      rows.push(...lists.all(pageStatement({ ...slice, limit: query.limit - rows.length })));
      if (rows.length > query.limit) break;
    }
  }
  return { rows, count: query.count ? await total(query, lists, nextTurn) : null };
}

async function total(query: ListQuery, lists: PreparedLists, nextTurn: () => Promise<void>): Promise<number> {
  const { after: _after, before: _before, ...whole } = query;
  let count = 0;
  for await (const slice of slices({ ...whole, from: 'start' }, lists, nextTurn)) {
    count += Number(lists.all(countStatement(slice, slice))[0]?.[0] ?? 0);
  }
  return count;
}

/** The query, narrowed to ranges of names one after the other. The index of each has at most a slice of rows in it. */
async function* slices(
  query: ListQuery,
  lists: PreparedLists,
  nextTurn: () => Promise<void>,
): AsyncGenerator<ListQuery> {
  const size = Math.max(1, Math.floor(rowsPerSlice / Math.max(1, query.filter.tags?.length ?? 0)));
  for (let rest = query; ; ) {
    await nextTurn();
    const end = lists.all(boundaryStatement(rest, size))[0]?.[0];
    if (end === undefined) {
      yield rest;
      return;
    }
    const name = String(end);
    if (rest.from === 'end') {
      yield { ...rest, after: position(name) };
      rest = { ...rest, before: position(next(name)) };
    } else {
      yield { ...rest, before: position(next(name)) };
      rest = { ...rest, after: position(name) };
    }
  }
}

/** The least text above a name: what is below it is the name or below the name. */
function next(name: string): string {
  return `${name}\0`;
}

function position(name: string): Position {
  return { name, id: '' };
}
