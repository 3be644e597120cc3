import type { BodyRule, ProviderCheck } from '../../model/provider-check.ts';
import type { CheckResult } from '../../model/secret-health.ts';

/** Whether the body of an answer with this status says something about the key. */
export function needsBody(status: number, { results }: Pick<ProviderCheck, 'results'>): boolean {
  return typeof ofStatus(status, results) === 'object';
}

/** An answer to a check of a key. */
export interface CheckAnswer {
  readonly status: number;
  /** null: it is too long to be read, or not needed. */
  readonly body: string | null;
  readonly key: string;
}

/** What an answer says about a key. An outage and a rate limit never say that it is rejected, whatever a row has. */
export function resultOf({ status, body, key }: CheckAnswer, { results }: Pick<ProviderCheck, 'results'>): CheckResult {
  const said = ofStatus(status, results);
  const result = typeof said === 'object' ? byRules(body, key, said) : said;
  return result === 'REJECTED' && isNoVerdict(status) ? usual(status) : (result ?? usual(status));
}

/** Statuses that are never about the key. */
export function isNoVerdict(status: number): boolean {
  return status === 429 || status >= 500;
}

function ofStatus(status: number, results: ProviderCheck['results']): CheckResult | readonly BodyRule[] | undefined {
  return Object.hasOwn(results, status) ? results[status] : undefined;
}

function usual(status: number): CheckResult {
  if (status >= 200 && status < 300) return 'VALID';
  if (status === 401) return 'REJECTED';
  if (status === 429) return 'RATE_LIMITED';
  return status >= 500 ? 'UNREACHABLE' : 'UNSUPPORTED';
}

function byRules(body: string | null, key: string, rules: readonly BodyRule[]): CheckResult {
  const json = body === null ? undefined : parsed(body);
  if (json === undefined) return 'UNSUPPORTED';
  const isForKey = ({ forPrefixes }: BodyRule) => forPrefixes?.some((prefix) => key.startsWith(prefix)) ?? true;
  return rules.find((rule) => isForKey(rule) && holds(rule, json))?.result ?? 'UNSUPPORTED';
}

/** @returns undefined for what is no JSON */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function holds({ at, is }: BodyRule, json: unknown): boolean {
  const found = valuesAt(json, at.split('/').slice(1).map(unescaped));
  if (!is) return found.length > 0;
  const values = new Set<unknown>(is);
  return found.some((value) => values.has(value));
}

/** RFC 6901, section 4. */
function unescaped(segment: string): string {
  return segment.replaceAll('~1', '/').replaceAll('~0', '~');
}

/** So many values of a body are looked at for a rule: no provider has more, and others must not wait for it. */
const maxValues = 1000;

function valuesAt(json: unknown, segments: readonly string[]): unknown[] {
  let values: unknown[] = [json];
  for (const segment of segments) {
    values = values.flatMap((value) => childrenOf(value, segment)).slice(0, maxValues);
  }
  return values;
}

function childrenOf(value: unknown, segment: string): unknown[] {
  if (typeof value !== 'object' || value === null) return [];
  if (Array.isArray(value)) {
    if (segment === '*') return value.slice(0, maxValues);
    return /^(?:0|[1-9]\d{0,8})$/.test(segment) && Number(segment) < value.length ? [value[Number(segment)]] : [];
  }
  return Object.hasOwn(value, segment) ? [(value as Record<string, unknown>)[segment]] : [];
}
