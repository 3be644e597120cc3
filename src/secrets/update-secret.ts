import { isDeepStrictEqual } from 'node:util';
import { requireRecordMac } from '../crypto/record.ts';
import { keptWrittenSecret } from '../idempotency/kept.ts';
import { type Commit, type IdempotentInput, once } from '../idempotency/once.ts';
import { authenticated, requireScope } from '../identity/authorize.ts';
import type { Caller } from '../model/caller.ts';
import type { Owner } from '../model/owner.ts';
import type { Principal } from '../model/principal.ts';
import type { Secret, SecretRecord, StoredSecret, WrittenSecret } from '../model/secret.ts';
import { FieldErrors } from '../rules/field-errors.ts';
import { checkId } from '../rules/id.ts';
import { requireSecureTransport } from '../rules/secure-transport.ts';
import { requireBeforeWriteDeadline } from '../rules/write-deadline.ts';
import { changeSecret, type PreparedChange, requireVersion } from './change-secret.ts';
import type { Dependencies } from './dependencies.ts';
import { type Disclosure, requireDisclosure } from './disclosure.ts';
import { existingRecord, existingSecret } from './find-secret.ts';
import type { Author } from './first-version.ts';
import { mask } from './mask.ts';
import {
  checkGivenDestination,
  type Place,
  type PlacedValueInput,
  placeOf,
  requireRepeated,
  requireValue,
} from './new-destination.ts';
import { type Changes, nextVersion } from './next-version.ts';
import { checkExpiresAt, checkName, checkNotes, checkProvider, checkTags, checkValue, refuseNull } from './rules.ts';
import { type PlaintextValue, readValueInput } from './value-input.ts';
import { warningsOf } from './value-warnings.ts';
import {
  checkVerify,
  forVerify,
  notVerified,
  requireFree,
  unverified,
  type Verdict,
  type VerifiedInput,
  verifyValue,
} from './verify-value.ts';

/** A field that is left out keeps what is stored. */
export interface UpdateSecretInput extends Disclosure, IdempotentInput, PlacedValueInput, VerifiedInput {
  readonly id: string;
  readonly name?: string | null | undefined;
  /** null clears it. */
  readonly provider?: string | null | undefined;
  /** null clears them. */
  readonly notes?: string | null | undefined;
  readonly tags?: readonly string[] | null | undefined;
  /** null clears it. */
  readonly expiresAt?: Date | null | undefined;
  readonly expectedVersion?: number | null | undefined;
}

/**
 * Changes a secret, and adds one to its version. An update that changes nothing leaves both as they are.
 * @throws DomainError UNAUTHORIZED, PERMISSION_ERROR, NOT_FOUND, UPGRADE_REQUIRED, UNPROCESSABLE_CONTENT,
 * UNPROCESSABLE_ENTITY, CONFLICT_ERROR, SERVICE_UNAVAILABLE, and what verifyValue throws
 */
export async function updateSecret(
  dependencies: Dependencies,
  caller: Caller,
  input: UpdateSecretInput,
): Promise<WrittenSecret> {
  const principal = authenticated(caller);
  requireScope(principal, 'secrets:write');
  if (input.verify) requireScope(principal, 'secrets:use', forVerify);
  requireDisclosure(principal, input);
  if (input.value != null) requireSecureTransport(caller);
  const errors = new FieldErrors();
  const id = checkId(input.id, errors.at('id'));
  return once(dependencies, caller, { mutation: 'updateSecret', input, errors }, keptWrittenSecret, (commit) => {
    if (errors.any) refusedBefore(input, dependencies, errors);
    return update(dependencies, caller, { ...input, id }, principal, commit);
  });
}

async function update(
  dependencies: Dependencies,
  caller: Caller,
  input: UpdateSecretInput,
  principal: Principal,
  commit: Commit<WrittenSecret>,
): Promise<WrittenSecret> {
  const { id } = input;
  const author = { principal, caller };
  const setsValue = input.value != null || input.sealedValue != null;
  // Others who change the secret do not wait for its provider.
  const verified = input.verify ? await verify(dependencies, author, input) : null;
  /** @param record the current secret with the value that a new one replaces */
  const prepare = async (
    current: StoredSecret,
    record: SecretRecord | null,
  ): Promise<PreparedChange<WrittenSecret>> => {
    const checked = checkInput(dependencies, principal, input, current, verified?.plaintext);
    const { plaintext, changes, place } = checked;
    if (!plaintext && isSame(current, changes)) return { write: null, result: { ...current, warnings: [] } };

    const verdict = verified ? verdictOf(verified, checked) : unverified;
    const warnings = [...warningsOf(plaintext), ...place.warnings, ...verdict.warnings];
    const { destination } = place;
    const { health } = verdict;
    const value = plaintext && { ...plaintext, maskedValue: mask(plaintext.value), destination, health };
    const { secret, write } = nextVersion(current, record, changes, value, author, dependencies);
    return { write, result: { ...secret, warnings } };
  };
  return setsValue
    ? changeSecret(dependencies, caller, id, existingRecord, commit, (record) => prepare(record, record))
    : changeSecret(dependencies, caller, id, existingSecret, commit, (secret) => prepare(secret, null));
}

