import { bullets } from './mask.ts';
import { unwrap } from './pasted.ts';
import { decodings, mayBeEncoded, misread } from './text-encodings.ts';

/** The longest mask has 80 characters, and each of its bullets at most 30 when it was encoded twice. */
const maxLength = 600;

/**
 * Whether a value is the mask of the secret that it is set for: as it is, or as it comes back through a form, a page, a shell
 * or a file in the wrong encoding.
 */
export function isMaskOf(value: string, current: string): boolean {
  if (value.length > maxLength) return false;
  const [first = '', last = ''] = withoutSpaces(canonical(current)).split(bullets);
  const isMask = (form: string) => {
    const text = withoutSpaces(form);
    if (text.length <= first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false;
    const middle = text.slice(first.length, text.length - last.length);
    return first + last === '' ? row.test(middle) : filling.test(middle);
  };
  return (mayBeEncoded(value) && misread(current).has(value)) || formsOf(value).some(isMask);
}

/** Whether a value looks like a mask that the gateway made, of whatever secret. */
export function looksLikeMask(value: string): boolean {
  if (value.length > maxLength || !(mayBeEncoded(value) || /[*.?]{3}/.test(value))) return false;
  const isRow = (text: string) => row.test(text) && text.length >= bullets.length;
  return formsOf(value).some((form) => isRow(withoutSpaces(form)) || ourShape.test(form));
}

/** One of the signs that stand for hidden characters, over and over: what comes back of a mask that shows nothing. */
const row = /^([•*.·∙●⚫⬤○◦◉⋅‧・█■?\uFFFD\u0095])\1{2,}$/v;

/** Between the characters that a mask shows: one sign over and over, or one that stands for several. */
const filling = /^(?:([^\p{L}\p{N}]|x)\1+|[•●⋯█])$/iv;

const fill = '(?:•{4}|\\*{4}|\\.{4})';
const pemKind =
  '[A-Z0-9#. ]{0,50}(?:KEY|BLOCK|CERTIFICATE|REQUEST|CHAIN|CRL|PARAMETERS|MESSAGE|DATA|CMS|PKCS7|SIGNATURE)';
/** The shape of every mask: what it shows before and after its bullets, or the kind of a PEM file. */
const ourShape = new RegExp(
  `^(?:.{3}${fill}.|.{4}${fill}.{1,2}|.{5}${fill}.{2}|.{6}${fill}.{2,3}|${pemKind}${fill}(?:[A-Za-z0-9+\\/]{3}={0,2})?)$`,
  'v',
);

/** The value, and what it was before it was encoded or pasted with its surroundings, in the form in which masks are compared. */
function formsOf(value: string): string[] {
  const forms = new Set([value, unwrap(value).core]);
  if (!mayBeEncoded(value)) return [...forms].map(canonical);
  // A set is iterated over what is added meanwhile, too: a text may have been encoded twice.
  for (const form of forms) {
    if (forms.size > maxForms) break;
    for (const decoded of [unwrap(form).core, ...decodings(form)]) forms.add(decoded);
  }
  return [...forms].map(canonical);
}

const maxForms = 20;

/** Compatibility forms look the same (U+2026 is three dots), and what cannot be seen was not typed. */
function canonical(text: string): string {
  return text
    .normalize('NFKC')
    .replaceAll(/[\p{Cf}\p{Default_Ignorable_Code_Point}]/gv, '')
    .trim();
}

const withoutSpaces = (text: string) => text.replaceAll(/\s/g, '');
