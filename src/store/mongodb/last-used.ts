const dayMs = 86_400_000;

interface LastUsed {
  readonly lastUsedAt: Date;
  /** The index for `notUsedSince` has the day alone, so that a use writes an entry of it once a day. */
  readonly lastUsedDay: Date;
}

/** What is stored of a secret's last use. */
export function lastUsedFields(at: Date): LastUsed {
  return { lastUsedAt: at, lastUsedDay: dayOf(at) };
}

/**
 * Matches what was last used before, or never. The day leads to them; the time decides. Where the day is not there or an earlier
 * one, as an older gateway leaves it, the same secrets match.
 */
export function notUsedSince(time: Date) {
  return { lastUsedAt: { $not: { $gte: time } }, lastUsedDay: { $not: { $gt: dayOf(time) } } };
}

function dayOf(time: Date): Date {
  return new Date(Math.floor(time.getTime() / dayMs) * dayMs);
}
