import { isDeepStrictEqual } from 'node:util';
import { seal } from '../crypto/envelope.ts';
import { DomainError } from '../errors.ts';
import { authenticated, requireScope } from '../identity/authorize.ts';
import type { Caller } from '../identity/principal.ts';
import { type Owner, ownerKey } from '../owner.ts';
import { type Secret, StoreConflict } from '../store/store.ts';
import { requireConfidential } from './confidential.ts';
import { nameTaken, versionIsNotCurrent } from './conflicts.ts';
import type { Dependencies } from './dependencies.ts';
import { visibleSecret } from './find-secret.ts';
import {
  BrokenFields,
  checkId,
  checkLabel,
  checkName,
  checkNotes,
  checkTags,
  checkValue,
  maxNameCharacters,
  refuseNull,
} from './limits.ts';
import { mask } from './mask.ts';

/** What is left out is kept. */
export interface UpdateSecretInput {
  readonly id: string;
  readonly value?: string | null | undefined;
  readonly name?: string | null | undefined;
  /** null clears it. */
  readonly provider?: string | null | undefined;
  /** null clears them. */
  readonly notes?: string | null | undefined;
  readonly tags?: readonly string[] | null | undefined;
  readonly expectedVersion?: number | null | undefined;
}

/** Writers without expectedVersion that meet on one secret take turns; beyond this they are told to come back. */
const maxAttempts = 10;

/**
 * Changes a secret, and its version by one; an update that changes nothing leaves both.
 * @throws DomainError UNAUTHORIZED, PERMISSION_ERROR, NOT_FOUND, UPGRADE_REQUIRED, UNPROCESSABLE_ENTITY, CONFLICT_ERROR
 */
export async function updateSecret(
  dependencies: Dependencies,
  caller: Caller,
  input: UpdateSecretInput,
): Promise<Secret> {
  const { store, keyring, now } = dependencies;
  const principal = authenticated(caller);
  requireScope(principal, 'secrets:write');
  if (input.value != null) requireConfidential(caller);
  const id = checkUpdatedId(input);

  for (let attempt = 1; ; attempt += 1) {
    const current = await visibleSecret(dependencies, caller, id, 'secrets:write');
    if (!current) throw new DomainError('NOT_FOUND');
    const broken = new BrokenFields();
    const { value, ...changes } = checkChanges(input, current.owner.type, broken);
    broken.throwIfAny();
    if (input.expectedVersion != null && input.expectedVersion !== current.version) {
      throw versionIsNotCurrent(current.version);
    }
    if (value === undefined && isSame(current, changes)) return current;

    const version = current.version + 1;
    const updated: Secret = {
      ...current,
      ...changes,
      maskedValue: value === undefined ? current.maskedValue : mask(value),
      version,
      updatedAt: now(),
    };
    const binding = { owner: ownerKey(current.owner), secretId: id, version };
    const sealed = value === undefined ? undefined : { version, envelope: await seal(value, binding, keyring()) };
    const audit = {
      type: 'secret.updated',
      actor: principal.subject,
      requestId: caller.requestId,
      at: updated.updatedAt,
    } as const;
    try {
      await store.commit([{ type: 'update', secret: updated, ...(sealed && { sealed }), audit }]);
      return updated;
    } catch (error) {
      if (!(error instanceof StoreConflict)) throw error;
      if (error.on === 'name') throw nameTaken();
      // Somebody else's change came between: look again, unless the caller asked for exactly the version it saw.
      if (attempt === maxAttempts) throw versionIsNotCurrent(current.version);
    }
  }
}

/** With an id that is none, there is no owner to tell the rules by: the other fields are held to those for all. */
function checkUpdatedId(input: UpdateSecretInput): string {
  const broken = new BrokenFields();
  const id = checkId(input.id, ['input', 'id'], broken);
  if (broken.any) checkChanges(input, 'team', broken);
  broken.throwIfAny();
  return id;
}

function checkChanges(input: UpdateSecretInput, ownerType: Owner['type'], broken: BrokenFields) {
  const { value, name, provider, notes, tags } = input;
  const changes: { value?: string; name?: string; provider?: string | null; notes?: string | null; tags?: string[] } =
    {};
  if (value === null) refuseNull('value', broken);
  else if (value !== undefined) {
    checkValue(value, broken);
    changes.value = value;
  }
  if (name === null) refuseNull('name', broken);
  else if (name !== undefined) changes.name = checkName(name, ownerType, broken);
  if (provider === null) {
    if (ownerType === 'user') refuseNull('provider', broken);
    changes.provider = null;
  } else if (provider !== undefined) {
    changes.provider = checkLabel(provider, ['input', 'provider'], maxNameCharacters, broken);
  }
  if (notes != null) checkNotes(notes, broken);
  if (notes !== undefined) changes.notes = notes;
  if (tags === null) refuseNull('tags', broken);
  else if (tags !== undefined) changes.tags = checkTags(tags, ['input', 'tags'], broken);
  return changes;
}

function isSame(current: Secret, changes: Partial<Secret>): boolean {
  return isDeepStrictEqual({ ...current, ...changes }, current);
}
