import { macOfRecord } from '../src/crypto/record.ts';
import type { Owner } from '../src/model/owner.ts';
import type { SecretRecord } from '../src/model/secret.ts';
import { testKeyring } from '../test/support/keyring.ts';

/** The id of the key in the gateways' keyring: they refuse a store sealed with other keys. No envelope is opened. */
export const kid = 'kek-2026-01-01-00000000';

/** The numbers of the secrets of the nth holding. */
export const readerIds = (n: number) => ({ from: n * 100, count: 100 });
export const teamIds = (n: number) => ({ from: 100_000 + n * 100, count: 100 });
export const writerIds = (n: number) => ({ from: 200_000 + n, count: 1 });

export function idOf(number: number): string {
  return `019a0000-0000-7000-8000-${number.toString(16).padStart(12, '0')}`;
}

const hour = 3_600_000;
const since = Date.UTC(2026, 0, 1);

/** A secret like any other, the same for the same number. */
export function recordOf(owner: Owner, number: number): SecretRecord {
  const record = unmarked(owner, number);
  // The gateways' keyring has the same MAC key.
  return { ...record, mac: macOfRecord(record, testKeyring) };
}

const creator = { kind: 'user', id: 'benchmark' } as const;

function unmarked(owner: Owner, number: number): Omit<SecretRecord, 'mac'> {
  // Seven hours apart, so that a list spans many days, as with secrets that people create.
  const createdAt = new Date(since + (number % 1200) * 7 * hour);
  return {
    id: idOf(number),
    owner,
    placeholder: `sec_${number.toString(16).padStart(9, '0')}`,
    name: `SECRET_${String(number).padStart(8, '0')}`,
    provider: number % 3 ? 'openai' : 'aws',
    notes: null,
    tags: ['production', number % 100 ? 'common' : 'rare'],
    maskedValue: 'sk-pro••••789',
    destination: null,
    version: 1,
    expiresAt: null,
    createdAt,
    updatedAt: new Date(createdAt.getTime() + (number % 60_000)),
    createdBy: creator,
    updatedBy: creator,
    lastUsedAt: null,
    health: null,
    // As long as that of a value of 50 bytes; nothing here opens it.
    sealed: {
      version: 1,
      number: 1,
      setAt: createdAt,
      setBy: creator,
      tag: 't'.repeat(22),
      envelope: {
        protected: 'eyJlbmMiOiJBMjU2R0NNIn0',
        header: { alg: 'A256KW', kid },
        encrypted_key: 'k'.repeat(54),
        iv: 'i'.repeat(16),
        ciphertext: 'c'.repeat(67),
        tag: 't'.repeat(22),
      },
    },
  };
}

export function* recordsOf(owner: Owner, { from, count }: { from: number; count: number }): Generator<SecretRecord> {
  for (let number = from; number < from + count; number += 1) yield recordOf(owner, number);
}
