import type { Keyring } from '../crypto/keyring.ts';
import type { Recipient } from '../crypto/recipient.ts';
import { openRecordBytes } from '../crypto/record.ts';
import { sealDelivery } from '../crypto/sealed-output.ts';
import type { SecretRecord, StoredSecret } from '../model/secret.ts';
import type { Answer } from '../runtime/answer.ts';
import { createPacing } from '../runtime/pacing.ts';
import { recordsOf } from '../store/selected-records.ts';
import type { SelectedSecret, Store } from '../store/store.ts';

/** A secret as it was when its value was sealed. */
export interface SealedSecret {
  readonly secret: StoredSecret;
  readonly jwe: string;
}

export interface SealOptions {
  readonly recipient: Recipient;
  /** The subject that the deliveries are for. */
  readonly sub: string;
  /** Seconds since 1970. */
  readonly iat: number;
  readonly answer: Answer;
}

/** Secrets that are sealed in one tick of the event loop: each takes some 300 µs, and as much again for so many bytes. */
const pace = createPacing(15);
const bytesPerSecret = 64 * 1024;

/** By the secret's id: what was sealed for this call, and need not be sealed again while the secret is the same. */
export type SealedBefore = Map<string, SealedSecret & { readonly valueBytes: number }>;

/**
 * Opens each value and seals it to the recipient. A value is in clear for no longer than that, one at a time, and is then
 * overwritten.
 * @returns null when a secret has changed since it was selected
 * @throws RecordRejected, KeyMissing
 */
export async function sealSecrets(
  store: Store,
  keyring: Keyring,
  selected: readonly SelectedSecret[],
  before: SealedBefore,
  { recipient, sub, iat, answer }: SealOptions,
): Promise<{ readonly sealed: readonly SealedSecret[]; readonly valueBytes: number } | null> {
  const isSealed = ({ secret }: SelectedSecret) => before.get(secret.id)?.secret.mac.tag === secret.mac.tag;
  for await (const record of recordsOf(
    store,
    selected.filter((one) => !isSealed(one)),
  )) {
    if (!record) return null;
    const { id: secretId, version } = record;
    const envelopeBytes = record.sealed?.envelope.ciphertext?.length ?? 0;
    const turn = pace(1 + envelopeBytes / bytesPerSecret);
    if (turn) await turn;
    answer.throwIfStopped();
    const value = await openRecordBytes(record, keyring);
    if (!value) return null;
    const jwe = sealDelivery(value, { secretId, version, iat, sub }, recipient);
    before.set(secretId, { secret: withoutEnvelope(record), jwe, valueBytes: value.length });
    value.fill(0);
  }
  const sealed = selected.flatMap(({ secret }) => before.get(secret.id) ?? []);
  return { sealed, valueBytes: sealed.reduce((sum, { valueBytes }) => sum + valueBytes, 0) };
}

function withoutEnvelope({ sealed, ...record }: SecretRecord): StoredSecret {
  if (!sealed) return { ...record, sealed };
  const { envelope: _, ...mark } = sealed;
  return { ...record, sealed: mark };
}
