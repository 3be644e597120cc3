import { decodeCursor, encodeCursor } from '../crypto/cursor.ts';
import { authenticated, authorize } from '../identity/authorize.ts';
import type { Caller } from '../model/caller.ts';
import { ownerKey } from '../model/owner.ts';
import { FieldErrors } from '../rules/field-errors.ts';
import { type OwnerInput, resolveOwner } from '../rules/owner-input.ts';
import { checkPageSize } from '../rules/page.ts';
import type { Dependencies } from './dependencies.ts';
import { restorableSince } from './find-deleted-secret.ts';
import { readInTurn, type SecretPage } from './list-secrets.ts';

export interface ListDeletedSecretsInput {
  readonly owner: OwnerInput;
  readonly first?: number | null | undefined;
  readonly after?: string | null | undefined;
  /** What the caller will look at. The rest is not read. */
  readonly select: { readonly page: boolean; readonly totalCount: boolean };
}

/**
 * An owner's secrets that were deleted and can still be restored, by name.
 * @throws DomainError UNAUTHORIZED, FORBIDDEN, PERMISSION_ERROR, UNPROCESSABLE_ENTITY, BAD_REQUEST (cursor)
 */
export async function listDeletedSecrets(
  dependencies: Dependencies,
  caller: Caller,
  { first, after, select, ...input }: ListDeletedSecretsInput,
): Promise<SecretPage> {
  const errors = new FieldErrors();
  const owner = resolveOwner(input.owner, authenticated(caller), errors.at('owner'));
  if (owner) authorize(caller, owner, 'secrets:read');
  const { limit } = checkPageSize({ first }, errors);
  errors.throwIfAny();
  if (!owner) throw new Error('an owner that cannot be resolved was not reported');

  const ring = dependencies.keyring();
  const list = ['deletedSecrets', ownerKey(owner)];
  // A client that has no cursor yet may send it as empty text.
  const position = after ? decodeCursor(after, list, ring) : undefined;
  // An empty page still tells whether there is more: one secret is read for that.
  const rows = select.page ? Math.max(1, limit) : 0;
  const read = await readInTurn(caller.answer, rows, () =>
    dependencies.store.deletedSecrets.list({
      owner,
      since: restorableSince(dependencies),
      ...(position && { after: position }),
      limit: rows,
      count: select.totalCount,
    }),
  );
  return {
    secrets: limit === 0 ? [] : read.secrets,
    totalCount: read.totalCount,
    hasNextPage: limit === 0 ? read.secrets.length > 0 : read.hasMore,
    hasPreviousPage: position !== undefined,
    cursorOf: (secret) => encodeCursor(secret, list, ring),
  };
}
