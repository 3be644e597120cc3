import type { Destination } from '../model/destination.ts';
import type { Warning } from '../model/warning.ts';
import type { FieldErrors } from '../rules/field-errors.ts';
import type { Dependencies } from './dependencies.ts';
import { checkDestination, type DestinationInput, type Reach } from './destination-input.ts';
import { warningsOfProvider } from './provider-warnings.ts';
import type { PlaintextValue, ValueInput } from './value-input.ts';

/** An input that may set a value, and say where it may be sent. */
export interface PlacedValueInput extends ValueInput {
  /** null: nowhere. Left out: where the keys of its provider go. */
  readonly destination?: DestinationInput | null | undefined;
}

/** What a caller says of where a new value may be sent: undefined where it says nothing, null for nowhere. */
export type GivenDestination = Destination | null | undefined;

/** Where a new value may be sent. */
export interface Place {
  readonly destination: Destination | null;
  readonly warnings: readonly Warning[];
}

export const nowhere: Place = { destination: null, warnings: [] };

/**
 * The destination that an input names, held to its rules and to those of the value that goes there.
 * @param plaintext the value; null where there is none, or where it could not be read
 */
export function checkGivenDestination(
  input: PlacedValueInput,
  plaintext: Pick<PlaintextValue, 'value'> | null,
  reach: Reach,
  errors: FieldErrors,
): GivenDestination {
  if (input.destination == null) return input.destination;
  requireValue(input, errors);
  const fault = plaintext && faultInHeader(plaintext.value);
  if (fault) errors.add(fault, `${faults[fault]} ${fixes}`);
  return checkDestination(input.destination, reach, errors);
}

const fixes = 'Send another value, or null as the destination: the value is then kept, and sent nowhere.';

/** A destination changes together with a value, or not at all: who does not know a value must not be able to send it elsewhere. */
export function requireValue({ value, sealedValue }: ValueInput, errors: FieldErrors): void {
  if (value == null && sealedValue == null)
    errors.add('value_required', 'Must not be there without a new value: it only changes together with one.');
}

/**
 * Whoever replaces a value says where it goes, if somebody said it before: a value must not be sent unseen to a place that
 * somebody else has chosen.
 * @param stored of the value that is replaced
 */
export function requireRepeated(given: GivenDestination, stored: Destination | null, errors: FieldErrors): void {
  if (given === undefined && stored?.byHand)
    errors.add(
      'destination_required',
      'Is required with a new value: the present destination was given by hand. Send it again, or another, or null for none.',
    );
}

/**
 * Where a new value may be sent: where its caller says, or else where the keys of its provider go now.
 * @param provider whose service the secret is for, once it has the value
 */
export function placeOf(
  plaintext: Pick<PlaintextValue, 'field' | 'value'> | null,
  given: GivenDestination,
  provider: string | null,
  { providers }: Pick<Dependencies, 'providers'>,
): Place {
  if (!plaintext) return nowhere;
  const warnings = warningsOfProvider(plaintext, provider, providers);
  if (given !== undefined) return { destination: given, warnings };
  const found = provider === null ? undefined : providers.find(provider);
  if (!found) return { destination: null, warnings };
  const fault = faultInHeader(plaintext.value);
  if (!fault) return { destination: { ...found.destination, byHand: false }, warnings };
  const message = `${faults[fault]} It was kept, and has no destination.`;
  return { destination: null, warnings: [...warnings, { field: 'destination', type: fault, message }] };
}

const minCharacters = 8;
const maxBytes = 8 * 1024;

/** Why a value cannot be put into a header. */
const faults = {
  value_too_short: `A value of under ${minCharacters} characters cannot be sent: it could not be taken out of answers without other text.`,
  value_too_long: 'A value of over 8 KiB cannot be sent: it does not fit into a header.',
  value_not_for_headers:
    'The value cannot be sent: a header may have visible ASCII characters, and spaces between them.',
} as const;

/** Visible ASCII (RFC 9110, section 5.5), with spaces within. */
const visible = /^[!-~](?:[ -~]*[!-~])?$/;

function faultInHeader(value: string): keyof typeof faults | null {
  if (value.length > maxBytes) return 'value_too_long';
  if (!visible.test(value)) return value === '' ? 'value_too_short' : 'value_not_for_headers';
  return value.length < minCharacters ? 'value_too_short' : null;
}
