import type { Actor } from './principal.ts';

/** A flattened JWE (RFC 7516, section 7.2.2) as crypto/envelope.ts makes it. */
export interface Envelope {
  protected: string;
  header: { alg: string; kid: string };
  encrypted_key: string;
  iv: string;
  ciphertext: string;
  tag: string;
}

/** Names a sealed value without holding it. */
export interface SealedMark {
  /** The version of the secret in which the value was set; the envelope is bound to it. */
  readonly version: number;
  /** How many values the secret has had by then, with this one. */
  readonly number: number;
  readonly setAt: Date;
  readonly setBy: Actor;
  /** The GCM tag of the envelope, which no other envelope has. */
  readonly tag: string;
}

/** By which equal values of one owner are found without opening them (crypto/equality.ts). */
export interface ValueDigest {
  /** The equality key that made both. */
  readonly kid: string;
  /** Equal for equal values of one owner, and for nothing else. */
  readonly digest: string;
  /** Binds the digest to the secret and to the value that it stands for. */
  readonly mac: string;
}

/** A sealed value. */
export interface Sealed extends SealedMark {
  readonly envelope: Envelope;
  /** For a value that is written. What a store reads with an envelope has none: digests are read by themselves. */
  readonly digest?: ValueDigest;
}

/** The wrapped content key of an envelope in a store: the only part of it that a rewrap replaces. */
export interface WrappedKey {
  /** Where the envelope is in the store, for the store alone. */
  readonly position: string;
  /** The owner's key. */
  readonly owner: string;
  readonly secretId: string;
  /** The key that wraps it; `unknownKid` where the stored envelope is damaged. */
  readonly kid: string;
  readonly encryptedKey: string;
}

/** No key has this id. */
export const unknownKid = '';
