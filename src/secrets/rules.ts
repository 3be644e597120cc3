import { DomainError, type FieldError } from '../errors.ts';
import type { Owner } from '../model/owner.ts';

const maxValueBytes = 64 * 1024;
const maxNotesBytes = 4 * 1024;
export const maxTags = 50;
export const maxTagCharacters = 64;
export const maxNameCharacters = 255;
export const maxPageSize = 1000;
export const defaultPageSize = 100;

/** Collects every rule an input breaks, so that a caller learns of all of them at once. */
export class BrokenFields {
  readonly #errors: FieldError[] = [];

  /** @param loc the path from the operation's arguments; @param message the rule, never what was sent */
  add(loc: [string, ...(string | number)[]], type: string, message: string): void {
    const field = loc.findLast((step) => typeof step === 'string') ?? loc[0];
    this.#errors.push({ field: String(field), loc, message, type });
  }

  get any(): boolean {
    return this.#errors.length > 0;
  }

  /** @throws DomainError UNPROCESSABLE_ENTITY */
  throwIfAny(): void {
    if (this.#errors.length === 0) return;
    const fields = [...new Set(this.#errors.map((error) => error.field))].join(', ');
    throw new DomainError('UNPROCESSABLE_ENTITY', {
      description: `Mend these fields and send the request again: ${fields}.`,
      errors: this.#errors,
    });
  }
}

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** A UUID of any version (RFC 9562), in lower case. */
export function checkId(id: string, loc: [string, ...string[]], broken: BrokenFields): string {
  const lower = id.toLowerCase();
  if (!uuidPattern.test(lower))
    broken.add(loc, 'uuid', 'Must be a UUID, such as 4c07bc67-57ea-42dd-b702-c2d6c45419fc.');
  return lower;
}

const environmentVariablePattern = /^[A-Za-z_][A-Za-z0-9_]{0,254}$/;

/** A secret's name, in the form it is kept in. A user's is the name of an environment variable (POSIX.1-2024, 8.1). */
export function checkName(name: string, ownerType: Owner['type'], broken: BrokenFields): string {
  if (ownerType !== 'user') return checkLabel(name, ['input', 'name'], maxNameCharacters, broken);
  if (!environmentVariablePattern.test(name)) {
    const rule = 'Must be an environment variable name: letters, digits and underscores, no digit first, at most 255.';
    broken.add(['input', 'name'], 'environment_variable_name', rule);
  }
  return name;
}

// Control, format, private-use and surrogate characters: invisible, or not the same everywhere.
const unwantedCharacters = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}]/u;

/**
 * To normalise takes time quadratic in a row of accents, so that what is too long must be refused before. No character is
 * shorter in NFC than by a factor of 4 (UAX #15), and none has more than two units: nothing longer can become short enough.
 */
export function maxUnitsOf(maxCharacters: number): number {
  return 8 * maxCharacters;
}

/** Text in any language, normalised to NFC so that what looks the same is the same. */
export function checkLabel(
  text: string,
  loc: [string, ...(string | number)[]],
  maxCharacters: number,
  broken: BrokenFields,
): string {
  const label = text.length > maxUnitsOf(maxCharacters) ? text : text.normalize('NFC');
  if (label === '') broken.add(loc, 'required', 'Must not be empty.');
  else if (label.length > maxCharacters && [...label].length > maxCharacters) {
    broken.add(loc, 'too_long', `Must have at most ${maxCharacters} characters.`);
  } else if (unwantedCharacters.test(label)) {
    broken.add(loc, 'characters', 'Must have no control, format, private-use or unpaired surrogate characters.');
  } else if (label.trim() !== label) broken.add(loc, 'surrounding_space', 'Must have no spaces at the ends.');
  return label;
}

/** A text to look labels up by, in the form they are kept in. */
export function checkLookup(
  text: string,
  loc: [string, ...(string | number)[]],
  maxCharacters: number,
  broken: BrokenFields,
): string {
  if (!text.isWellFormed()) broken.add(loc, 'ill_formed', 'Must be well-formed Unicode.');
  else if (text.length > maxUnitsOf(maxCharacters))
    broken.add(loc, 'too_long', `Must have at most ${maxCharacters} characters.`);
  else return text.normalize('NFC');
  return text;
}

/** A plaintext value: taken as it is, never trimmed or changed. */
export function checkValue(value: string, broken: BrokenFields): void {
  const loc: [string, string] = ['input', 'value'];
  if (value === '') broken.add(loc, 'required', 'Must not be empty.');
  else if (!value.isWellFormed()) broken.add(loc, 'ill_formed', 'Must be well-formed Unicode.');
  else if (Buffer.byteLength(value) > maxValueBytes) {
    broken.add(loc, 'too_long', 'Must have at most 64 KiB in UTF-8.');
  } else if (value.includes('•')) {
    broken.add(loc, 'masked_value', 'Must be the value itself, not its mask. Leave it out to keep the present value.');
  }
}

export function checkNotes(notes: string, broken: BrokenFields): void {
  if (!notes.isWellFormed()) broken.add(['input', 'notes'], 'ill_formed', 'Must be well-formed Unicode.');
  else if (Buffer.byteLength(notes) > maxNotesBytes) {
    broken.add(['input', 'notes'], 'too_long', 'Must have at most 4 KiB in UTF-8.');
  }
}

/** Tags in the order they were sent, each once. */
export function checkTags(tags: readonly string[], loc: [string, ...string[]], broken: BrokenFields): string[] {
  if (tags.length > maxTags) {
    broken.add(loc, 'too_many', `Must have at most ${maxTags} tags.`);
    return [];
  }
  return [...new Set(tags.map((tag, index) => checkLabel(tag, [...loc, index], maxTagCharacters, broken)))];
}

/** For a field that may be left out, but not be null. */
export function refuseNull(field: string, broken: BrokenFields): void {
  broken.add(['input', field], 'null', 'Must not be null. Leave it out to keep what is there.');
}
