import type { SealKey } from '../../src/crypto/keyring.ts';
import { openSealedInput, readSealedInput, SealedInputRejected } from '../../src/crypto/sealed-input.ts';
import { testKeyring } from './keyring.ts';
import type { Published } from './seal-by-hand.ts';

export const curves = ['X25519', 'P-256'] as const;

export const keyOn = (curve: (typeof curves)[number]): SealKey => testKeyring.seal[curve].active;

export const published = ({ kid, publicJwk }: SealKey): Published => ({ kid, alg: 'ECDH-ES+A256KW', jwk: publicJwk });

export function opened(jwe: string, key: SealKey, now = new Date()): string {
  return openSealedInput(readSealedInput(jwe, now), key).toString();
}

/** The type of the refusal; 'opened' if there is none. */
export function verdict(jwe: string, key: SealKey): string {
  try {
    opened(jwe, key);
    return 'opened';
  } catch (error) {
    if (error instanceof SealedInputRejected) return error.fault;
    throw error;
  }
}
