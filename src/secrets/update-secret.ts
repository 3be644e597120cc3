import { isDeepStrictEqual } from 'node:util';
import { seal } from '../crypto/envelope.ts';
import { authenticated, requireScope } from '../identity/authorize.ts';
import { type Owner, ownerKey } from '../model/owner.ts';
import type { Caller } from '../model/principal.ts';
import type { Secret } from '../store/store.ts';
import { changeSecret, checkVersion } from './change-secret.ts';
import type { Dependencies } from './dependencies.ts';
import { mask } from './mask.ts';
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
} from './rules.ts';
import { requireConfidential } from './secure-transport.ts';

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

/**
 * Changes a secret, and its version by one; an update that changes nothing leaves both.
 * @throws DomainError UNAUTHORIZED, PERMISSION_ERROR, NOT_FOUND, UPGRADE_REQUIRED, UNPROCESSABLE_ENTITY, CONFLICT_ERROR,
 * SERVICE_UNAVAILABLE
 */
export async function updateSecret(
  dependencies: Dependencies,
  caller: Caller,
  input: UpdateSecretInput,
): Promise<Secret> {
  const { keyring, now } = dependencies;
  const principal = authenticated(caller);
  requireScope(principal, 'secrets:write');
  if (input.value != null) requireConfidential(caller);
  const id = checkUpdatedId(input);

  return changeSecret(dependencies, caller, id, async (current) => {
    const broken = new BrokenFields();
    const { value, ...changes } = checkChanges(input, current.owner.type, broken);
    broken.throwIfAny();
    checkVersion(current, input.expectedVersion);
    if (value === undefined && isSame(current, changes)) return { change: null, result: current };

    const version = current.version + 1;
    const at = now();
    const secret: Secret = {
      ...current,
      ...changes,
      maskedValue: value === undefined ? current.maskedValue : mask(value),
      version,
      updatedAt: at,
    };
    const binding = { owner: ownerKey(current.owner), secretId: id, version };
    const sealed = value === undefined ? {} : { sealed: { version, envelope: await seal(value, binding, keyring()) } };
    const audit = { type: 'secret.updated', actor: principal.subject, requestId: caller.requestId, at } as const;
    return { change: { type: 'update', secret, ...sealed, audit }, result: secret };
  });
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
