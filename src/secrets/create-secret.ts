import { randomUUIDv7 } from 'node:crypto';
import { keptWrittenSecret } from '../idempotency/kept.ts';
import { type Commit, type IdempotentInput, once } from '../idempotency/once.ts';
import { authenticated, authorize, requireScope } from '../identity/authorize.ts';
import type { Caller } from '../model/caller.ts';
import type { Owner } from '../model/owner.ts';
import type { Principal } from '../model/principal.ts';
import type { WrittenSecret } from '../model/secret.ts';
import { FieldErrors } from '../rules/field-errors.ts';
import { type OwnerInput, resolveOwner } from '../rules/owner-input.ts';
import { requireSecureTransport } from '../rules/secure-transport.ts';
import { requireBeforeWriteDeadline } from '../rules/write-deadline.ts';
import { StoreConflict } from '../store/store.ts';
import { idTaken, nameTaken, sealedValueRefused } from './conflicts.ts';
import type { Dependencies } from './dependencies.ts';
import { type Disclosure, requireDisclosure } from './disclosure.ts';
import { firstVersion, withAnotherPlaceholder } from './first-version.ts';
import { mask } from './mask.ts';
import { checkGivenDestination, placeOf } from './new-destination.ts';
import { checkNewSecret, type NewSecretInput } from './new-secret-input.ts';
import { readValueInput } from './value-input.ts';
import { warningsOf } from './value-warnings.ts';
import { checkVerify, forVerify, requireFree, unverified, type VerifiedInput, verifyValue } from './verify-value.ts';

export interface CreateSecretInput extends Disclosure, IdempotentInput, NewSecretInput, VerifiedInput {
  readonly owner: OwnerInput;
}

/** Placeholders have 36 random bits: a second collision in a row is practically impossible. */
const placeholderAttempts = 5;

/**
 * Seals and stores a new secret.
 * @throws DomainError UNAUTHORIZED, FORBIDDEN, PERMISSION_ERROR, UPGRADE_REQUIRED, UNPROCESSABLE_CONTENT,
 * UNPROCESSABLE_ENTITY, CONFLICT_ERROR, and what verifyValue throws
 */
export async function createSecret(
  dependencies: Dependencies,
  caller: Caller,
  input: CreateSecretInput,
): Promise<WrittenSecret> {
  const errors = new FieldErrors();
  const principal = authenticated(caller);
  const owner = resolveOwner(input.owner, principal, errors.at('owner'));
  if (owner) authorize(caller, owner, 'secrets:write');
  if (input.verify) requireScope(principal, 'secrets:use', forVerify);
  requireDisclosure(principal, input);
  if (input.value != null) requireSecureTransport(caller);
  const call = { mutation: 'createSecret', input, errors };
  return once(dependencies, caller, call, keptWrittenSecret, (commit) =>
    create(dependencies, caller, input, { principal, owner, errors, commit }),
  );
}

/** What has been checked of a call. */
interface Authorised {
  readonly principal: Principal;
  readonly owner: Owner | null;
  readonly errors: FieldErrors;
  readonly commit: Commit<WrittenSecret>;
}

async function create(
  dependencies: Dependencies,
  caller: Caller,
  input: CreateSecretInput,
  { principal, owner, errors, commit }: Authorised,
): Promise<WrittenSecret> {
  const plaintext = owner && readValueInput(input, { principal, owner, name: input.name }, dependencies, errors);
  const fields = checkNewSecret(input, plaintext, owner?.type ?? 'connector', errors);
  const given = checkGivenDestination(input, plaintext, dependencies, errors.at('destination'));
  checkVerify(input, errors);
  errors.throwIfAny();
  if (!owner) throw new Error('an owner that cannot be resolved was not reported');

  const chosen = { ...fields, id: fields.id ?? randomUUIDv7(), owner };
  const place = placeOf(plaintext, given, fields.provider, dependencies);
  const { destination } = place;
  let verdict = unverified;
  if (input.verify && plaintext) {
    await requireFree(dependencies, owner, fields);
    const asked = { secret: { ...chosen, version: 1 }, plaintext, destination, provider: fields.provider };
    verdict = await verifyValue(dependencies, { principal, caller }, asked);
  }
  const { health } = verdict;
  const value = plaintext && { ...plaintext, maskedValue: mask(plaintext.value), destination, health };
  const warnings = [...warningsOf(plaintext), ...place.warnings, ...verdict.warnings];
  let prepared = firstVersion(chosen, value, { principal, caller }, dependencies);
  for (let attempt = 1; ; attempt += 1) {
    const { secret, write } = prepared;
    const written = { ...secret, warnings };
    requireBeforeWriteDeadline(caller);
    try {
      await commit([write], written);
      return written;
    } catch (error) {
      if (!(error instanceof StoreConflict)) throw error;
      if (error.on === 'nonce') throw sealedValueRefused('replayed');
      if (error.on === 'name') throw nameTaken();
      if (error.on === 'id') throw idTaken();
      if (attempt === placeholderAttempts) throw error;
      prepared = withAnotherPlaceholder(prepared, dependencies.keyring());
    }
  }
}
