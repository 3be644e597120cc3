import type { ValueDigest } from '../model/envelope.ts';
import type { Owner } from '../model/owner.ts';
import type { SecretRecord, StoredSecret } from '../model/secret.ts';

/** A secret with what is stored beside its value. Whether the one belongs to the other is for `crypto/equality.ts` to say. */
export interface DigestedSecret {
  readonly secret: StoredSecret;
  readonly digest: ValueDigest;
}

/** Secrets whose digests are not under a key. */
export interface UndigestedPage {
  readonly records: readonly SecretRecord[];
  /** Ids of those of which nobody can tell whose they are. They must not fail the others. */
  readonly damaged: readonly string[];
  /** Where to go on; null at the end. */
  readonly next: string | null;
}

/** Digests of current values. They change with the writes of a commit: deleted secrets and earlier values have none. */
export interface DigestStore {
  /** Secrets of this owner with one of these digests, at most `limit`, in no order. One look-up, whatever there is. */
  match(owner: Owner, digests: readonly string[], limit: number): Promise<DigestedSecret[]>;
  /** By the secret's id. A secret that is not this owner's, or has no digest, is left out. */
  of(owner: Owner, ids: readonly string[]): Promise<ReadonlyMap<string, ValueDigest>>;
  /** Of all owners, those with a value whose digest is missing or under another key; the first page is after ''. */
  undigested(kid: string, after: string, limit: number): Promise<UndigestedPage>;
  /** Sets each where the stored value is still the one that was read. @returns how many were set */
  put(digests: readonly { readonly record: SecretRecord; readonly digest: ValueDigest }[]): Promise<number>;
}
