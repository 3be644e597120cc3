import { chmod, writeFile } from 'node:fs/promises';

export interface KeyEntry {
  kid: string;
  state: string;
  /** 32 bytes; by default derived from the kid. */
  bytes?: Buffer;
}

export function keyBytes(kid: string): Buffer {
  return Buffer.alloc(32, kid);
}

export function keyringText(keys: KeyEntry[]): string {
  return JSON.stringify({
    keys: keys.map(({ kid, state, bytes }) => ({
      kty: 'oct',
      alg: 'A256KW',
      kid,
      state,
      createdAt: '2026-01-01T00:00:00.000Z',
      k: (bytes ?? keyBytes(kid)).toString('base64url'),
    })),
  });
}

/** Writes a keyring file by hand, as an operator would. */
export async function writeKeyring(path: string, keys: KeyEntry[]): Promise<void> {
  await writeFile(path, keyringText(keys), { mode: 0o600 });
  await chmod(path, 0o600);
}
