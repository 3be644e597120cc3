import type { FieldErrors } from './field-errors.ts';

/** Characters that a name, a provider or a connector's id may have. */
export const maxNameCharacters = 255;

// Control, format, private-use and surrogate characters are invisible, or not the same everywhere.
const unwantedCharacters = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}]/u;

/**
 * Code units beyond which no text can have so few characters. Normalisation takes time quadratic in the length of a row of
 * accents, so that longer text is refused before. NFC shortens no text by more than a factor of 4 (UAX #15), and a character
 * has at most two code units.
 */
export function maxUnitsOf(maxCharacters: number): number {
  return 8 * maxCharacters;
}

/** Text in any language, normalised to NFC so that what looks the same is the same. */
export function checkLabel(text: string, maxCharacters: number, errors: FieldErrors): string {
  const label = text.length > maxUnitsOf(maxCharacters) ? text : text.normalize('NFC');
  if (label === '') errors.add('required', 'Must not be empty.');
  else if (label.length > maxCharacters && [...label].length > maxCharacters) {
    errors.add('too_long', `Must have at most ${maxCharacters} characters.`);
  } else if (unwantedCharacters.test(label)) {
    errors.add('characters', 'Must have no control, format, private-use or unpaired surrogate characters.');
  } else if (label.trim() !== label) errors.add('surrounding_space', 'Must have no spaces at the ends.');
  return label;
}

/** A text to look labels up by, in the form in which they are stored. */
export function checkLookup(text: string, maxCharacters: number, errors: FieldErrors): string {
  if (!text.isWellFormed()) errors.add('ill_formed', 'Must be well-formed Unicode.');
  else if (text.length > maxUnitsOf(maxCharacters)) {
    errors.add('too_long', `Must have at most ${maxCharacters} characters.`);
  } else return text.normalize('NFC');
  return text;
}
