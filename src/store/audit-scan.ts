import type { AuditEvent, AuditEventType, AuditFilter } from '../model/audit-event.ts';
import type { AuditPage, AuditQuery, ChainState } from './audit.ts';

/** Sequences, both inclusive. */
export interface Range {
  readonly first: number;
  readonly last: number;
}

/** How a store looks at the chain of the query's owner. */
export interface ChainReader {
  /** Events that are looked at in one call. */
  readonly sliceSize: number;
  chain(): Promise<ChainState>;
  /** The events of the range that match the filter, from the end of it that the query names, in that order. */
  matching(range: Range, limit: number): Promise<AuditEvent[]>;
  countMatching(range: Range): Promise<number>;
  /**
   * Of the secret that the filter names, and of the types that `indexedTypes` tells: how many events a slice of the range has, at
   * most `limit`, and the last of them.
   */
  sliceOfSecret(range: Range, limit: number): Promise<{ readonly events: number; readonly end: number }>;
  /** When the event with this sequence was, or the next one that is there. */
  timeAt(sequence: number): Promise<Date | undefined>;
}

/** A secret has far more uses than other events. They would only make the index larger, and each use slower. */
export const typeWithoutIndex: AuditEventType = 'secret.used';

/**
 * The types that an index finds among all events of the filter's secret: null where its events are looked at one after the other.
 * The index has the types before `typeWithoutIndex` in the order of text.
 */
export function indexedTypes({ secretId, types }: AuditFilter): readonly AuditEventType[] | null {
  return secretId !== undefined && types?.every((type) => type < typeWithoutIndex) ? types : null;
}

/**
 * A page of a chain. Indexes lead to the events of one secret, and to those of its events that are no uses, by type; other filters look at the events of the range one after the
 * other, in slices, so that the work between two of them is bounded and each is counted.
 */
export async function listEvents(query: AuditQuery, reader: ChainReader): Promise<AuditPage> {
  const { filter, after = 0, before = Number.POSITIVE_INFINITY, limit, count } = query;
  const chain = await reader.chain();
  const whole = await inTime(query, chain, reader);
  const range = { first: Math.max(whole.first, after + 1), last: Math.min(whole.last, before - 1) };
  const events = limit === 0 ? [] : await page(query, range, reader);
  const hasMore = events.length > limit;
  if (hasMore) events.pop();
  if (query.from === 'end') events.reverse();
  const isWhole = Object.keys(filter).length === 0;
  return {
    events,
    hasMore,
    totalCount: count ? (isWhole ? chain.head.sequence : await total(query, whole, reader)) : null,
  };
}

/** One more than the limit tells whether there are more. */
async function page(query: AuditQuery, range: Range, reader: ChainReader): Promise<AuditEvent[]> {
  const wanted = query.limit + 1;
  if (!isScan(query)) return range.first > range.last ? [] : reader.matching(range, wanted);
  const events: AuditEvent[] = [];
  for await (const slice of slices(query, range, reader)) {
    events.push(...(await reader.matching(slice, wanted - events.length)));
    if (events.length === wanted) break;
  }
  return events;
}

async function total(query: AuditQuery, range: Range, reader: ChainReader): Promise<number> {
  let count = 0;
  for await (const slice of slices(query, range, reader)) {
    count += isScan(query) ? await reader.countMatching(slice) : slice.events;
  }
  return count;
}

/** Whether events have to be looked at that do not match. */
function isScan({ filter }: AuditQuery): boolean {
  const { secretId: _secretId, types, ...others } = filter;
  return Object.keys(others).length > 0 || (types !== undefined && indexedTypes(filter) === null);
}

async function* slices(
  query: AuditQuery,
  range: Range,
  reader: ChainReader,
): AsyncGenerator<Range & { events: number }> {
  const isDown = query.from === 'end';
  for (let rest = range; rest.first <= rest.last; ) {
    const { events, end } = await sliceOf(query, rest, reader);
    query.onScan?.(events);
    if (events > 0) yield { ...(isDown ? { ...rest, first: end } : { ...rest, last: end }), events };
    if (events < reader.sliceSize) return;
    rest = isDown ? { ...rest, last: end - 1 } : { ...rest, first: end + 1 };
  }
}

async function sliceOf({ filter, from }: AuditQuery, { first, last }: Range, reader: ChainReader) {
  const { sliceSize } = reader;
  if (filter.secretId !== undefined) return reader.sliceOfSecret({ first, last }, sliceSize);
  const events = Math.min(sliceSize, last - first + 1);
  return { events, end: from === 'end' ? last - events + 1 : first + events - 1 };
}

/**
 * The part of the chain outside of which no event is in the time of the filter. An event may be earlier than one before it,
 * by `maxLagMs` at most. So what is before an event that is earlier than `since` by more than that is too early, too, and
 * what is after an event that is that much later than `until` is too late.
 */
async function inTime(query: AuditQuery, chain: ChainState, reader: ChainReader): Promise<Range> {
  const { since, until } = query.filter;
  const [lagMs, end] = [chain.maxLagMs, chain.head.sequence];
  const isTooEarly = (at: Date) => since !== undefined && at.getTime() + lagMs < since.getTime();
  const isTooLate = (at: Date) => until !== undefined && at.getTime() - lagMs >= until.getTime();
  return {
    first: since ? 1 + (await lastWhere(end, isTooEarly, reader)) : 1,
    last: until ? await lastWhere(end, (at) => !isTooLate(at), reader) : end,
  };
}

/** The last event of which this is true, by bisection: 0 where it is true of none. */
async function lastWhere(end: number, is: (at: Date) => boolean, reader: ChainReader): Promise<number> {
  let [below, above] = [0, end + 1];
  while (above - below > 1) {
    const middle = Math.floor((below + above) / 2);
    const at = await reader.timeAt(middle);
    if (at && is(at)) below = middle;
    else above = middle;
  }
  return below;
}
