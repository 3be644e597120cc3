import type { Actor } from './principal.ts';
import type { SecretRecord } from './secret.ts';

/** When a secret was deleted, and by whom. */
export interface Deletion {
  readonly deletedAt: Date;
  readonly deletedBy: Actor;
}

/** A secret that was deleted and can be restored. Its MAC is one of its own (crypto/deleted-record.ts). */
export interface DeletedRecord extends SecretRecord, Deletion {}
