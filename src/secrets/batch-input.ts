import { type SealedInputFault, SealedInputRejected } from '../crypto/sealed-input.ts';
import type { Owner } from '../model/owner.ts';
import { actorKey, actorOf } from '../model/principal.ts';
import type { Warning } from '../model/warning.ts';
import type { FieldErrors } from '../rules/field-errors.ts';
import { createPacing } from '../runtime/pacing.ts';
import { maxSelectedBytes } from '../store/store.ts';
import { sealedFaults } from './conflicts.ts';
import type { Dependencies } from './dependencies.ts';
import type { Author } from './first-version.ts';
import { checkGivenDestination, type GivenDestination } from './new-destination.ts';
import { checkNewSecret, type NewSecretInput } from './new-secret-input.ts';
import { openValueInput, type PlaintextValue } from './value-input.ts';
import { warningsOf } from './value-warnings.ts';

/** Of secrets that are written at once. */
export const maxBatch = 500;

/** An item that keeps every rule that can be checked without the store. */
export interface CheckedItem {
  readonly index: number;
  readonly input: NewSecretInput;
  /** In the form in which they are stored; `id` is null where the gateway makes one. */
  readonly fields: ReturnType<typeof checkNewSecret>;
  readonly plaintext: PlaintextValue | null;
  readonly destination: GivenDestination;
  readonly warnings: readonly Warning[];
}

/**
 * Waits until not too many others write many secrets at once. Before anything is read or opened: of each secret some KiB are
 * then in memory, and if all callers were served side by side, none would have its answer in time.
 * @param count of secrets that are written, at most
 * @throws DomainError SERVICE_UNAVAILABLE
 */
export async function enterBatch(
  { largeWork }: Dependencies,
  { principal, caller }: Author,
  count: number,
): Promise<void> {
  await largeWork.enter(count * maxSelectedBytes, actorKey(actorOf(principal)), caller.answer);
}

/** In units of some 300 µs: work on items that is done in one tick of the event loop. */
export const paceBatch = createPacing(25);
const sealedItem = 1;
const clearItem = 0.3;
/** Characters that are looked at for as long as one unit: labels are normalised. */
const [valueCharacters, labelCharacters] = [16 * 1024, 2000];
const pathsPerUnit = 50;

function weightOf({ value, sealedValue, name, provider, notes, tags, destination }: NewSecretInput): number {
  const labels = (tags ?? []).reduce((sum, tag) => sum + tag.length, name.length + (provider?.length ?? 0));
  const paths = destination?.paths?.length ?? 0;
  const others = (value?.length ?? 0) + (sealedValue?.length ?? 0) + (notes?.length ?? 0);
  return (
    (sealedValue == null ? clearItem : sealedItem) +
    others / valueCharacters +
    labels / labelCharacters +
    paths / pathsPerUnit
  );
}

/**
 * Opens the sealed values, and holds each item to the rules of a new secret, whatever is stored, and all to those among each
 * other: names, ids and the ids of sealed values are there once.
 * @param owner null where the input names none: then no sealed value is opened
 * @throws DomainError UNPROCESSABLE_CONTENT where a sealed value is refused, otherwise UNPROCESSABLE_ENTITY, with every field of
 * every item that breaks a rule
 */
export async function checkBatch(
  secrets: readonly NewSecretInput[],
  { principal, caller }: Author,
  owner: Owner | null,
  dependencies: Dependencies,
  errors: FieldErrors,
): Promise<CheckedItem[]> {
  const items: CheckedItem[] = [];
  const before = new ItemsBefore();
  let isSealedRefused = false;
  for (const [index, input] of secrets.entries()) {
    const turn = paceBatch(weightOf(input));
    if (turn) await turn;
    caller.answer.throwIfStopped();
    const broken = errors.at('secrets').at(index);
    const refuse = (fault: SealedInputFault) => {
      broken.at('sealedValue').add(fault, sealedFaults[fault]);
      isSealedRefused = true;
    };
    let plaintext: PlaintextValue | null = null;
    try {
      if (owner) plaintext = openValueInput(input, { principal, owner, name: input.name }, dependencies, broken);
    } catch (error) {
      if (!(error instanceof SealedInputRejected)) throw error;
      refuse(error.fault);
    }
    const fields = checkNewSecret(input, plaintext, owner?.type ?? 'connector', broken);
    const destination = checkGivenDestination(input, plaintext, dependencies, broken.at('destination'));
    if (before.hasNonce(plaintext)) refuse('replayed');
    before.checkUnique(index, fields, broken);
    items.push({ index, input, fields, plaintext, destination, warnings: warningsOf(plaintext) });
  }
  if (isSealedRefused) errors.throwIfAny('UNPROCESSABLE_CONTENT', someSealedRefused);
  errors.throwIfAny();
  return items;
}

const someSealedRefused =
  'Some sealed values cannot be used. The errors say which, why, and what else is wrong. Nothing was written.';

/** What no two items of a batch may share. */
class ItemsBefore {
  readonly #names = new Map<string, number>();
  readonly #ids = new Map<string, number>();
  readonly #nonces = new Set<string>();

  checkUnique(index: number, { name, id }: CheckedItem['fields'], errors: FieldErrors): void {
    this.#check(this.#names, name, index, errors.at('name'));
    if (id !== null) this.#check(this.#ids, id, index, errors.at('id'));
  }

  #check(seen: Map<string, number>, text: string, index: number, errors: FieldErrors): void {
    const first = seen.get(text);
    if (first === undefined) seen.set(text, index);
    else errors.add('duplicate', `Must be unique: item ${first} has it, too.`);
  }

  /** Counts it, too: a sealed value works once. */
  hasNonce(plaintext: PlaintextValue | null): boolean {
    if (!plaintext?.nonce) return false;
    const { size } = this.#nonces;
    return this.#nonces.add(plaintext.nonce.digest).size === size;
  }
}
