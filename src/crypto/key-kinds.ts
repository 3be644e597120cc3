import type { JWK } from 'jose';
import type { KeyState, KeyUse, SealCurve } from './keyring.ts';

/** Format 1 was never released. */
export const format = 2;

/** A JWK set (RFC 7517) whose keys also have a `use` of the gateway's, a `kid` and a `state`. */
export interface KeyringFile {
  format: number;
  keys: KeyringEntry[];
}

/** A JWK. What an operator added to it is kept. */
export interface KeyringEntry extends JWK {
  use: KeyUse;
  kid: string;
  state: KeyState;
  createdAt?: string;
  /** When another key replaced it. Of keys to seal, and for equality. */
  replacedAt?: string;
}

/** The keys of use `seal` are of two kinds, by their curve. */
export type KeyKind = 'wrap' | 'mac' | 'equality' | SealCurve;

/** What the JWK of each kind of key says it is, and how its generated ids begin. */
export const kinds = {
  wrap: { use: 'wrap', jwk: { kty: 'oct', alg: 'A256KW' }, prefix: 'kek', bytes: ['k'] },
  mac: { use: 'mac', jwk: { kty: 'oct', alg: 'HS256' }, prefix: 'mac', bytes: ['k'] },
  equality: { use: 'equality', jwk: { kty: 'oct', alg: 'HS256' }, prefix: 'equality', bytes: ['k'] },
  X25519: {
    use: 'seal',
    jwk: { kty: 'OKP', crv: 'X25519', alg: 'ECDH-ES+A256KW' },
    prefix: 'seal-x25519',
    bytes: ['x', 'd'],
  },
  'P-256': {
    use: 'seal',
    jwk: { kty: 'EC', crv: 'P-256', alg: 'ECDH-ES+A256KW' },
    prefix: 'seal-p256',
    bytes: ['x', 'y', 'd'],
  },
} as const satisfies Record<KeyKind, { use: KeyUse; jwk: JWK; prefix: string; bytes: readonly string[] }>;

/** Whether it is a key of this kind. */
export function isOfKind(kind: KeyKind, { use, crv }: KeyringEntry): boolean {
  return kinds[kind].use === use && (use !== 'seal' || crv === kind);
}
