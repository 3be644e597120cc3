import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { Destination } from '../model/destination.ts';
import type { Envelope, WrappedKey } from '../model/envelope.ts';
import { decodeBase64url } from './base64url.ts';
import { KeyMissing } from './key-missing.ts';
import { unwrapKey, wrapKey } from './key-wrap.ts';
import { type Keyring, usableKey, type WrapKey } from './keyring.ts';

/** What an envelope is bound to. It opens nowhere else. */
export interface Binding {
  /** As ownerKey() writes it. */
  owner: string;
  secretId: string;
  /** The version of the secret in which the value was set. */
  version: number;
  /** Where the value may be sent; null: nowhere. */
  destination: Omit<Destination, 'byHand'> | null;
}

/** The envelope is malformed, was changed, or is bound to something else. */
export class EnvelopeRejected extends Error {
  override readonly name = 'EnvelopeRejected';
}

const keyManagement = 'A256KW';
const contentEncryption = 'A256GCM';
const protectedHeader = Buffer.from(JSON.stringify({ enc: contentEncryption })).toString('base64url');
const cipher = 'aes-256-gcm';
const ivBytes = 12;
const tagBytes = 16;
/** Of a content key of 256 bits: RFC 3394 adds 8. */
const wrappedBytes = 40;
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * What the cipher authenticates beside the value (RFC 7516, section 5.1): the protected header and the binding, as a JSON
 * array, so that no two bindings share an encoding. It is rebuilt from the record on opening and never stored, so that an
 * envelope copied to another secret, owner, version or destination fails its authentication.
 */
function additionalData({ owner, secretId, version, destination }: Binding): Buffer {
  const place = destination && [destination.origin, destination.header, destination.format, destination.paths];
  const bound = JSON.stringify(['secrets-gateway envelope', 2, owner, secretId, version, place]);
  return Buffer.from(`${protectedHeader}.${Buffer.from(bound).toString('base64url')}`, 'latin1');
}

/**
 * Seals a value under the keyring's active key.
 *
 * A fresh content key encrypts each value (A256GCM), so that a nonce can never repeat under one key;
 * the active key only wraps content keys (A256KW, RFC 3394), which takes no nonce at all.
 * By hand, since jose takes four jobs of WebCrypto for it, and several times the CPU. jose opens what it makes.
 * @param value text, or the UTF-8 of one
 * @returns a flattened JWE (RFC 7516, section 7.2.2)
 */
export function seal(value: string | Uint8Array, binding: Binding, keyring: Keyring): Envelope {
  const { kid, key } = keyring.wrap.active;
  const contentKey = randomBytes(32);
  try {
    const iv = randomBytes(ivBytes);
    const gcm = createCipheriv(cipher, contentKey, iv).setAAD(additionalData(binding));
    const ciphertext = typeof value === 'string' ? gcm.update(value, 'utf8') : gcm.update(value);
    // The mode has no last block.
    gcm.final();
    return {
      protected: protectedHeader,
      header: { alg: keyManagement, kid },
      encrypted_key: wrapKey(contentKey, key).toString('base64url'),
      iv: iv.toString('base64url'),
      ciphertext: ciphertext.toString('base64url'),
      tag: gcm.getAuthTag().toString('base64url'),
    };
  } finally {
    contentKey.fill(0);
  }
}

/**
 * Opens an envelope where it was found.
 * @throws EnvelopeRejected when anything about it is not exactly as seal() made it for this binding
 * @throws KeyMissing when the keyring lacks its key
 */
export async function open(envelope: Envelope, binding: Binding, keyring: Keyring): Promise<string> {
  const value = await openBytes(envelope, binding, keyring);
  try {
    return decoder.decode(value);
  } catch {
    throw new EnvelopeRejected('the value is not UTF-8');
  }
}

