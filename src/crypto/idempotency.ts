import { timingSafeEqual } from 'node:crypto';
import type { KeptResult } from '../model/kept-result.ts';
import type { Keyring } from './keyring.ts';
import { hmac } from './mac.ts';

// All under the key for equality: it is one and the same on every gateway, also while MAC keys are rotated. With two keys the
// same call could be made twice. Without a key, whoever reads the database could try values until one gives the same digest.

/** What a call is found by. */
export function idOfCall(principal: string, idempotencyKey: string, { equality }: Keyring): string {
  return hmac(equality.active, 'idempotency key', [principal, idempotencyKey]).toString('base64url');
}

/** Equal for the same mutation and the same input alone. */
export function digestOfInput(mutation: string, input: string, { equality }: Keyring): string {
  return hmac(equality.active, 'idempotent input', [mutation, input]).toString('base64url');
}

export function macOfResult(kept: Omit<KeptResult, 'mac'>, { equality }: Keyring): string {
  const { id, principal, input, secretId, result, keptUntil } = kept;
  const fields = [1, id, principal, input, secretId, result, keptUntil.getTime()];
  return hmac(equality.active, 'idempotent result', fields).toString('base64url');
}

/** Something other than a gateway wrote what is kept of a call. */
export class ForgedResult extends Error {
  override readonly name = 'ForgedResult';
}

/** @throws ForgedResult */
export function requireGenuineResult(kept: KeptResult, keyring: Keyring): void {
  const [stored, own] = [Buffer.from(kept.mac), Buffer.from(macOfResult(kept, keyring))];
  if (stored.length === own.length && timingSafeEqual(stored, own)) return;
  throw new ForgedResult('the result of an idempotent call was changed in the database');
}
