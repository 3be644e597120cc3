import type { KeptResult } from '../model/kept-result.ts';
import { type EqualityKey, type Keyring, usableKeys } from './keyring.ts';
import { hmac } from './mac.ts';
import { isSameText } from './same-text.ts';

// All under a key: whoever reads the database could otherwise try values until one gives the same digest.

/** What a call is found by, under one key. */
export interface CallDigests extends Pick<KeptResult, 'id' | 'principal'> {
  readonly key: EqualityKey;
  /** Equal for the same mutation and the same input alone. Computed for what is found, or is to be kept. */
  readonly input: () => string;
}

/**
 * A call under each key that another gateway may know, the active one first. A result is kept under each. While a key is
 * replaced, two gateways may have one of two keys, or both: what they write always meets under one of them, so that nobody makes
 * a call twice.
 */
export function digestsOfCall(
  principal: string,
  idempotencyKey: string,
  mutation: string,
  input: string,
  { equality }: Keyring,
): CallDigests[] {
  return usableKeys(equality).map((key) => ({
    key,
    principal,
    id: hmac(key, ['idempotency key', principal, idempotencyKey]),
    input: () => hmac(key, ['idempotent input', mutation, input]),
  }));
}

/** What the secret at this position of a call's result is found by, under the same key. */
export function idOfPart({ key, id }: CallDigests, position: number): string {
  return hmac(key, ['idempotent part', id, position]);
}

/** Under the same key as the rest of it. */
export function macOfResult(kept: Omit<KeptResult, 'mac'>, key: EqualityKey): string {
  const { id, principal, input, secretId, result, keptUntil } = kept;
  return hmac(key, ['idempotent result', 1, id, principal, input, secretId, result, keptUntil.getTime()]);
}

/** Something other than a gateway wrote what is kept of a call. */
export class ForgedResult extends Error {
  override readonly name = 'ForgedResult';
}

/** @throws ForgedResult */
export function requireGenuineResult(kept: KeptResult, key: EqualityKey): void {
  if (isSameText(kept.mac, macOfResult(kept, key))) return;
  throw new ForgedResult('the result of an idempotent call was changed in the database');
}
