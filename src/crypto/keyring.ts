import type { KeyObject } from 'node:crypto';
import type { JWK } from 'jose';

/**
 * What a key is for. wrap: wraps the content keys of envelopes · mac: marks records, audit events and cursors ·
 * equality: finds equal values and equal calls · seal: opens what clients sealed
 */
export type KeyUse = 'wrap' | 'mac' | 'equality' | 'seal';

/**
 * pending: works on what is there, makes nothing new yet · active: makes what is new (exactly one key of a use) ·
 * decrypting (wrap, seal), verifying (mac) or previous (equality): was active before · retired: stays in the file, and works on
 * nothing
 */
export type KeyState = 'pending' | 'active' | 'decrypting' | 'verifying' | 'previous' | 'retired';

/** The states in the order in which a key of a use goes through them. */
export const statesOf: Readonly<Record<KeyUse, readonly KeyState[]>> = {
  wrap: ['pending', 'active', 'decrypting', 'retired'],
  mac: ['pending', 'active', 'verifying', 'retired'],
  equality: ['pending', 'active', 'previous', 'retired'],
  seal: ['pending', 'active', 'decrypting'],
};

export interface Key {
  readonly use: KeyUse;
  readonly kid: string;
  readonly state: KeyState;
  /** Null where the file does not say. */
  readonly createdAt: Date | null;
  /** SHA-256 (hex) of its secret: whether two keys are the same can be told without the secret. */
  readonly fingerprint: string;
}

/** A key-encryption key: AES-256 key wrap (A256KW). */
export interface WrapKey extends Key {
  readonly key: KeyObject;
}

/** For HMAC-SHA-256. */
export interface MacKey extends Key {
  readonly key: KeyObject;
  /** Four bytes that name the key where its `kid` would be too long: the start of the SHA-256 of the `kid`. */
  readonly mark: Uint8Array;
}

/** For HMAC-SHA-256. */
export interface EqualityKey extends Key {
  readonly key: KeyObject;
  /** When another became active; null for a key that was not replaced. */
  readonly replacedAt: Date | null;
}

/** One of a pair, for ECDH. */
export interface SealKey extends Key {
  readonly curve: SealCurve;
  readonly privateKey: KeyObject;
  /** What clients seal to: no member that is secret. */
  readonly publicJwk: JWK;
  /** When it ceases to open; null where it was not replaced. */
  readonly opensUntil: Date | null;
}

/**
 * For how long a sealing key opens after it was replaced. Clients and caches may keep it for 5 minutes (the `max-age` of its URL), and
 * what they seal lives for 10 minutes at most.
 */
export const sealOverlapMs = 20 * 60_000;

export type SealCurve = 'X25519' | 'P-256';

/** The keys of one use. */
export interface KeyGroup<K extends Key> {
  readonly active: K;
  readonly keys: ReadonlyMap<string, K>;
}

export interface Keyring {
  readonly wrap: KeyGroup<WrapKey>;
  readonly mac: KeyGroup<MacKey>;
  readonly equality: KeyGroup<EqualityKey>;
  readonly seal: Readonly<Record<SealCurve, KeyGroup<SealKey>>>;
  /** Of every use, in the order of the file. Each `kid` is there once. */
  readonly all: ReadonlyMap<string, Key>;
}

/** Whether a key in this state works on what is there. A pending key does: another gateway may have made it active already. */
export function isUsable(state: KeyState): boolean {
  return state !== 'retired';
}

/** The sealing key of this id, unless it is missing, or was replaced too long ago. */
export function openingKey({ seal }: Keyring, kid: string, now: Date): SealKey | undefined {
  const key = seal.X25519.keys.get(kid) ?? seal['P-256'].keys.get(kid);
  return key?.opensUntil && key.opensUntil <= now ? undefined : key;
}

/** The key of this id, unless it is missing or retired. */
export function usableKey<K extends Key>({ keys }: KeyGroup<K>, kid: string): K | undefined {
  const key = keys.get(kid);
  return key && isUsable(key.state) ? key : undefined;
}

/** All keys of a use that work on what is there, the active one first. */
export function usableKeys<K extends Key>({ active, keys }: KeyGroup<K>): K[] {
  return [active, ...[...keys.values()].filter((key) => key !== active && isUsable(key.state))];
}
