import { hkdfSync, randomBytes } from 'node:crypto';
import { ConfigurationError } from '../errors.ts';
import { isCanonicalBase64url } from './base64url.ts';

/**
 * pending: opens, does not seal yet · active: seals and opens (exactly one key) · decrypting: opens only ·
 * retired: stays in the file, opens nothing
 */
export type KeyState = 'pending' | 'active' | 'decrypting' | 'retired';

const states: readonly KeyState[] = ['pending', 'active', 'decrypting', 'retired'];

/** A key-encryption key: AES-256 key wrap (A256KW). */
export interface KeyringKey {
  readonly kid: string;
  readonly state: KeyState;
  /** Null where the file does not say. */
  readonly createdAt: Date | null;
  readonly key: CryptoKey;
  /** Derived from the same secret by HKDF (RFC 5869), for the MACs of mac.ts. */
  readonly macKey: Uint8Array;
}

export interface Keyring {
  readonly active: KeyringKey;
  readonly keys: ReadonlyMap<string, KeyringKey>;
}

/** Whether a key in this state may open envelopes. A pending key may: another gateway may already seal with it. */
export function opens(state: KeyState): boolean {
  return state !== 'retired';
}

/** The key of this id, unless it is missing or may not open. */
export function keyThatOpens({ keys }: Keyring, kid: string): KeyringKey | undefined {
  const key = keys.get(kid);
  return key && opens(key.state) ? key : undefined;
}

/** A JWK set (RFC 7517) of `oct` keys with `alg` A256KW, a `kid` and a `state` each. */
export interface KeyringFile {
  keys: {
    kty: 'oct';
    alg: 'A256KW';
    kid: string;
    state: KeyState;
    createdAt?: string;
    k: string;
  }[];
}

/**
 * Reads the text of a keyring file.
 * @param path for the error
 * @throws ConfigurationError that names the file and the fix, and never the content
 */
export async function parseKeyring(text: string, path: string): Promise<Keyring> {
  const refuse = (what: string, fix: string) => new ConfigurationError(`KEYRING_FILE ${path}: ${what}. ${fix}`);

  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch {
    throw refuse('it is not valid JSON', 'Restore it from its backup.');
  }
  if (!isRecord(file) || !Array.isArray(file.keys) || file.keys.length === 0) {
    throw refuse('it holds no "keys" list', 'Restore it from its backup.');
  }

  const keys = new Map<string, KeyringKey>();
  for (const [index, jwk] of file.keys.entries()) {
    const at = `key ${index + 1}`;
    if (!isRecord(jwk)) throw refuse(`${at} is not an object`, 'Write it as a JWK.');
    const { kty, alg, kid, state, k } = jwk;
    if (kty !== 'oct' || alg !== 'A256KW') {
      throw refuse(`${at} is not for key wrap`, 'Set "kty" to "oct" and "alg" to "A256KW".');
    }
    if (typeof kid !== 'string' || !/^[\w.-]{1,64}$/.test(kid)) {
      throw refuse(`${at} has no usable "kid"`, 'Name it with 1 to 64 letters, digits, dots, dashes or underscores.');
    }
    if (keys.has(kid)) throw refuse(`${at} repeats a "kid"`, 'Give every key a "kid" of its own.');
    if (!isKeyState(state)) {
      throw refuse(`${at} has no known "state"`, `Set it to one of ${states.join(', ')}.`);
    }
    const bytes = typeof k === 'string' && isCanonicalBase64url(k) ? Buffer.from(k, 'base64url') : Buffer.alloc(0);
    if (bytes.length !== 32) {
      throw refuse(`${at} is not 32 bytes of base64url`, 'Restore it from its backup.');
    }
    keys.set(kid, {
      kid,
      state,
      createdAt: timeOf(jwk.createdAt),
      key: await crypto.subtle.importKey('raw', bytes, 'AES-KW', false, ['wrapKey', 'unwrapKey']),
      macKey: new Uint8Array(hkdfSync('sha256', bytes, new Uint8Array(), 'secrets-gateway mac', 32)),
    });
  }

  const [active, ...others] = [...keys.values()].filter((key) => key.state === 'active');
  if (!active || others.length > 0) {
    throw refuse(`${others.length + (active ? 1 : 0)} keys are active`, 'Leave exactly one with "state" "active".');
  }
  return { active, keys };
}

export function newKey(state: KeyState): KeyringFile['keys'][number] {
  return {
    kty: 'oct',
    alg: 'A256KW',
    kid: `kek-${randomBytes(6).toString('hex')}`,
    state,
    createdAt: new Date().toISOString(),
    k: randomBytes(32).toString('base64url'),
  };
}

export function textOfKeyring(file: KeyringFile): string {
  return `${JSON.stringify(file, null, 2)}\n`;
}

function isKeyState(state: unknown): state is KeyState {
  return states.includes(state as KeyState);
}

function timeOf(value: unknown): Date | null {
  const time = typeof value === 'string' ? new Date(value) : null;
  return time && Number.isFinite(time.getTime()) ? time : null;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
