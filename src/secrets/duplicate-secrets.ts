import { keptBatch } from '../idempotency/kept.ts';
import { type IdempotentInput, once } from '../idempotency/once.ts';
import { authenticated, authorize } from '../identity/authorize.ts';
import type { Batch, OnConflict } from '../model/batch.ts';
import type { Caller } from '../model/caller.ts';
import { ownerKey } from '../model/owner.ts';
import { FieldErrors } from '../rules/field-errors.ts';
import { type OwnerInput, resolveOwner } from '../rules/owner-input.ts';
import { checkLookup, maxNameCharacters } from '../rules/text.ts';
import { createPacing } from '../runtime/pacing.ts';
import { enterBatch, maxBatch } from './batch-input.ts';
import type { Dependencies } from './dependencies.ts';
import { SourceSecrets } from './source-secrets.ts';
import { writeBatch } from './write-batch.ts';

export interface DuplicateSecretsInput extends IdempotentInput {
  readonly from: OwnerInput;
  readonly to: OwnerInput;
  /** All when they are left out. */
  readonly names?: readonly string[] | null | undefined;
  readonly onConflict: OnConflict;
  readonly dryRun: boolean;
}

/** Characters of names that are normalised in one tick of the event loop. */
const paceNames = createPacing(50_000);

/**
 * Copies secrets of one owner to another, or none of them. Each value is opened and sealed anew for its new owner, and nobody
 * sees it. The source's audit chain tells of each copy in the same commit.
 * @throws DomainError UNAUTHORIZED, FORBIDDEN, PERMISSION_ERROR, UNPROCESSABLE_ENTITY, DUPLICATION_FAILED, BAD_REQUEST,
 * SERVICE_UNAVAILABLE
 */
export async function duplicateSecrets(
  dependencies: Dependencies,
  caller: Caller,
  input: DuplicateSecretsInput,
): Promise<Batch> {
  const errors = new FieldErrors();
  const principal = authenticated(caller);
  const from = resolveOwner(input.from, principal, errors.at('from'));
  const to = resolveOwner(input.to, principal, errors.at('to'));
  if (from) for (const scope of ['secrets:read', 'secrets:resolve'] as const) authorize(caller, from, scope);
  if (to) authorize(caller, to, 'secrets:write');
  if (from && to && ownerKey(from) === ownerKey(to))
    errors.at('to').add('same_owner', 'Must be another owner than from.');
  const call = { mutation: 'duplicateSecrets', input, errors };
  return once(dependencies, caller, call, keptBatch, async (commit) => {
    const names = input.names == null ? null : await checkNames(input.names, errors.at('names'));
    errors.throwIfAny();
    if (!from || !to) throw new Error('an owner that cannot be resolved was not reported');
    const { onConflict, dryRun } = input;
    const author = { principal, caller };
    await enterBatch(dependencies, author, names?.length ?? maxBatch);
    const source = new SourceSecrets(dependencies, author, { from, names }, { owner: to, onConflict, dryRun });
    return writeBatch(dependencies, author, source, commit);
  });
}

/** In the form in which they are stored. */
async function checkNames(names: readonly string[], errors: FieldErrors): Promise<string[]> {
  if (names.length > maxBatch) {
    errors.add('too_many', `Must have at most ${maxBatch} names. Copy them in several calls.`);
    return [];
  }
  const checked: string[] = [];
  const first = new Map<string, number>();
  for (const [index, text] of names.entries()) {
    const turn = paceNames(1 + text.length);
    if (turn) await turn;
    const name = checkLookup(text, maxNameCharacters, errors.at(index));
    const before = first.get(name);
    if (before === undefined) first.set(name, index);
    else errors.at(index).add('duplicate', `Must be unique: item ${before} is the same.`);
    checked.push(name);
  }
  return checked;
}
