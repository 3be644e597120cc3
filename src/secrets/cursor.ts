import { hash } from 'node:crypto';
import { type Owner, ownerKey } from '../model/owner.ts';
import type { SecretFilter } from '../model/secret.ts';
import { filterKey } from './filter.ts';

/** The list that a cursor belongs to. */
export interface CursorList {
  readonly owner: Owner;
  readonly filter: SecretFilter;
}

/** What tells an owner's filtered list from every other: what its cursors are signed with. */
export function listKey({ owner, filter }: CursorList): readonly [string, string] {
  return [ownerKey(owner), digestOf(filter)];
}

const digests = new WeakMap<SecretFilter, string>();

/** A filter may have thousands of characters, and a page a thousand cursors. */
function digestOf(filter: SecretFilter): string {
  let digest = digests.get(filter);
  if (digest === undefined) {
    digest = hash('sha256', filterKey(filter), 'base64url');
    digests.set(filter, digest);
  }
  return digest;
}
