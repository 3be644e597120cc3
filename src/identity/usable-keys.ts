import { createPublicKey, type KeyObject } from 'node:crypto';
import { isObject } from './list-claim.ts';

/** A key that signatures can be verified with. */
export interface UsableKey {
  readonly kid: string | undefined;
  /** Signature algorithms (RFC 7518, RFC 9864) of tokens that it can verify. */
  readonly algorithms: readonly string[];
  readonly key: KeyObject;
  /** Equal for equal keys. */
  readonly text: string;
}

/** Why a key in a set is not used. */
export type KeyFault =
  | 'not-an-object'
  | 'symmetric'
  | 'private'
  | 'certificate-only'
  | 'unknown-type'
  | 'incomplete'
  | 'rsa-too-small'
  | 'use'
  | 'key-ops'
  | 'alg'
  | 'too-many';

export interface UnusableKey {
  readonly index: number;
  readonly kid: string | undefined;
  readonly reason: KeyFault;
}

export interface KeysOfSet {
  readonly usable: readonly UsableKey[];
  /** Without those that the issuer publishes for another use, such as encryption. */
  readonly unusable: readonly UnusableKey[];
}

/** Reading them takes a moment in which nothing else runs. */
const maxKeys = 300;

/** Splits a JWK set (RFC 7517) into keys that can be used, and others. */
export function keysOfSet(keys: readonly unknown[]): KeysOfSet {
  const usable = new Map<string, UsableKey>();
  const unusable: UnusableKey[] = [];
  for (const [index, jwk] of keys.entries()) {
    if (isObject(jwk) && jwk.use === 'enc') continue;
    const read = usable.size < maxKeys ? readKey(jwk) : 'too-many';
    // A key that is published twice is one key.
    if (typeof read === 'object') usable.set(read.text, read);
    else unusable.push({ index, kid: isObject(jwk) ? textOf(jwk.kid) : undefined, reason: read });
  }
  return { usable: [...usable.values()], unusable };
}

const publicMembers = { EC: ['crv', 'x', 'y'], OKP: ['crv', 'x'], RSA: ['n', 'e'] } as const;
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth'];
const minRsaBits = 2048;

function readKey(jwk: unknown): UsableKey | KeyFault {
  if (!isObject(jwk)) return 'not-an-object';
  const { kty, kid, use, key_ops: operations, alg } = jwk;
  if (kty === 'oct') return 'symmetric';
  if (kty !== 'EC' && kty !== 'OKP' && kty !== 'RSA') return 'unknown-type';
  // Whoever can read the set can sign with it: its signatures prove nothing.
  if (privateMembers.some((member) => Object.hasOwn(jwk, member))) return 'private';
  if (use !== undefined && use !== 'sig') return 'use';
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) return 'key-ops';
  const members = publicMembers[kty];
  if (!members.every((member) => typeof jwk[member] === 'string')) {
    return jwk.x5c === undefined ? 'incomplete' : 'certificate-only';
  }
  const material = { kty, ...Object.fromEntries(members.map((member) => [member, jwk[member]])) };
  let key: KeyObject;
  try {
    key = createPublicKey({ key: material, format: 'jwk' });
  } catch {
    return 'incomplete';
  }
  const algorithms = algorithmsOf(key);
  if (algorithms.length === 0) return isRsa(key) ? 'rsa-too-small' : 'unknown-type';
  const named = alg === undefined ? algorithms : algorithms.filter((algorithm) => isSame(algorithm, alg));
  if (named.length === 0) return 'alg';
  const text = JSON.stringify([material, kid, alg]);
  return { kid: textOf(kid), algorithms: named, key, text };
}

function algorithmsOf(key: KeyObject): readonly string[] {
  const { namedCurve = '', modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {};
  if (isRsa(key)) {
    // With an exponent of 1 anybody can sign.
    return modulusLength >= minRsaBits && publicExponent >= 3n
      ? ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']
      : [];
  }
  if (key.asymmetricKeyType === 'ed25519') return ['EdDSA', 'Ed25519'];
  const curves: Record<string, string> = { prime256v1: 'ES256', secp384r1: 'ES384', secp521r1: 'ES512' };
  return [curves[namedCurve]].filter((algorithm) => algorithm !== undefined);
}

function isRsa(key: KeyObject): boolean {
  return key.asymmetricKeyType === 'rsa';
}

/** EdDSA with a key on this curve is Ed25519 (RFC 9864): a key with either name verifies both. */
function isSame(algorithm: string, alg: unknown): boolean {
  return algorithm === alg || (algorithm.startsWith('Ed') && (alg === 'EdDSA' || alg === 'Ed25519'));
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
