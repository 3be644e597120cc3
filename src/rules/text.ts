import { hasUnwantedCharacter, showsSomething } from './characters.ts';
import type { FieldErrors } from './field-errors.ts';

/** Characters that a name, a provider or a connector's id may have. */
export const maxNameCharacters = 255;

/**
 * Normalisation takes time quadratic in the number of combining marks in a row. In no language are there more than 30 (UAX #15,
 * section 13, Stream-Safe Text Format). The marks are counted from the first of a row on, which is linear in the text.
 */
const maxMarks = 30;
const tooManyMarks = new RegExp(`(?<!\\p{M})\\p{M}{${maxMarks + 1}}`, 'u');

/**
 * Code units beyond which no text can have so few characters: NFC shortens no text by more than a factor of 4 (UAX #15), and a
 * character has at most two code units.
 */
export function maxUnitsOf(maxCharacters: number): number {
  return 8 * maxCharacters;
}

/**
 * A text in NFC, so that what looks the same is the same. Null where that would take too long: for text that cannot have so
 * few characters, and for more combining marks in a row than any language has.
 */
export function normalize(text: string, maxCharacters: number): string | null {
  return text.length > maxUnitsOf(maxCharacters) || tooManyMarks.test(text) ? null : text.normalize('NFC');
}

const combiningMarks = ['combining_marks', `Must have at most ${maxMarks} combining marks in a row.`] as const;

/** The braille pattern without dots is a space, too. */
const spaceAtEnds = /^[\s\u2800]|[\s\u2800]$/;

/** Text in any language, normalised to NFC so that what looks the same is the same. */
export function checkLabel(text: string, maxCharacters: number, errors: FieldErrors): string {
  const normalized = normalize(text, maxCharacters);
  const label = normalized ?? text;
  if (label === '') errors.add('required', 'Must not be empty.');
  else if (label.length > maxCharacters && [...label].length > maxCharacters) {
    errors.add('too_long', `Must have at most ${maxCharacters} characters.`);
  } else if (normalized === null) {
    errors.add(...combiningMarks);
  } else if (hasUnwantedCharacter(label)) {
    errors.add(
      'characters',
      'Must have no control, private-use, unassigned or unpaired surrogate characters, no line breaks, and no invisible characters but those that its script or an emoji is written with.',
    );
  } else if (spaceAtEnds.test(label)) errors.add('surrounding_space', 'Must have no spaces at the ends.');
  else if (!showsSomething(label)) errors.add('invisible', 'Must show something.');
  return label;
}

/** A text to look labels up by, in the form in which they are stored. */
export function checkLookup(text: string, maxCharacters: number, errors: FieldErrors): string {
  if (text.length > maxUnitsOf(maxCharacters)) {
    errors.add('too_long', `Must have at most ${maxCharacters} characters.`);
  } else if (!text.isWellFormed()) errors.add('ill_formed', 'Must be well-formed Unicode.');
  else {
    const normalized = normalize(text, maxCharacters);
    if (normalized !== null) return normalized;
    errors.add(...combiningMarks);
  }
  return text;
}
