import { chmod, writeFile } from 'node:fs/promises';
import { macOfEvent } from '../../src/crypto/event-mac.ts';
import type { Keyring } from '../../src/crypto/keyring.ts';
import { parseKeyring } from '../../src/crypto/keyring-file.ts';
import type { StoreOptions } from '../../src/store/store-options.ts';

export interface KeyEntry {
  kid: string;
  state: string;
  /** wrap by default. */
  use?: 'wrap' | 'mac' | 'equality';
  /** 32 bytes; by default derived from the kid. */
  bytes?: Buffer;
}

export function keyBytes(kid: string): Buffer {
  return Buffer.alloc(32, kid);
}

const algorithms = { wrap: 'A256KW', mac: 'HS256', equality: 'HS256' };

/** Two pairs for the tests, made once. */
export const sealKeys = [
  {
    use: 'seal',
    kty: 'OKP',
    crv: 'X25519',
    alg: 'ECDH-ES+A256KW',
    kid: 'seal-x25519-1',
    state: 'active',
    x: 'eRTZ0wfLXkoOSJTLOdCwCY-IQt10iTPUvK4rjaOzbTI',
    d: '0F6f6jILzvaxNAe_sTJeLzQZFUyJRn5rA-yDu3jB63k',
  },
  {
    use: 'seal',
    kty: 'EC',
    crv: 'P-256',
    alg: 'ECDH-ES+A256KW',
    kid: 'seal-p256-1',
    state: 'active',
    x: 'nnxeuU7zUQN8UjnbJk2ROU5gZylXyNqfqrHDSxNkx5w',
    y: 'hN4dS3WbE8FwvO2AyIf7_dD83BcMkTxRsES9910pwTk',
    d: '2dDt9Zd2_Iuf3GEkDhNtA6OsZVM2Is7YXLU6UjpiAAw',
  },
];

/** A keyring file with these keys, and one active key of each use that none of them has. */
export function keyringText(keys: KeyEntry[]): string {
  const uses = new Set(keys.map(({ use = 'wrap' }) => use));
  const others = (['wrap', 'mac', 'equality'] as const)
    .filter((use) => !uses.has(use))
    .map((use): KeyEntry => ({ use, kid: `${use}-1`, state: 'active' }));
  return JSON.stringify({
    format: 2,
    keys: [
      ...[...keys, ...others].map(({ use = 'wrap', kid, state, bytes }) => ({
        use,
        kty: 'oct',
        alg: algorithms[use],
        kid,
        state,
        createdAt: '2026-01-01T00:00:00.000Z',
        k: (bytes ?? keyBytes(kid)).toString('base64url'),
      })),
      ...sealKeys,
    ],
  });
}

/** Writes a keyring file by hand, as an operator would. */
export async function writeKeyring(path: string, keys: KeyEntry[]): Promise<void> {
  await writeFile(path, keyringText(keys), { mode: 0o600 });
  await chmod(path, 0o600);
}

/** Of tests that need no file. */
export const testKeyring: Keyring = await parseKeyring(keyringText([{ kid: 'one', state: 'active' }]), 'keyring.json');

/** For a store that a test commits to. */
export const withTestMac = {
  macOfEvent: (owner, event) => macOfEvent(owner, event, testKeyring),
} as const satisfies StoreOptions;