/** The same without a string of the value, which could not be overwritten: its UTF-8. */
export async function openBytes(envelope: Envelope, binding: Binding, keyring: Keyring): Promise<Uint8Array> {
  const { key, encryptedKey, iv, ciphertext, tag } = checkedParts(envelope, keyring);
  try {
    const contentKey = unwrapKey(encryptedKey, key.key);
    const gcm = createDecipheriv(cipher, contentKey, iv, { authTagLength: tagBytes });
    contentKey.fill(0);
    gcm.setAAD(additionalData(binding)).setAuthTag(tag);
    const value = gcm.update(ciphertext);
    // The mode has no last block. Together they would be a second copy of the value.
    gcm.final();
    return value;
  } catch (error) {
    throw new EnvelopeRejected('the envelope does not open here', { cause: error });
  }
}

/**
 * Wraps a content key under the keyring's active key instead of the one that wraps it now. The value is neither read nor
 * needed: its binding is authenticated by the ciphertext, which does not change.
 * @throws EnvelopeRejected when the wrapped key was changed (A256KW authenticates it, RFC 3394, section 2.2.3)
 * @throws KeyMissing when the keyring lacks the key that wraps it
 */
export async function rewrap<Wrapped extends Pick<WrappedKey, 'kid' | 'encryptedKey'>>(
  wrapped: Wrapped,
  keyring: Keyring,
): Promise<Wrapped> {
  const key = usableKey(keyring.wrap, wrapped.kid);
  if (!key) throw new KeyMissing(wrapped.kid);
  const contentKey = unwrapped(bytesOf(wrapped.encryptedKey, wrappedBytes), key);
  const encryptedKey = wrapKey(contentKey, keyring.wrap.active.key).toString('base64url');
  contentKey.fill(0);
  return { ...wrapped, kid: keyring.wrap.active.kid, encryptedKey };
}

/**
 * Whether an envelope may open one day. It has no meaning to keep another: one that is malformed, or whose content key does not
 * unwrap. A key that the keyring lacks may be put back.
 */
export function mayOpen(envelope: Envelope, keyring: Keyring): boolean {
  try {
    const { key, encryptedKey } = checkedParts(envelope, keyring);
    unwrapped(encryptedKey, key).fill(0);
    return true;
  } catch (error) {
    if (error instanceof EnvelopeRejected) return false;
    if (error instanceof KeyMissing) return true;
    throw error;
  }
}

function unwrapped(encryptedKey: Buffer, { key }: WrapKey): Buffer {
  try {
    return unwrapKey(encryptedKey, key);
  } catch (error) {
    throw new EnvelopeRejected('the content key does not unwrap', { cause: error });
  }
}

interface Parts {
  readonly key: WrapKey;
  readonly encryptedKey: Buffer;
  readonly iv: Buffer;
  readonly ciphertext: Buffer;
  readonly tag: Buffer;
}

/**
 * The checks that AES-GCM does not make. `alg` and `kid` are outside the authenticated part, so they are compared with
 * fixed values and the keyring. The protected header is compared as a whole, which leaves no room for `zip` or `crit`.
 * Each part must be canonical base64url, so that an envelope has one form only. The lengths are fixed: OpenSSL would take
 * another nonce, and a tag of 4 bytes.
 */
function checkedParts({ protected: header, header: named, ...texts }: Envelope, keyring: Keyring): Parts {
  const isSound = named?.alg === keyManagement && typeof named.kid === 'string' && header === protectedHeader;
  if (!isSound) throw new EnvelopeRejected('the envelope is malformed');
  const [encryptedKey, iv, ciphertext, tag] = [
    bytesOf(texts.encrypted_key, wrappedBytes),
    bytesOf(texts.iv, ivBytes),
    bytesOf(texts.ciphertext),
    bytesOf(texts.tag, tagBytes),
  ];
  const key = usableKey(keyring.wrap, named.kid);
  if (!key) throw new KeyMissing(named.kid);
  return { key, encryptedKey, iv, ciphertext, tag };
}

function bytesOf(text: string, length?: number): Buffer {
  const bytes = typeof text === 'string' ? decodeBase64url(text) : null;
  if (!bytes || (length !== undefined && bytes.length !== length))
    throw new EnvelopeRejected('the envelope is malformed');
  return bytes;
}
