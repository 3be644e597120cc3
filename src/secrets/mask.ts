import { onlyPrintable } from '../rules/characters.ts';
import { readPem } from './pem.ts';

const bullet = '•';
export const bullets = bullet.repeat(4);

/** Of a shorter value nothing is shown. */
const fewCharacters = 16;
/** At most one in this many characters is shown. */
const ratio = 4;
const maxShown = 9;

/**
 * What may be shown of a value: its first 6 and last 3 characters around four bullets, such as `sk-pro••••789`. At most a
 * quarter of the characters are shown, and none of a value under 16 characters, so that the hidden part cannot be guessed.
 * There are four bullets whatever the length. Only printable characters count and are shown: a line end, an escape sequence or
 * a mark would change what stands beside the mask. Of a PEM file its kind is shown, and the last characters of its body: the
 * first and the last characters of all of them are the same.
 */
export function mask(value: string): string {
  return maskOfPem(value) ?? maskOfText(value);
}

function maskOfText(value: string): string {
  const characters = printable(value);
  if (characters.length < fewCharacters) return bullets;
  const shown = Math.min(maxShown, Math.floor(characters.length / ratio));
  const last = Math.floor(shown / 3);
  const first = shown - last;
  return characters.slice(0, first).join('') + bullets + (last > 0 ? characters.slice(-last).join('') : '');
}

/** The characters that count: without spaces at the ends, and without bullets, which would be taken for those of the mask. */
function printable(value: string): string[] {
  return [...onlyPrintable(value.replaceAll(bullet, '')).trim()];
}

function maskOfPem(value: string): string | null {
  const pem = readPem(value);
  if (!pem) return null;
  const { kind, body } = pem;
  const ending = body.length < fewCharacters ? '' : (lastOfBase64.exec(body)?.[0] ?? '');
  const most = Math.floor([...value].length / ratio);
  if (kind.length + ending.length <= most) return kind + bullets + ending;
  return kind.length <= most ? kind + bullets : bullets;
}

/** Three characters, and the padding, which is the same for a third of all texts. */
const lastOfBase64 = /[A-Za-z0-9+/]{3}={0,2}$/;