/** What a change will make of a secret, held to all rules. */
interface CheckedInput {
  readonly plaintext: PlaintextValue | null;
  readonly changes: Changes;
  readonly provider: string | null;
  readonly place: Place;
}

/**
 * @param opened the value of the input, where it was read before
 * @throws DomainError UNPROCESSABLE_CONTENT, UNPROCESSABLE_ENTITY, CONFLICT_ERROR
 */
function checkInput(
  dependencies: Dependencies,
  principal: Principal,
  input: UpdateSecretInput,
  current: StoredSecret,
  opened?: PlaintextValue,
): CheckedInput {
  const errors = new FieldErrors();
  const { owner } = current;
  const plaintext = opened ?? readValueInput(input, { principal, owner, id: input.id }, dependencies, errors);
  const changes = checkChanges(input, plaintext, current, errors);
  const given = checkNewDestination(input, plaintext, dependencies, errors);
  checkVerify(input, errors);
  if (input.value != null || input.sealedValue != null)
    requireRepeated(given, current.destination, errors.at('destination'));
  errors.throwIfAny();
  requireVersion(current, input.expectedVersion);
  const { provider = current.provider } = changes;
  return { plaintext, changes, provider, place: placeOf(plaintext, given, provider, dependencies) };
}

/** A value that its provider does not refuse. */
interface Verified extends CheckedInput {
  readonly plaintext: PlaintextValue;
  readonly verdict: Verdict;
}

async function verify(dependencies: Dependencies, author: Author, input: UpdateSecretInput): Promise<Verified | null> {
  const { principal, caller } = author;
  requireBeforeWriteDeadline(caller);
  const current = await existingSecret(dependencies, principal, input.id);
  const checked = checkInput(dependencies, principal, input, current);
  const { plaintext, changes, provider, place } = checked;
  if (!plaintext) return null;
  // Nothing is sent for what something other than a gateway wrote.
  requireRecordMac(current, dependencies.keyring());
  if (changes.name !== current.name) await requireFree(dependencies, current.owner, { name: changes.name });
  const { destination } = place;
  const asked = { secret: current, recordMac: current.mac.tag, plaintext, destination, provider };
  return { ...checked, plaintext, verdict: await verifyValue(dependencies, author, asked) };
}

/** What was said is about this value as the key of that provider. Somebody may have changed which one it is. */
function verdictOf({ verdict, ...asked }: Verified, { provider, place }: CheckedInput): Verdict {
  const isAsked = provider === asked.provider && isDeepStrictEqual(place.destination, asked.place.destination);
  return isAsked ? verdict : { health: null, warnings: [notVerified('CHANGED')] };
}

/**
 * With a malformed id or idempotency key nothing is looked up, and there is no owner to choose rules by: the other fields are
 * held to the rules that apply to all.
 */
function refusedBefore(input: UpdateSecretInput, dependencies: Dependencies, errors: FieldErrors): never {
  const { value } = input;
  checkVerify(input, errors);
  const plaintext = value == null ? null : ({ field: 'value', value } as const);
  checkChanges(input, plaintext, { owner: { type: 'team' }, maskedValue: null }, errors);
  checkNewDestination(input, plaintext, dependencies, errors);
  errors.throwIfAny();
  throw new Error('what is wrong with an input was not reported');
}

function checkChanges(
  input: UpdateSecretInput,
  plaintext: PlaintextValue | null,
  current: { readonly owner: Pick<Owner, 'type'>; readonly maskedValue: string | null },
  errors: FieldErrors,
) {
  const { name, provider, notes, tags, expiresAt } = input;
  const ownerType = current.owner.type;
  const changes: { -readonly [field in keyof Changes]: Changes[field] } = {};
  for (const field of ['value', 'sealedValue'] as const) {
    if (input[field] === null) refuseNull(errors.at(field));
  }
  if (plaintext) checkValue(plaintext.value, current.maskedValue, errors.at(plaintext.field));
  if (name === null) refuseNull(errors.at('name'));
  else if (name !== undefined) changes.name = checkName(name, ownerType, errors.at('name'));
  if (provider === null) {
    if (ownerType === 'user') refuseNull(errors.at('provider'));
    changes.provider = null;
  } else if (provider !== undefined) changes.provider = checkProvider(provider, errors.at('provider'));
  if (notes != null) checkNotes(notes, errors.at('notes'));
  if (notes !== undefined) changes.notes = notes;
  if (expiresAt != null) checkExpiresAt(expiresAt, errors.at('expiresAt'));
  if (expiresAt !== undefined) changes.expiresAt = expiresAt;
  if (tags === null) refuseNull(errors.at('tags'));
  else if (tags !== undefined) changes.tags = checkTags(tags, errors.at('tags'));
  return changes;
}

function checkNewDestination(
  input: UpdateSecretInput,
  plaintext: PlaintextValue | null,
  dependencies: Dependencies,
  errors: FieldErrors,
) {
  // Without a value none is taken away, either.
  if (input.destination === null) requireValue(input, errors.at('destination'));
  return checkGivenDestination(input, plaintext, dependencies, errors.at('destination'));
}

function isSame(current: StoredSecret, changes: Partial<Secret>): boolean {
  return isDeepStrictEqual({ ...current, ...changes }, current);
}
