import { randomUUIDv7 } from 'node:crypto';
import { seal } from '../crypto/envelope.ts';
import { DomainError } from '../errors.ts';
import { authorize } from '../identity/authorize.ts';
import { type Owner, ownerKey } from '../model/owner.ts';
import type { Caller } from '../model/principal.ts';
import { type Secret, StoreConflict } from '../store/store.ts';
import { nameTaken } from './conflicts.ts';
import type { Dependencies } from './dependencies.ts';
import { mask } from './mask.ts';
import { type OwnerInput, resolveOwner } from './owner-input.ts';
import { newPlaceholder } from './placeholder.ts';
import {
  BrokenFields,
  checkId,
  checkLabel,
  checkName,
  checkNotes,
  checkTags,
  checkValue,
  maxNameCharacters,
} from './rules.ts';
import { requireConfidential } from './secure-transport.ts';
import { requireTime } from './write-deadline.ts';

export interface CreateSecretInput {
  readonly id?: string | null | undefined;
  readonly owner: OwnerInput;
  readonly name: string;
  readonly value?: string | null | undefined;
  readonly provider?: string | null | undefined;
  readonly notes?: string | null | undefined;
  readonly tags?: readonly string[] | null | undefined;
}

/** Of 36 bits; a second collision in a row is already beyond belief. */
const placeholderAttempts = 5;

/**
 * Seals and stores a new secret.
 * @throws DomainError UNAUTHORIZED, FORBIDDEN, PERMISSION_ERROR, UPGRADE_REQUIRED, UNPROCESSABLE_ENTITY, CONFLICT_ERROR
 */
export async function createSecret(
  { store, keyring, now }: Dependencies,
  caller: Caller,
  input: CreateSecretInput,
): Promise<Secret> {
  const broken = new BrokenFields();
  const owner = resolveOwner(input.owner, caller, ['input', 'owner'], broken);
  const principal = owner && authorize(caller, owner, 'secrets:write');
  if (input.value != null) requireConfidential(caller);
  const { id, value, ...fields } = checkFields(input, owner?.type ?? 'connector', broken);
  broken.throwIfAny();
  if (!owner || !principal) throw new Error('an owner that cannot be told was not reported');

  const at = now();
  const secret = {
    ...fields,
    id,
    owner,
    maskedValue: value === null ? null : mask(value),
    version: 1,
    createdAt: at,
    updatedAt: at,
  };
  const binding = { owner: ownerKey(owner), secretId: id, version: secret.version };
  const sealed = value === null ? null : { version: secret.version, envelope: await seal(value, binding, keyring()) };
  const audit = { type: 'secret.created', actor: principal.subject, requestId: caller.requestId, at } as const;

  for (let attempt = 1; ; attempt += 1) {
    const created: Secret = { ...secret, placeholder: newPlaceholder() };
    requireTime(caller);
    try {
      await store.commit([{ type: 'insert', record: { ...created, sealed }, audit }]);
      return created;
    } catch (error) {
      if (!(error instanceof StoreConflict)) throw error;
      if (error.on === 'name') throw nameTaken();
      if (error.on === 'id') throw idTaken();
      if (attempt === placeholderAttempts) throw error;
    }
  }
}

function checkFields(input: CreateSecretInput, ownerType: Owner['type'], broken: BrokenFields) {
  const { id, name, value, provider, notes, tags } = input;
  if (value != null) checkValue(value, broken);
  else if (ownerType !== 'team') {
    broken.add(['input', 'value'], 'required', `Must be there for a ${ownerType}'s secret.`);
  }
  if (provider == null && ownerType === 'user') {
    broken.add(['input', 'provider'], 'required', "Must be there for a user's secret.");
  }
  if (notes != null) checkNotes(notes, broken);
  return {
    id: id == null ? randomUUIDv7() : checkId(id, ['input', 'id'], broken),
    name: checkName(name, ownerType, broken),
    value: value ?? null,
    provider: provider == null ? null : checkLabel(provider, ['input', 'provider'], maxNameCharacters, broken),
    notes: notes ?? null,
    tags: checkTags(tags ?? [], ['input', 'tags'], broken),
  };
}

function idTaken(): DomainError {
  return new DomainError('CONFLICT_ERROR', {
    description: 'The id is taken. Choose another, or leave it out and the server makes one.',
    errors: [{ field: 'id', loc: ['input', 'id'], message: 'Is taken.', type: 'taken' }],
  });
}
