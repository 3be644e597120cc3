import { type ErrorCode, errorTable } from '../../src/errors.ts';
import type { LoadAnswer } from './load-client.ts';

/** What a client may be told while a store or a gateway fails. Everything else has a code of its own cause. */
const promised: readonly ErrorCode[] = ['SERVICE_UNAVAILABLE', 'GATEWAY_TIMEOUT'];

/** Codes that tell when to come back, in the header and in the body. */
const withRetryAfter: readonly ErrorCode[] = ['SERVICE_UNAVAILABLE', 'TOO_MANY_REQUESTS'];

/**
 * What is wrong with an error answer, or null when it is as promised: a code of the table that says what happened, with its
 * status and a request id, and `Retry-After` where it belongs.
 */
export function untypedPart({ status, headers, text, errors }: LoadAnswer): string | null {
  const [error, ...others] = errors;
  const shown = `${status} ${error?.extensions?.code ?? 'without a code'}: ${text.slice(0, 200)}`;
  if (!error || others.length > 0) return `not one error, ${shown}`;
  const { code, type, requestId, retryAfter } = error.extensions ?? {};
  if (!promised.includes(code as ErrorCode)) return `not promised, ${shown}`;
  const row = errorTable[code as ErrorCode];
  if (error.extensions.status !== row.status || status !== row.status) return `another status, ${shown}`;
  if (type !== row.type || !requestId || !error.message) return `not whole, ${shown}`;
  if (!withRetryAfter.includes(code as ErrorCode)) return null;
  const isTold = /^[1-9]\d*$/.test(headers['retry-after'] ?? '') && String(retryAfter) === headers['retry-after'];
  return isTold ? null : `no Retry-After, ${shown}`;
}
