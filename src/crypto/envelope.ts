import { base64url, errors, FlattenedEncrypt, flattenedDecrypt } from 'jose';
import type { Destination } from '../model/destination.ts';
import type { Envelope, WrappedKey } from '../model/envelope.ts';
import { isCanonicalBase64url } from './base64url.ts';
import { KeyMissing } from './key-missing.ts';
import { type Keyring, usableKey, type WrapKey } from './keyring.ts';

/** What an envelope is bound to. It opens nowhere else. */
export interface Binding {
  /** As ownerKey() writes it. */
  owner: string;
  secretId: string;
  /** The version of the secret in which the value was set. */
  version: number;
  /** Where the value may be sent; null: nowhere. */
  destination: Destination | null;
}

/** The envelope is malformed, was changed, or is bound to something else. */
export class EnvelopeRejected extends Error {
  override readonly name = 'EnvelopeRejected';
}

const keyManagement = 'A256KW';
const contentEncryption = 'A256GCM';
const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * The additional authenticated data: a JSON array, so that no two bindings share an encoding.
 * It is rebuilt from the record on opening and never stored, so that an envelope copied to another
 * secret, owner, version or destination fails its authentication.
 */
function additionalData({ owner, secretId, version, destination }: Binding): Uint8Array {
  const place = destination && [destination.origin, destination.header, destination.format, destination.paths];
  return encoder.encode(JSON.stringify(['secrets-gateway envelope', 2, owner, secretId, version, place]));
}

/**
 * Seals a value under the keyring's active key.
 *
 * A fresh content key encrypts each value (A256GCM), so that a nonce can never repeat under one key;
 * the active key only wraps content keys (A256KW, RFC 3394), which takes no nonce at all.
 * @returns a flattened JWE (RFC 7516, section 7.2.2)
 */
export async function seal(value: string, binding: Binding, keyring: Keyring): Promise<Envelope> {
  const jwe = await new FlattenedEncrypt(encoder.encode(value))
    .setProtectedHeader({ enc: contentEncryption })
    .setUnprotectedHeader({ alg: keyManagement, kid: keyring.wrap.active.kid })
    .setAdditionalAuthenticatedData(additionalData(binding))
    .encrypt(keyring.wrap.active.key);
  const { protected: protectedHeader, encrypted_key, iv, ciphertext, tag } = jwe;
  if (!protectedHeader || !encrypted_key || !iv || !tag) throw new Error('jose left out a part of the envelope');
  return {
    protected: protectedHeader,
    header: { alg: keyManagement, kid: keyring.wrap.active.kid },
    encrypted_key,
    iv,
    ciphertext,
    tag,
  };
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
  const key = checkedKey(envelope, keyring);
  const { protected: protectedHeader, header, encrypted_key, iv, ciphertext, tag } = envelope;
  try {
    const { plaintext } = await flattenedDecrypt(
      {
        protected: protectedHeader,
        header: { alg: header.alg, kid: header.kid },
        encrypted_key,
        iv,
        ciphertext,
        tag,
        aad: base64url.encode(additionalData(binding)),
      },
      key.key,
      { keyManagementAlgorithms: [keyManagement], contentEncryptionAlgorithms: [contentEncryption] },
    );
    return plaintext;
  } catch (error) {
    if (error instanceof errors.JOSEError || error instanceof TypeError) {
      throw new EnvelopeRejected('the envelope does not open here');
    }
    throw error;
  }
}

/**
 * Wraps a content key under the keyring's active key instead of the one that wraps it now. The value is neither read nor
 * needed: its binding is authenticated by the ciphertext, which does not change.
 * @throws EnvelopeRejected when the wrapped key was changed (A256KW authenticates it, RFC 3394, section 2.2.3)
 * @throws KeyMissing when the keyring lacks the key that wraps it
 */
export async function rewrap(wrapped: WrappedKey, keyring: Keyring): Promise<WrappedKey> {
  const key = usableKey(keyring.wrap, wrapped.kid);
  if (!key) throw new KeyMissing(wrapped.kid);
  if (!isCanonicalBase64url(wrapped.encryptedKey)) throw new EnvelopeRejected('the envelope is malformed');
  const contentKey = await crypto.subtle
    // Extractable, since wrapKey exports it. It exists for this one call.
    .unwrapKey('raw', Buffer.from(wrapped.encryptedKey, 'base64url'), key.key, 'AES-KW', 'AES-GCM', true, ['decrypt'])
    .catch((error: unknown) => {
      throw new EnvelopeRejected('the content key does not unwrap', { cause: error });
    });
  const encryptedKey = await crypto.subtle.wrapKey('raw', contentKey, keyring.wrap.active.key, 'AES-KW');
  return { ...wrapped, kid: keyring.wrap.active.kid, encryptedKey: Buffer.from(encryptedKey).toString('base64url') };
}

const protectedHeaderText = base64url.encode(JSON.stringify({ enc: contentEncryption }));

/**
 * The checks that AES-GCM does not make. `alg` and `kid` are outside the authenticated part, so they are compared with
 * fixed values and the keyring. The protected header is compared as a whole, which leaves no room for `zip` or `crit`.
 * Each part must be canonical base64url, so that an envelope has one form only.
 */
function checkedKey(envelope: Envelope, keyring: Keyring): WrapKey {
  const parts = [envelope.encrypted_key, envelope.iv, envelope.ciphertext, envelope.tag];
  const sound =
    envelope.header?.alg === keyManagement &&
    typeof envelope.header.kid === 'string' &&
    envelope.protected === protectedHeaderText &&
    parts.every((part) => typeof part === 'string' && isCanonicalBase64url(part));
  if (!sound) throw new EnvelopeRejected('the envelope is malformed');
  const key = usableKey(keyring.wrap, envelope.header.kid);
  if (!key) throw new KeyMissing(envelope.header.kid);
  return key;
}
