import type { CheckResult } from './secret-health.ts';

/** Of an answer's body, read as JSON. */
export interface BodyRule {
  /** A JSON Pointer (RFC 6901). A segment `*` stands for each element of a list. At most 1,000 values are looked at. */
  readonly at: string;
  /** Any of them; left out: whatever is there. */
  readonly is?: readonly (string | number | boolean)[] | undefined;
  /** How keys begin that it is for; left out: all. */
  readonly forPrefixes?: readonly string[] | undefined;
  readonly result: CheckResult;
}

/** The cheapest request that a provider answers to good keys alone, and what its answers say of the key. */
export interface ProviderCheck {
  readonly method: 'GET' | 'POST';
  /** With the query. */
  readonly path: string;
  /** Besides that of the key. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  /**
   * By status. The first rule that holds counts; where none does, the answer says nothing about the key. Of any other status: 2xx
   * VALID, 401 REJECTED, 429 RATE_LIMITED, 5xx UNREACHABLE, others UNSUPPORTED. So 403 is no rejection unless a row says so: it is
   * mostly a good key that lacks a permission. 429 and 5xx are never a rejection, whatever a row says.
   */
  readonly results: Readonly<Record<number, CheckResult | readonly BodyRule[]>>;
  /** How keys begin of whom it cannot tell. */
  readonly notForPrefixes: readonly string[];
}
