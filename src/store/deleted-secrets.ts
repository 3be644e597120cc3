import type { DeletedRecord } from '../model/deleted-secret.ts';
import { type Owner, ownerOfKey } from '../model/owner.ts';
import type { StoredSecret } from '../model/secret.ts';
import type { Position } from './position.ts';
import type { ListResult } from './store.ts';

export interface DeletedQuery {
  readonly owner: Owner;
  /** Only those that were deleted after it. */
  readonly since: Date;
  /** Exclusive. */
  readonly after?: Position;
  /** 0 reads no secrets. */
  readonly limit: number;
  readonly count: boolean;
}

/** What names a secret that is to be purged: the commit requires this version and this MAC. */
export type PurgedSecret = Pick<StoredSecret, 'id' | 'owner' | 'name' | 'version' | 'mac'>;

export interface ExpiredSecrets {
  readonly secrets: readonly PurgedSecret[];
  /** Ids of those of which nobody can tell whose they are. They must not fail the others. */
  readonly damaged: readonly string[];
  /** Where to go on; null at the end. */
  readonly next: string | null;
}

/** Secrets that were deleted, until they are purged. They change with the writes of a commit. */
export interface DeletedSecretStore {
  find(id: string): Promise<DeletedRecord | undefined>;
  /** In the order of their names, and of their ids where names are equal. */
  list(query: DeletedQuery): Promise<ListResult>;
  /** Those of all owners that were deleted before this time, from a range of at most `limit`; the first range is after ''. */
  expired(before: Date, after: string, limit: number): Promise<ExpiredSecrets>;
}

/** @param rows each with the key of its owner, which something other than a gateway may have changed */
export function expiredOf(
  rows: readonly (Omit<PurgedSecret, 'owner'> & { readonly key: string })[],
): Pick<ExpiredSecrets, 'secrets' | 'damaged'> {
  const secrets: PurgedSecret[] = [];
  const damaged: string[] = [];
  for (const { key, ...secret } of rows) {
    try {
      secrets.push({ ...secret, owner: ownerOfKey(key) });
    } catch {
      damaged.push(secret.id);
    }
  }
  return { secrets, damaged };
}
