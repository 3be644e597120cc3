import {
  createCipheriv,
  createHash,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  randomUUID,
} from 'node:crypto';
import type { JWK } from 'jose';

/** A sealing key as it is published. */
export interface Published {
  readonly kid: string;
  readonly alg: string;
  readonly jwk: JWK;
}

export interface ByHand {
  /** Members of the protected header beside, or instead of, those of a sound one. Undefined leaves a member out. */
  readonly header?: Readonly<Record<string, unknown>>;
  /** Makes another text of the header's. */
  readonly text?: (json: string) => string;
  /** By default a new pair on the curve of the key. */
  readonly ephemeral?: { readonly publicKey: KeyObject; readonly privateKey: KeyObject };
  /** The shared secret, where no key pair has one. */
  readonly agreed?: Buffer;
}

export function secondsFromNow(seconds = 0): number {
  return Math.floor(Date.now() / 1000) + seconds;
}

/** A sound header but for what it is sealed to: for a new secret of ada's. */
export function soundHeader(): Record<string, unknown> {
  return {
    alg: 'ECDH-ES+A256KW',
    enc: 'A256GCM',
    typ: 'sealed-secret+jwe',
    iat: secondsFromNow(),
    exp: secondsFromNow(300),
    jti: randomUUID(),
    sub: 'ada',
    owner: {},
    name: 'OPENAI_API_KEY',
  };
}

/** Seals as RFC 7516 and RFC 7518 say, without a library, so that any part of it can be wrong. */
export function sealByHand(
  value: string | Buffer,
  { kid, jwk }: Published,
  { header, text = (json) => json, ephemeral = pairOn(jwk), agreed }: ByHand = {},
): string {
  const epk = ephemeral.publicKey.export({ format: 'jwk' });
  const protectedHeader = encode(text(JSON.stringify({ ...soundHeader(), kid, epk, ...header })));
  const secret = agreed ?? diffieHellman({ privateKey: ephemeral.privateKey, publicKey: publicKeyOf(jwk) });
  const algorithm = Buffer.from('ECDH-ES+A256KW');
  const info = [uint32(algorithm.length), algorithm, uint32(0), uint32(0), uint32(256)];
  const key = createHash('sha256')
    .update(Buffer.concat([uint32(1), secret, ...info]))
    .digest();
  const [contentKey, iv] = [randomBytes(32), randomBytes(12)];
  const wrap = createCipheriv('id-aes256-wrap', key, Buffer.alloc(8, 0xa6));
  const wrapped = Buffer.concat([wrap.update(contentKey), wrap.final()]);
  const cipher = createCipheriv('aes-256-gcm', contentKey, iv).setAAD(Buffer.from(protectedHeader));
  const ciphertext = Buffer.concat([cipher.update(value), cipher.final()]);
  return [protectedHeader, ...[wrapped, iv, ciphertext, cipher.getAuthTag()].map(encode)].join('.');
}

export function pairOn({ crv }: JWK): { readonly publicKey: KeyObject; readonly privateKey: KeyObject } {
  return crv === 'X25519' ? generateKeyPairSync('x25519') : generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

function publicKeyOf({ kty = '', crv = '', x = '', y }: JWK): KeyObject {
  return createPublicKey({ key: { kty, crv, x, ...(y !== undefined && { y }) }, format: 'jwk' });
}

export function encode(bytes: string | Buffer): string {
  return Buffer.from(bytes as string).toString('base64url');
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
