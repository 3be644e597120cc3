import { randomUUIDv7 } from 'node:crypto';
import { macOfRecord } from '../crypto/record.ts';
import { keptWrittenSecret } from '../idempotency/kept.ts';
import { type Commit, type IdempotentInput, once } from '../idempotency/once.ts';
import { authenticated, authorize } from '../identity/authorize.ts';
import type { Caller } from '../model/caller.ts';
import type { Owner } from '../model/owner.ts';
import { actorOf, type Principal } from '../model/principal.ts';
import type { Secret, WrittenSecret } from '../model/secret.ts';
import { FieldErrors } from '../rules/field-errors.ts';
import { checkId } from '../rules/id.ts';
import { type OwnerInput, resolveOwner } from '../rules/owner-input.ts';
import { requireSecureTransport } from '../rules/secure-transport.ts';
import { requireBeforeWriteDeadline } from '../rules/write-deadline.ts';
import { StoreConflict } from '../store/store.ts';
import { eventOf } from './audit-event.ts';
import { idTaken, nameTaken, sealedValueRefused } from './conflicts.ts';
import type { Dependencies } from './dependencies.ts';
import { type Disclosure, requireDisclosure } from './disclosure.ts';
import { mask } from './mask.ts';
import { newPlaceholder } from './placeholder.ts';
import { checkExpiresAt, checkName, checkNotes, checkProvider, checkTags, checkValue } from './rules.ts';
import { sealForStore } from './seal-for-store.ts';
import { type PlaintextValue, readValueInput, type ValueInput } from './value-input.ts';
import { warningsOf } from './value-warnings.ts';

export interface CreateSecretInput extends Disclosure, IdempotentInput, ValueInput {
  readonly id?: string | null | undefined;
  readonly owner: OwnerInput;
  readonly name: string;
  readonly provider?: string | null | undefined;
  readonly notes?: string | null | undefined;
  readonly tags?: readonly string[] | null | undefined;
  readonly expiresAt?: Date | null | undefined;
}

/** Placeholders have 36 random bits: a second collision in a row is practically impossible. */
const placeholderAttempts = 5;

/**
 * Seals and stores a new secret.
 * @throws DomainError UNAUTHORIZED, FORBIDDEN, PERMISSION_ERROR, UPGRADE_REQUIRED, UNPROCESSABLE_CONTENT,
 * UNPROCESSABLE_ENTITY, CONFLICT_ERROR
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
  const plaintext =
    owner && (await readValueInput(input, { principal, owner, name: input.name }, dependencies, errors));
  const fields = checkFields(input, plaintext, owner?.type ?? 'connector', errors);
  errors.throwIfAny();
  if (!owner) throw new Error('an owner that cannot be resolved was not reported');

  const at = dependencies.now();
  const secret = {
    ...fields,
    owner,
    maskedValue: plaintext && mask(plaintext.value),
    version: 1,
    createdAt: at,
    updatedAt: at,
    createdBy: actorOf(principal),
    updatedBy: actorOf(principal),
  };
  const sealed = plaintext && (await sealForStore(plaintext.value, secret, null, dependencies));
  const event = eventOf('secret.created', secret, principal, caller, at);

  for (let attempt = 1; ; attempt += 1) {
    const created: Secret = { ...secret, placeholder: newPlaceholder() };
    requireBeforeWriteDeadline(caller);
    try {
      const mac = macOfRecord({ ...created, sealed }, dependencies.keyring());
      const record = { ...created, sealed, mac };
      const written = { ...created, warnings: warningsOf(plaintext) };
      await commit(
        [{ type: 'insertSecret', record, ...(plaintext?.nonce && { nonce: plaintext.nonce }), event }],
        written,
      );
      return written;
    } catch (error) {
      if (!(error instanceof StoreConflict)) throw error;
      if (error.on === 'nonce') throw sealedValueRefused('replayed');
      if (error.on === 'name') throw nameTaken();
      if (error.on === 'id') throw idTaken();
      if (attempt === placeholderAttempts) throw error;
    }
  }
}

function checkFields(
  input: CreateSecretInput,
  plaintext: PlaintextValue | null,
  ownerType: Owner['type'],
  errors: FieldErrors,
) {
  const { id, name, value, sealedValue, provider, notes, tags, expiresAt } = input;
  if (plaintext) checkValue(plaintext.value, null, errors.at(plaintext.field));
  else if (value == null && sealedValue == null && ownerType !== 'team')
    errors.at('value').add('required', `Must be there for a ${ownerType}'s secret.`);
  if (provider == null && ownerType === 'user') {
    errors.at('provider').add('required', "Must be there for a user's secret.");
  }
  if (notes != null) checkNotes(notes, errors.at('notes'));
  if (expiresAt != null) checkExpiresAt(expiresAt, errors.at('expiresAt'));
  return {
    id: id == null ? randomUUIDv7() : checkId(id, errors.at('id')),
    name: checkName(name, ownerType, errors.at('name')),
    provider: provider == null ? null : checkProvider(provider, errors.at('provider')),
    notes: notes ?? null,
    expiresAt: expiresAt ?? null,
    tags: checkTags(tags ?? [], errors.at('tags')),
  };
}
