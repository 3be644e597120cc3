import { createPublicKey, type KeyObject } from 'node:crypto';
import { isCoordinate, isCurve, keyManagement, publicMembers } from './key-agreement.ts';
import type { SealCurve } from './keyring.ts';

/** A public key that values are sealed to. */
export interface Recipient {
  readonly curve: SealCurve;
  readonly key: KeyObject;
}

/** Bounds of what is looked at, above those of any public key: its longest member is a chain of certificates. */
const [maxMembers, maxItems, maxText] = [24, 16, 8192];
/** Of a private or a symmetric key, of any type (RFC 7518, section 6). */
const privateMembers = ['d', 'k', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'priv'];
/** The operations of a key for ECDH-ES. Most public keys name none. */
const operations: readonly unknown[] = ['deriveKey', 'deriveBits'];

/**
 * The key of a JWK that values can be sealed to: X25519 or P-256, public, on its curve, and of large order. Other members
 * than those of the key are ignored, as RFC 7517 asks, as long as a JWK may have them. What is looked at is bounded.
 * @returns null for anything else
 */
export function recipientOf(jwk: unknown): Recipient | null {
  if (typeof jwk !== 'object' || jwk === null || Array.isArray(jwk) || !isFlat(jwk)) return null;
  const member = (name: string): unknown => (Object.hasOwn(jwk, name) ? Reflect.get(jwk, name) : undefined);
  const crv = member('crv');
  if (!isCurve(crv) || member('kty') !== publicMembers[crv].kty || !isForAgreement(member)) return null;
  // Sending a private key is a mistake that the sender must notice.
  if (privateMembers.some((name) => Object.hasOwn(jwk, name))) return null;
  const key: Record<string, string> = { kty: publicMembers[crv].kty, crv };
  for (const name of publicMembers[crv].names) {
    const coordinate = member(name);
    if (!isCoordinate(coordinate)) return null;
    key[name] = coordinate;
  }
  return soundKey(crv, key);
}

/** Whether a JWK is within the bounds, and has no member with members of its own. */
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

function soundKey(curve: SealCurve, jwk: Readonly<Record<string, string>>): Recipient | null {
  if (curve === 'X25519' && !isSoundCoordinate(Buffer.from(String(jwk.x), 'base64url'))) return null;
  try {
    // OpenSSL refuses a point that is not on P-256, where every other point is sound.
    return { curve, key: createPublicKey({ format: 'jwk', key: jwk }) };
  } catch {
    return null;
  }
}

const prime25519 = 2n ** 255n - 19n;

/**
 * The coordinates of the points of small order, on the curve and on its twist (https://cr.yp.to/ecdh.html#validate). With one of
 * them everybody would have the same shared secret. To try an agreement would tell as much, and takes as long as a seal.
 */
const ofSmallOrder: ReadonlySet<bigint> = new Set([
  0n,
  1n,
  prime25519 - 1n,
  325606250916557431795983626356110631294008115727848805560023387167927233504n,
  39382357235489614581723060781553021112529911719440698176882885853963445705823n,
]);

/** Whether it is the one form of its number (RFC 7748, section 5, also takes others), and that of a point of large order. */
function isSoundCoordinate(littleEndian: Buffer): boolean {
  const coordinate = BigInt(`0x${littleEndian.reverse().toString('hex')}`);
  return coordinate < prime25519 && !ofSmallOrder.has(coordinate);
}
