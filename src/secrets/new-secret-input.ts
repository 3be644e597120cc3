import type { Owner } from '../model/owner.ts';
import type { FieldErrors } from '../rules/field-errors.ts';
import { checkId } from '../rules/id.ts';
import type { PlacedValueInput } from './new-destination.ts';
import { checkExpiresAt, checkName, checkNotes, checkProvider, checkTags, checkValue } from './rules.ts';
import type { PlaintextValue } from './value-input.ts';

/** A new secret, without its owner. */
export interface NewSecretInput extends PlacedValueInput {
  readonly id?: string | null | undefined;
  readonly name: string;
  readonly provider?: string | null | undefined;
  readonly notes?: string | null | undefined;
  readonly tags?: readonly string[] | null | undefined;
  readonly expiresAt?: Date | null | undefined;
}

/** Holds a new secret to the rules of its owner's. `id` is null where the gateway makes one. */
export function checkNewSecret(
  input: NewSecretInput,
  plaintext: PlaintextValue | null,
  ownerType: Owner['type'],
  errors: FieldErrors,
) {
  const { id, name, value, sealedValue, provider, notes, tags, expiresAt } = input;
  if (plaintext) checkValue(plaintext.value, null, errors.at(plaintext.field));
  else if (value == null && sealedValue == null && ownerType !== 'team')
    errors.at('value').add('required', `Is required for a ${ownerType}'s secret.`);
  if (provider == null && ownerType === 'user') {
    errors.at('provider').add('required', "Is required for a user's secret.");
  }
  if (notes != null) checkNotes(notes, errors.at('notes'));
  if (expiresAt != null) checkExpiresAt(expiresAt, errors.at('expiresAt'));
  return {
    id: id == null ? null : checkId(id, errors.at('id')),
    name: checkName(name, ownerType, errors.at('name')),
    provider: provider == null ? null : checkProvider(provider, errors.at('provider')),
    notes: notes ?? null,
    expiresAt: expiresAt ?? null,
    tags: checkTags(tags ?? [], errors.at('tags')),
  };
}
