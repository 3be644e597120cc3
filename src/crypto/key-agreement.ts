import { hash } from 'node:crypto';
import { isCanonicalBase64url } from './base64url.ts';
import type { SealCurve } from './keyring.ts';

// What sealed input and sealed delivery have in common: JWE with ECDH-ES+A256KW (RFC 7518, section 4.6).

export const keyManagement = 'ECDH-ES+A256KW';
export const contentEncryption = 'A256GCM';

/** The members of a public key (RFC 7518, section 6.2.1; RFC 8037, section 2). */
export const publicMembers: Readonly<Record<SealCurve, { readonly kty: string; readonly names: readonly string[] }>> = {
  X25519: { kty: 'OKP', names: ['x'] },
  'P-256': { kty: 'EC', names: ['x', 'y'] },
};

export function isCurve(crv: unknown): crv is SealCurve {
  return crv === 'X25519' || crv === 'P-256';
}

/** 32 bytes, in the one form. */
export function isCoordinate(value: unknown): value is string {
  return typeof value === 'string' && value.length === 43 && isCanonicalBase64url(value);
}

/** The one step of the key derivation (RFC 7518, section 4.6.2): `apu` and `apv` are empty, the key has 256 bits. */
export function wrappingKeyFrom(agreed: Buffer): Buffer {
  const input = Buffer.concat([step, agreed, otherInfo]);
  // An object of Hash takes four times as long.
  const key = hash('sha256', input, 'buffer');
  input.fill(0);
  return key;
}

const step = uint32(1);
const otherInfo = Buffer.concat([
  uint32(keyManagement.length),
  Buffer.from(keyManagement),
  uint32(0),
  uint32(0),
  uint32(256),
]);

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
