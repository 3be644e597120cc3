import { createPublicKey, diffieHellman, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { isCoordinate, isCurve, keyManagement, publicMembers } from './key-agreement.ts';
import type { SealCurve } from './keyring.ts';

/** A public key that values are sealed to. */
export interface Recipient {
  readonly curve: SealCurve;
  readonly key: KeyObject;
}

/** So many members has no public key, and so much text no member of one: a chain of certificates is the longest. */
const [maxMembers, maxItems, maxText] = [24, 16, 8192];
/** Of a private or a symmetric key, of any type (RFC 7518, section 6). */
const privateMembers = ['d', 'k', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'priv'];
/** An ephemeral key of the sender is agreed on with this one. Most public keys name no operation. */
const operations: readonly unknown[] = ['deriveKey', 'deriveBits'];

/**
 * The key of a JWK that values can be sealed to: X25519 or P-256, public, on its curve, and of large order. Other members
 * than those of the key are ignored, as RFC 7517 asks, as long as they are such as a JWK has. What is looked at is bounded.
 * @returns null for anything else
 */
export function recipientOf(jwk: unknown): Recipient | null {
  if (typeof jwk !== 'object' || jwk === null || Array.isArray(jwk) || !isFlat(jwk)) return null;
  const member = (name: string): unknown => (Object.hasOwn(jwk, name) ? Reflect.get(jwk, name) : undefined);
  const crv = member('crv');
  if (!isCurve(crv) || member('kty') !== publicMembers[crv].kty || !isForAgreement(member)) return null;
  // Who sends a private key has made a mistake that must not pass unnoticed.
  if (privateMembers.some((name) => Object.hasOwn(jwk, name))) return null;
  const key: Record<string, string> = { kty: publicMembers[crv].kty, crv };
  for (const name of publicMembers[crv].names) {
    const coordinate = member(name);
    if (!isCoordinate(coordinate)) return null;
    key[name] = coordinate;
  }
  return soundKey(crv, key);
}

/** Whether a JWK is as large as one may be: texts, lists of texts, and what is no object. */
function isFlat(jwk: object): boolean {
  const members = Object.entries(jwk);
  return members.length <= maxMembers && members.every(([name, value]) => name.length <= maxText && isShort(value));
}

function isShort(value: unknown): boolean {
  if (typeof value === 'string') return value.length <= maxText;
  if (!Array.isArray(value)) return value === null || typeof value !== 'object';
  return value.length <= maxItems && value.every((item) => typeof item === 'string' && item.length <= maxText);
}

/** `use`, `alg` and `key_ops`, where they are there, must fit (RFC 7517, sections 4.2 to 4.4). */
function isForAgreement(member: (name: string) => unknown): boolean {
  const [use, alg, keyOps] = [member('use'), member('alg'), member('key_ops')];
  if (use !== undefined && use !== 'enc') return false;
  if (alg !== undefined && alg !== keyManagement) return false;
  if (keyOps === undefined) return true;
  return Array.isArray(keyOps) && keyOps.every((name) => operations.includes(name));
}

/** To try a key with. */
const probes: Readonly<Record<SealCurve, KeyObject>> = {
  X25519: generateKeyPairSync('x25519').privateKey,
  'P-256': generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
};

function soundKey(curve: SealCurve, jwk: Readonly<Record<string, string>>): Recipient | null {
  if (curve === 'X25519' && !isReduced(Buffer.from(String(jwk.x), 'base64url'))) return null;
  try {
    const key = createPublicKey({ format: 'jwk', key: jwk });
    // With a point of small order everybody would have the same shared secret. The agreement refuses it.
    diffieHellman({ privateKey: probes[curve], publicKey: key });
    return { curve, key };
  } catch {
    return null;
  }
}

const prime25519 = 2n ** 255n - 19n;

/** Whether a coordinate is the one form of its number (RFC 7748, section 5, also takes others). */
function isReduced(littleEndian: Buffer): boolean {
  return BigInt(`0x${littleEndian.reverse().toString('hex')}`) < prime25519;
}
