import { openingKey } from '../crypto/keyring.ts';
import {
  nonceOf,
  openSealedInput,
  readSealedInput,
  type SealedHeader,
  SealedInputRejected,
} from '../crypto/sealed-input.ts';
import type { Nonce } from '../model/nonce.ts';
import { type Owner, ownerKey } from '../model/owner.ts';
import type { Principal } from '../model/principal.ts';
import { FieldErrors } from '../rules/field-errors.ts';
import { resolveOwner } from '../rules/owner-input.ts';
import { maxNameCharacters, normalize } from '../rules/text.ts';
import { sealedValueRefused } from './conflicts.ts';
import type { Dependencies } from './dependencies.ts';

/** A value that an input sets, in clear or sealed by the client. */
export interface ValueInput {
  readonly value?: string | null | undefined;
  readonly sealedValue?: string | null | undefined;
}

/** A value of an input, in clear. The rules of values have not been checked yet. */
export interface PlaintextValue {
  readonly field: 'value' | 'sealedValue';
  readonly value: string;
  /** Of a sealed value: spent with the write. */
  readonly nonce?: Nonce;
}

/** What a sealed value must have been sealed for: who sends it, whose secret, and the name (to create), the id (to update) or a use. */
export interface Target {
  readonly principal: Principal;
  readonly owner: Owner;
  readonly name?: string;
  readonly id?: string;
  /** Nothing is written, so that it may be sent again. */
  readonly use?: 'match';
}

/**
 * The value of an input, in clear or out of its seal. The operation must have been authorised.
 * @returns null where there is none, or where `errors` says what is wrong
 * @throws DomainError UNPROCESSABLE_CONTENT
 */
export function readValueInput(
  input: ValueInput,
  target: Target,
  dependencies: Dependencies,
  errors: FieldErrors,
): PlaintextValue | null {
  try {
    return openValueInput(input, target, dependencies, errors);
  } catch (error) {
    throw error instanceof SealedInputRejected ? sealedValueRefused(error.fault) : error;
  }
}

/** The same for one of many values. @throws SealedInputRejected */
export function openValueInput(
  { value, sealedValue }: ValueInput,
  target: Target,
  dependencies: Dependencies,
  errors: FieldErrors,
): PlaintextValue | null {
  if (value != null && sealedValue != null) {
    errors.at('value').add('exclusive', 'Must not be there together with sealedValue.');
    errors.at('sealedValue').add('exclusive', 'Must not be there together with value.');
    return null;
  }
  if (value != null) return { field: 'value', value };
  if (sealedValue == null) return null;
  return dependencies.trace('crypto.openSealedInput', () => open(sealedValue, target, dependencies));
}

function open(sealedValue: string, target: Target, { now, keyring }: Dependencies): PlaintextValue {
  const at = now();
  const sealed = readSealedInput(sealedValue, at);
  const { header } = sealed;
  const key = openingKey(keyring(), header.kid, at);
  if (!key) throw new SealedInputRejected('unknown_key');
  requireTarget(header, target);
  const plaintext = openSealedInput(sealed, key);
  return { field: 'sealedValue', value: textOf(plaintext), nonce: nonceOf(header) };
}

function requireTarget(header: SealedHeader, { principal, owner, name, id, use }: Target): void {
  if (header.sub !== principal.subject) throw new SealedInputRejected('wrong_subject');
  const named = resolveOwner(header.owner, principal, new FieldErrors());
  if (!named || ownerKey(named) !== ownerKey(owner)) throw new SealedInputRejected('wrong_owner');
  if (name !== undefined && !isSameName(header.name, name)) throw new SealedInputRejected('wrong_name');
  if (use !== undefined && header.use !== use) throw new SealedInputRejected('invalid_header');
  if (id !== undefined && header.id?.toLowerCase() !== id) throw new SealedInputRejected('wrong_id');
}

/** In the form in which names are stored. */
function isSameName(sealed: string | undefined, name: string): boolean {
  if (sealed === undefined) return false;
  return sealed === name || normalize(sealed, maxNameCharacters) === (normalize(name, maxNameCharacters) ?? '');
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** What is not UTF-8 becomes a text that the rules of values refuse as ill-formed. */
function textOf(plaintext: Buffer): string {
  try {
    return decoder.decode(plaintext);
  } catch {
    return '\uD800';
  }
}
