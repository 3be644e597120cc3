import type { Warning } from '../model/warning.ts';
import { looksLikeMask } from './masked-value.ts';
import { type PastedType, unwrap } from './pasted.ts';
import type { PlaintextValue } from './value-input.ts';

/** In the order in which they are told. */
const messages: Readonly<Record<PastedType | 'invisible_characters' | 'placeholder' | 'mask', string>> = {
  trailing_newline: 'The value ends with a newline.',
  surrounding_space: 'The value begins or ends with white space.',
  quotes: 'The value is in quotes.',
  assignment: 'The value begins with a name, as a line of a file of settings does.',
  header: 'The value begins with the name of an HTTP header.',
  authentication_scheme: 'The value begins with an authentication scheme, such as Bearer.',
  invisible_characters: 'The value has control characters, or characters that cannot be seen.',
  placeholder: 'The value looks like a placeholder, which stands for another value.',
  mask: 'The value looks like the mask of a secret.',
};

/**
 * What looks like a mistake in a value. The value is kept exactly as it was sent, since only its owner knows what it must be.
 */
export function warningsOf(plaintext: Pick<PlaintextValue, 'field' | 'value'> | null): Warning[] {
  if (!plaintext) return [];
  const { field, value } = plaintext;
  const { types, core } = unwrap(value);
  const found: string[] = [...types];
  if (invisible.test(value)) found.push('invisible_characters');
  if (core.length <= longestPlaceholder && placeholder.test(core)) found.push('placeholder');
  if (looksLikeMask(value)) found.push('mask');
  if (found.length === 0) return [];
  return Object.entries(messages)
    .filter(([type]) => found.includes(type))
    .map(([type, message]) => ({ field, type, message: `${message} ${advice}` }));
}

const advice = 'It was kept as it was sent. If it should be without, set it again.';

/** Control characters except tabs and line ends, no-break spaces, and format characters that no script needs. */
const invisible =
  /[[\p{Cc}\u00A0\u00AD\u200B\u200E\u200F\u202A-\u202F\u2028\u2029\u2060-\u206F\uFEFF\u3164]--[\t\n\r]]/v;

const longestPlaceholder = 100;

/** Of templates, of shells, of documentation, and the gateway's own. */
const placeholder =
  /^(?:\$\{[^{}]*\}|\$[A-Z_][A-Z0-9_]*|%[A-Z_][A-Z0-9_]*%|\{\{[^{}]*\}\}|<[\w .:/-]+>|\[[\w .-]+\]|sec_[0-9a-f]{9}|change[-_ ]?me|x{4,}|todo|(?:your|my|insert|enter|paste|replace)[-_ ][\w -]{0,60}(?:key|token|secret|password|value)[-_ ]?(?:here)?)$/i;
