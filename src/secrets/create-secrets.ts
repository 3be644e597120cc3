import { keptBatch } from '../idempotency/kept.ts';
import { type Commit, type IdempotentInput, once } from '../idempotency/once.ts';
import { authenticated, authorize } from '../identity/authorize.ts';
import type { Batch, OnConflict } from '../model/batch.ts';
import type { Caller } from '../model/caller.ts';
import type { Owner } from '../model/owner.ts';
import type { Principal } from '../model/principal.ts';
import { FieldErrors } from '../rules/field-errors.ts';
import { type OwnerInput, resolveOwner } from '../rules/owner-input.ts';
import { requireSecureTransport } from '../rules/secure-transport.ts';
import { checkBatch, enterBatch, maxBatch } from './batch-input.ts';
import type { Dependencies } from './dependencies.ts';
import { type Disclosure, requireDisclosure } from './disclosure.ts';
import type { NewSecretInput } from './new-secret-input.ts';
import { newSecrets } from './new-secrets.ts';
import { writeBatch } from './write-batch.ts';

export interface CreateSecretsInput extends Disclosure, IdempotentInput {
  readonly owner: OwnerInput;
  readonly secrets: readonly NewSecretInput[];
  readonly onConflict: OnConflict;
  readonly dryRun: boolean;
}

/**
 * Creates many secrets of one owner, or writes none of them. Of those whose names are taken it refuses all, leaves them as they
 * are, or gives them the new values.
 * @throws DomainError UNAUTHORIZED, FORBIDDEN, PERMISSION_ERROR, UPGRADE_REQUIRED, UNPROCESSABLE_CONTENT,
 * UNPROCESSABLE_ENTITY, CONFLICT_ERROR, BAD_REQUEST, SERVICE_UNAVAILABLE
 */
export async function createSecrets(
  dependencies: Dependencies,
  caller: Caller,
  input: CreateSecretsInput,
): Promise<Batch> {
  const errors = new FieldErrors();
  const principal = authenticated(caller);
  const owner = resolveOwner(input.owner, principal, errors.at('owner'));
  if (owner) authorize(caller, owner, 'secrets:write');
  requireDisclosure(principal, input);
  if (input.secrets.some(({ value }) => value != null)) requireSecureTransport(caller);
  if (input.secrets.length > maxBatch) {
    errors.at('secrets').add('too_many', `Must have at most ${maxBatch} items. Send them in several calls.`);
    errors.throwIfAny();
  }
  caller.answer.countWritten(input.secrets.length);
  const call = { mutation: 'createSecrets', input, errors };
  return once(dependencies, caller, call, keptBatch, (commit) =>
    create(dependencies, caller, input, { principal, owner, errors, commit }),
  );
}

/** What has been checked of a call. */
interface Authorised {
  readonly principal: Principal;
  readonly owner: Owner | null;
  readonly errors: FieldErrors;
  readonly commit: Commit<Batch>;
}

async function create(
  dependencies: Dependencies,
  caller: Caller,
  { secrets, onConflict, dryRun }: CreateSecretsInput,
  { principal, owner, errors, commit }: Authorised,
): Promise<Batch> {
  const author = { principal, caller };
  await enterBatch(dependencies, author, secrets.length);
  const items = await checkBatch(secrets, author, owner, dependencies, errors);
  if (!owner) throw new Error('an owner that cannot be resolved was not reported');
  const source = newSecrets(dependencies, items, { owner, onConflict, dryRun });
  return writeBatch(dependencies, author, source, commit);
}
