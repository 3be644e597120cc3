export const jsonType = 'application/json';
export const htmlType = 'text/html';

interface MediaRange {
  readonly range: string;
  readonly quality: number;
}

/**
 * Which of these types an Accept header prefers (RFC 9110, section 12.5.1): of types that are equally welcome the one that
 * the header names first, and the first of `types` if it names none of them.
 * @returns null when it accepts none of them
 */
export function preferredType(accept: string, types: readonly string[]): string | null {
  const ranges = accept.split(',').map(parseRange);
  const qualities = types.map((type) => qualityOf(type, ranges));
  const best = Math.max(...qualities);
  if (best === 0) return null;
  const welcome = types.filter((_type, index) => qualities[index] === best);
  const named = ranges.find(({ range }) => welcome.includes(range));
  return named?.range ?? welcome[0] ?? null;
}

/** Whether a browser navigates here: it names text/html, and prefers a page to any of these types. */
export function prefersHtml(accept: string | undefined, types: readonly string[]): boolean {
  const ranges = (accept ?? '').split(',').map(parseRange);
  if (!ranges.some(({ range }) => range === htmlType)) return false;
  return types.every((type) => qualityOf(htmlType, ranges) > qualityOf(type, ranges));
}

/** The most specific range that matches decides. */
function qualityOf(type: string, ranges: readonly MediaRange[]): number {
  for (const range of [type, `${type.split('/')[0]}/*`, '*/*']) {
    const match = ranges.find((candidate) => candidate.range === range);
    if (match) return match.quality;
  }
  return 0;
}

function parseRange(text: string): MediaRange {
  const [range = '', ...parameters] = partsOf(text);
  let quality = 1;
  for (const parameter of parameters) {
    const [name, value = ''] = parameter.split('=').map((part) => part.trim());
    if (name === 'q') quality = Number.parseFloat(value) || 0;
    // Every answer is UTF-8.
    if (name === 'charset' && value.replaceAll('"', '') !== 'utf-8') quality = 0;
  }
  return { range, quality };
}

/** Whether a Content-Type is JSON in UTF-8. */
export function isJson(contentType: string | undefined): boolean {
  if (contentType === jsonType) return true;
  const [type = '', ...parameters] = partsOf(contentType ?? '');
  if (type !== jsonType) return false;
  const charset = parameters.find((parameter) => parameter.startsWith('charset='));
  return charset === undefined || /^charset="?utf-?8"?$/.test(charset);
}

/** A media type and its parameters, in lower case. */
function partsOf(text: string): string[] {
  return text
    .toLowerCase()
    .split(';')
    .map((part) => part.trim());
}
