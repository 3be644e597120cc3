import { generateKeyPairSync, randomBytes } from 'node:crypto';
import type { JWK } from 'jose';
import { format, type KeyKind, type KeyringEntry, type KeyringFile, kinds } from './key-kinds.ts';
import type { KeyState } from './keyring.ts';

/** A keyring of new keys. */
export function newKeyring(): KeyringFile {
  const all = Object.keys(kinds) as KeyKind[];
  return { format, keys: all.map((kind) => newKey(kind, 'active')) };
}

export function newKey(kind: KeyKind, state: KeyState): KeyringEntry {
  const { use, jwk, prefix } = kinds[kind];
  return {
    ...secretOf(kind),
    ...jwk,
    use,
    kid: `${prefix}-${randomBytes(6).toString('hex')}`,
    state,
    createdAt: new Date().toISOString(),
  };
}

function secretOf(kind: KeyKind): JWK {
  if (kind !== 'X25519' && kind !== 'P-256') return { k: randomBytes(32).toString('base64url') };
  const { privateKey } =
    kind === 'X25519' ? generateKeyPairSync('x25519') : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { kty: _, crv: __, ...numbers } = privateKey.export({ format: 'jwk' });
  return numbers;
}

export function textOfKeyring(file: KeyringFile): string {
  return `${JSON.stringify(file, null, 2)}\n`;
}
