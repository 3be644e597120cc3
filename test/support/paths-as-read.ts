import fc from 'fast-check';

/**
 * How servers read a path, each in its way: they decode it none to three times, strictly or byte by byte, take backslashes and
 * look-alikes for slashes, cut parameters, spaces and dots off, and only then follow the dots.
 */
interface Reader {
  readonly decodes: number;
  readonly lenient: boolean;
  readonly alike: boolean;
  readonly cuts: boolean;
}
const both = [false, true];
const readers: Reader[] = [0, 1, 2, 3].flatMap((decodes) =>
  both.flatMap((lenient) => both.flatMap((alike) => both.map((cuts) => ({ decodes, lenient, alike, cuts })))),
);

function segmentsAsRead(path: string, { decodes, lenient, alike, cuts }: Reader): string[] | null {
  let text = path;
  for (let times = 0; times < decodes && text.includes('%'); times += 1) {
    text = lenient ? bytesDecoded(text) : decodedOrSame(text);
  }
  if (alike) text = text.normalize('NFKC').replaceAll(/[\\\u2044\u2215]/g, '/');
  // A C string ends at NUL, and what comes after a line break is another line.
  text = text.split(/[\0\r\n]/, 1)[0] ?? '';
  const resolved: string[] = [];
  for (const segment of text.split('/')) {
    const name = cuts ? (segment.split(/[;?#]/, 1)[0] ?? '').trim() : segment;
    if (name === '..' || (cuts && /^\.\.[. ]+$/.test(name))) {
      if (resolved.pop() === undefined) return null;
    } else if (name !== '' && name !== '.') resolved.push(name);
  }
  return resolved;
}

/** As decoders do that do not ask whether a sequence is longer than it need be. */
export function bytesDecoded(text: string): string {
  const bytes = Buffer.from(text)
    .toString('latin1')
    .replaceAll(/%([\da-f]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
  const overlong = bytes.replaceAll('\xc0\xae', '.').replaceAll('\xc0\xaf', '/').replaceAll('\xe0\x80\xae', '.');
  return Buffer.from(overlong, 'latin1').toString();
}

function decodedOrSame(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const origin = 'https://api.example.test';

/** How a path and a query lead out of an origin or out of a prefix, for some server; undefined where all agree that they do not. */
export function wayOut(path: string, query: string, prefix: string): string | undefined {
  const url = new URL(origin + path + query);
  if (url.origin !== origin || url.username !== '' || url.hash !== '') return 'another origin';
  if (URL.parse(path + query, origin)?.origin !== origin) return 'another origin as a reference';
  if (decodedOrSame(url.pathname) !== decodedOrSame(path)) return 'another path in a URL';
  if (/^\/[^/]*@/.test(decodedOrSame(path))) return 'a user, where the slash is forgotten';
  const wanted = prefix.split('/').filter(Boolean).map(decodedOrSame);
  for (const reader of readers) {
    const read = segmentsAsRead(path, reader);
    if (!read) return `above the root: ${JSON.stringify(reader)}`;
    const strays = wanted.some((segment, at) => decodedOrSame(read[at] ?? '') !== segment);
    if (strays) return `${read.join('/')}: ${JSON.stringify(reader)}`;
  }
  return undefined;
}

const pieces = [
  ...[
    '/',
    '/',
    '/',
    '//',
    '\\',
    '%2f',
    '%2F',
    '%5c',
    '%255c',
    '%252f',
    '%c0%af',
    '／',
    '%ef%bc%8f',
    '%e2%88%95',
    '%e2%81%84',
  ],
  ...[
    '.',
    '..',
    '...',
    '%2e',
    '%2E',
    '%252e',
    '%25',
    '2e',
    '%c0%ae',
    '%ef%bc%8e',
    '%E2%80%A5',
    '%e2%80%a4',
    '.%00',
    '%25%32%65',
  ],
  ...[
    ';',
    ';x=y',
    '%3b',
    ':',
    '@',
    '%40',
    '?',
    '#',
    '%23',
    '%3f',
    '%',
    '%zz',
    ' ',
    '%20',
    '+',
    '%0d%0a',
    '%09',
    '%7f',
    '\0',
    '\t',
  ],
  ...[
    'v1',
    'v1',
    '%761',
    'v%31',
    'V1',
    'x',
    'admin',
    'models',
    'evil.test',
    'user:password',
    'http:',
    'é',
    '%c3%a9',
    '{',
    '|',
    '~',
  ],
];
const begins = fc.constantFrom('', '/', '/v1', '/v1', '/v1/', '/%761/', '/v1/models/', '/v1/models', '/caf%c3%a9/');
const piece = fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...pieces) }, fc.string({ maxLength: 2 }));

/** What may stand behind the secret in a target. */
export const anyTarget = fc
  .tuple(begins, fc.array(piece, { maxLength: 9 }))
  .map(([begin, rest]) => begin + rest.join(''));
