import type { DatabaseSync } from 'node:sqlite';
import { unknownKid } from '../../model/envelope.ts';
import type { Keyed, KidCounts } from '../kid-counts.ts';
import { placesAfter, positionIn } from '../positions.ts';
import { wrappedKeyColumns } from './rows.ts';
import { forEachPlace, sealedPlaces } from './sealed-places.ts';

export type CountKids = (of: Keyed, after: string, limit: number) => KidCounts;

/** Each counts the keys of one range, whose rows have a `kid` and a `place` that grows. */
const counted = (range: string) => `SELECT kid, count(*) AS count, max(place) AS last FROM (${range}) GROUP BY kid`;

/** Prepares the counts of what needs each key. */
export function prepareKidCounts(database: DatabaseSync): CountKids {
  const envelopes = forEachPlace(({ envelopes: { table, id } }) =>
    database.prepare(
      counted(`
        SELECT iif(typeof(kid) = 'text' AND typeof(encrypted_key) = 'text', kid, '${unknownKid}') AS kid, place
        FROM (SELECT ${id} AS place, ${wrappedKeyColumns} FROM ${table} WHERE ${id} > ? ORDER BY ${id} LIMIT ?)`),
    ),
  );
  const records = forEachPlace(({ records: { table, id } }) =>
    database.prepare(
      counted(`SELECT mac_kid AS kid, ${id} AS place FROM ${table} WHERE ${id} > ? ORDER BY ${id} LIMIT ?`),
    ),
  );
  const apiKeys = database.prepare(
    counted('SELECT mac_kid AS kid, hash AS place FROM api_keys WHERE hash > ? ORDER BY hash LIMIT ?'),
  );
  const events = database.prepare(
    counted(`
      SELECT kid, row_number() OVER (ORDER BY owner, sequence) AS place
      FROM (SELECT kid, owner, sequence FROM audit WHERE (owner, sequence) > (?, ?) ORDER BY owner, sequence LIMIT ?)`),
  );
  const eventAt = database.prepare(`
    SELECT owner, sequence FROM audit WHERE (owner, sequence) > (?, ?) ORDER BY owner, sequence LIMIT 1 OFFSET ?`);

  const digests = database.prepare(
    counted(`
      SELECT coalesce(kid, '${unknownKid}') AS kid, id AS place FROM secrets LEFT JOIN secret_digests ON secret_id = id
      WHERE id > ? AND sealed_version IS NOT NULL ORDER BY id LIMIT ?`),
  );

  function countEvents(after: string, limit: number): KidCounts {
    const [owner, sequence] = after === '' ? ['', 0] : (JSON.parse(after) as [string, number]);
    const { counts, last } = countsOf(events.all(owner, sequence, limit));
    const end = last === null ? undefined : eventAt.get(owner, sequence, Number(last) - 1);
    return { counts, last: end ? JSON.stringify([end.owner, end.sequence]) : null };
  }

  return (of, after, limit) => {
    if (of === 'events') return countEvents(after, limit);
    if (of === 'digests') return countsOf(digests.all(after, limit));
    if (of === 'apiKeys') return countsOf(apiKeys.all(after, limit));
    const statements = { envelopes, records }[of];
    for (const [place, afterId] of placesAfter(sealedPlaces, after)) {
      const { counts, last } = countsOf(statements[place].all(afterId, limit));
      if (last !== null) return { counts, last: positionIn(place, last) };
    }
    return { counts: new Map(), last: null };
  };
}

function countsOf(rows: readonly Record<string, unknown>[]): KidCounts {
  let last: string | number | null = null;
  for (const row of rows) {
    const place = row.last as string | number;
    if (last === null || place > last) last = place;
  }
  return {
    counts: new Map(rows.map(({ kid, count }) => [String(kid), Number(count)])),
    last: last === null ? null : String(last),
  };
}
