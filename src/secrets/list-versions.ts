import { authorize } from '../identity/authorize.ts';
import type { Caller } from '../model/caller.ts';
import type { Secret } from '../model/secret.ts';
import type { SecretVersion } from '../model/secret-version.ts';
import { FieldErrors } from '../rules/field-errors.ts';
import { checkPageSize } from '../rules/page.ts';
import { createPacing } from '../runtime/pacing.ts';
import type { Dependencies } from './dependencies.ts';

export interface ListVersionsInput {
  readonly secret: Pick<Secret, 'id' | 'owner'>;
  readonly first?: number | null | undefined;
  /** Only versions before this one. */
  readonly before?: number | null | undefined;
}

/** Secrets whose values are asked for in one tick of the event loop: a list may have a thousand. */
const pace = createPacing(100);

/**
 * The values that a secret has and had, newest first, as far as they are kept.
 * @throws DomainError UNAUTHORIZED, FORBIDDEN, PERMISSION_ERROR, UNPROCESSABLE_ENTITY
 */
export async function listVersions(
  { store }: Dependencies,
  caller: Caller,
  { secret, first, before }: ListVersionsInput,
): Promise<readonly SecretVersion[]> {
  authorize(caller, secret.owner, 'secrets:read');
  const errors = new FieldErrors();
  const { limit } = checkPageSize({ first }, errors);
  errors.throwIfAny();
  const turn = pace(1);
  if (turn) await turn;
  caller.answer.throwIfStopped();
  const versions = await store.versions.list(secret.owner, secret.id);
  return versions.filter(({ version }) => before == null || version < before).slice(0, limit);
}
