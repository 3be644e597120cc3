import type { SecretFilter } from '../model/secret.ts';
import type { Position } from './position.ts';

/** Whether a filter lets every secret through, so that the owner's own count answers for it. */
export function isUnfiltered(filter: SecretFilter): boolean {
  return Object.keys(filter).length === 0;
}

export type NameCondition = readonly [operator: '=' | '>' | '>=' | '<', name: string];

/**
 * What a filter and a range ask of the name: at most one lower and one upper bound, the tighter of the two where both
 * apply, so that an index starts to read at the right place however deep a page lies.
 */
export function nameConditions(filter: SecretFilter, after?: Position, before?: Position): NameCondition[] {
  const conditions: NameCondition[] = [];
  if (filter.name !== undefined) conditions.push(['=', filter.name]);

  const prefix = filter.nameStartsWith ?? '';
  if (after && compareNames(after.name, prefix) >= 0) conditions.push(['>', after.name]);
  else if (prefix !== '') conditions.push(['>=', prefix]);

  const end = endOfPrefix(prefix);
  if (before && (end === undefined || compareNames(before.name, end) < 0)) conditions.push(['<', before.name]);
  else if (end !== undefined) conditions.push(['<', end]);
  return conditions;
}

/** The order of names is that of their UTF-8 bytes, which is the order of code points and not that of JavaScript's `<`. */
export function compareNames(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** The least string above all that begin with `prefix`; undefined when nothing is above them. */
export function endOfPrefix(prefix: string): string | undefined {
  const characters = [...prefix];
  for (let last = characters.pop(); last !== undefined; last = characters.pop()) {
    const next = nextCodePoint(last.codePointAt(0) ?? 0);
    if (next !== undefined) return characters.join('') + String.fromCodePoint(next);
  }
  return undefined;
}

/** Skips surrogates: a lone one is no character, and would be stored as U+FFFD. */
function nextCodePoint(codePoint: number): number | undefined {
  if (codePoint === 0x10ffff) return undefined;
  return codePoint === 0xd7ff ? 0xe000 : codePoint + 1;
}
