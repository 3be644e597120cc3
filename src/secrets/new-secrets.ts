import type { StoredSecret } from '../model/secret.ts';
import { FieldErrors } from '../rules/field-errors.ts';
import type { Store } from '../store/store.ts';
import type { CheckedItem } from './batch-input.ts';
import { sealedValueRefused, someTaken } from './conflicts.ts';
import type { Dependencies } from './dependencies.ts';
import { mask } from './mask.ts';
import { placeOf, requireRepeated, requireValue } from './new-destination.ts';
import type { Changes } from './next-version.ts';
import type { BatchRules, Candidate } from './prepare-item.ts';
import { checkValue } from './rules.ts';
import type { BatchSource, Stored } from './write-batch.ts';

/** The batch of `createSecrets`. */
export function newSecrets(dependencies: Dependencies, items: readonly CheckedItem[], rules: BatchRules): BatchSource {
  const candidates = items.map((item) => candidateOf(item, dependencies));
  return {
    ...rules,
    candidates: async () => candidates,
    check: async (_candidates, stored) => checkStored(dependencies.store, items, stored, rules),
    refused(index, on) {
      if (on === 'nonce') throw sealedValueRefused('replayed', ['secrets', index, 'sealedValue']);
    },
  };
}

function candidateOf(
  { index, input, fields, plaintext, destination, warnings }: CheckedItem,
  dependencies: Dependencies,
): Candidate {
  const { provider, notes, tags, expiresAt } = fields;
  // As in an update: what is left out is kept, and null clears what may be null.
  const changes: Changes = {
    ...(input.provider !== undefined && { provider }),
    ...(input.notes !== undefined && { notes }),
    ...(input.expiresAt !== undefined && { expiresAt }),
    ...(input.tags != null && { tags }),
  };
  const { provider: providerOfNew } = fields;
  const providerOf = (current: StoredSecret | null) => ({ provider: providerOfNew, ...current, ...changes }).provider;
  return {
    index,
    from: '',
    fields,
    changes,
    placeOf: (current) => placeOf(plaintext, destination, providerOf(current), dependencies),
    open: plaintext && (async () => ({ ...plaintext, maskedValue: mask(plaintext.value) })),
    bytes: plaintext?.value.length ?? 0,
    warnings,
  };
}

/** @throws DomainError UNPROCESSABLE_ENTITY, CONFLICT_ERROR */
async function checkStored(
  store: Store,
  items: readonly CheckedItem[],
  stored: Stored,
  { onConflict }: BatchRules,
): Promise<void> {
  const newIds = items.flatMap(({ fields: { id, name } }) => (id === null || stored.has(name) ? [] : [id]));
  const takenIds: ReadonlySet<string | null> = newIds.length > 0 ? await store.takenIds(newIds) : new Set();
  const broken = new FieldErrors();
  const taken = new FieldErrors();
  for (const { index, input, fields, plaintext, destination } of items) {
    const current = stored.get(fields.name)?.secret;
    const of = (errors: FieldErrors, field: string) => errors.at('secrets').at(index).at(field);
    if (!current) {
      if (takenIds.has(fields.id)) of(taken, 'id').add('taken', 'Is taken.');
    } else if (onConflict === 'fail') of(taken, 'name').add('taken', 'Is taken.');
    else if (onConflict === 'update') {
      if (fields.id !== null && fields.id !== current.id) of(taken, 'id').add('other_id', otherId);
      if (plaintext) checkValue(plaintext.value, current.maskedValue, of(broken, plaintext.field));
      if (plaintext) requireRepeated(destination, current.destination, of(broken, 'destination'));
      if (destination === null) requireValue(input, of(broken, 'destination'));
    }
  }
  broken.throwIfAny();
  taken.throwIfAny('CONFLICT_ERROR', someTaken);
}

const otherId = 'The secret of this name has another id. Leave the id out, or choose another name.';
