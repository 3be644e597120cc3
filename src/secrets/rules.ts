import type { Owner } from '../model/owner.ts';
import type { FieldErrors } from '../rules/field-errors.ts';
import { checkLabel, maxNameCharacters } from '../rules/text.ts';
import { isMaskOf, looksLikeMask } from './masked-value.ts';

const maxValueBytes = 64 * 1024;
const maxNotesBytes = 4 * 1024;
export const maxTags = 50;
export const maxTagCharacters = 64;

const environmentVariablePattern = /^[A-Za-z_][A-Za-z0-9_]{0,254}$/;

/** A secret's name, in the form in which it is stored. A user's is an environment variable name (POSIX.1-2024, 8.1). */
export function checkName(name: string, ownerType: Owner['type'], errors: FieldErrors): string {
  if (ownerType !== 'user') return checkLabel(name, maxNameCharacters, errors);
  if (!environmentVariablePattern.test(name)) {
    const rule = 'Must be an environment variable name: letters, digits and underscores, no digit first, at most 255.';
    errors.add('environment_variable_name', rule);
  }
  return name;
}

export function checkProvider(provider: string, errors: FieldErrors): string {
  return checkLabel(provider, maxNameCharacters, errors);
}

/**
 * A plaintext value. It is never trimmed or changed.
 * @param current the mask of the value that it replaces; null where there is none
 */
export function checkValue(value: string, current: string | null, errors: FieldErrors): void {
  if (!checkPlainValue(value, errors)) return;
  if (current === null ? looksLikeMask(value) : isMaskOf(value, current)) {
    errors.add('masked_value', 'Must be the value itself, not its mask. Leave it out to keep the present value.');
  }
}

/** What is true of every stored value. @returns whether it is of this one */
export function checkPlainValue(value: string, errors: FieldErrors): boolean {
  if (value === '') errors.add('required', 'Must not be empty.');
  else if (!value.isWellFormed()) errors.add('ill_formed', 'Must be well-formed Unicode.');
  else if (Buffer.byteLength(value) > maxValueBytes) errors.add('too_long', 'Must have at most 64 KiB in UTF-8.');
  else return true;
  return false;
}

export function checkNotes(notes: string, errors: FieldErrors): void {
  if (!notes.isWellFormed()) errors.add('ill_formed', 'Must be well-formed Unicode.');
  else if (Buffer.byteLength(notes) > maxNotesBytes) errors.add('too_long', 'Must have at most 4 KiB in UTF-8.');
}

/** Tags in the order in which they were sent, each once. */
export function checkTags(tags: readonly string[], errors: FieldErrors): string[] {
  if (!checkTagCount(tags, errors)) return [];
  return [...new Set(tags.map((tag, index) => checkLabel(tag, maxTagCharacters, errors.at(index))))];
}

/** @returns whether there are few enough tags to look at each */
export function checkTagCount(tags: readonly string[], errors: FieldErrors): boolean {
  if (tags.length <= maxTags) return true;
  errors.add('too_many', `Must have at most ${maxTags} tags.`);
  return false;
}

const [earliestExpiry, afterExpiry] = [Date.UTC(1970, 0), Date.UTC(10_000, 0)];

/** It may be past: a reminder is no less true then. */
export function checkExpiresAt(expiresAt: Date, errors: FieldErrors): void {
  const time = expiresAt.getTime();
  if (time >= earliestExpiry && time < afterExpiry) return;
  errors.add('range', 'Must be in the years 1970 to 9999, in UTC.');
}

/** For a field that may be left out, but must not be null. */
export function refuseNull(errors: FieldErrors): void {
  errors.add('null', 'Must not be null. Leave it out to keep what is there.');
}
