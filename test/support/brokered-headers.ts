import fc from 'fast-check';
import { requireAllowedPath } from '../../src/broker/allowed-path.ts';
import { brokerCredentialOf } from '../../src/broker/credential.ts';
import { refuseOwnCredentials } from '../../src/broker/own-credentials.ts';
import { requestHeaders } from '../../src/broker/request-headers.ts';
import { readTarget } from '../../src/broker/target.ts';
import { DomainError } from '../../src/errors.ts';
import { newApiKey } from '../../src/identity/api-key.ts';
import { createOwnTokenRule } from '../../src/identity/unverified-token.ts';
import { foreignToken, ownIssuer, ownToken } from './hand-made-token.ts';

export const key = newApiKey();
export const otherKey = newApiKey();
export const placeholder = 'sec_a23f23d26';
export const value = 'sk-live-0123456789';

export const destinations = {
  authorization: { header: 'Authorization', format: 'Bearer {value}' },
  apiKey: { header: 'x-api-key', format: '{value}' },
  google: { header: 'X-Goog-Api-Key', format: 'key={value}' },
};
type Put = (typeof destinations)['apiKey'];

const isOwnToken = createOwnTokenRule([ownIssuer]);

/** What the rules, one after the other, send upstream; null where they refuse. */
export function forwarded(rawHeaders: readonly string[], url: string, { header, format }: Put) {
  try {
    const credential = brokerCredentialOf({ rawHeaders: [...rawHeaders] });
    const { path, query } = readTarget(url);
    refuseOwnCredentials({ path, query }, rawHeaders, credential, isOwnToken);
    if (credential.header !== '' && credential.header !== header.toLowerCase()) return null;
    requireAllowedPath(path, { paths: ['/v1'] });
    const use = { destination: { header, format }, value, credentialHeader: credential.header };
    return { path: path + query, credentialHeader: credential.header, headers: requestHeaders(rawHeaders, use) };
  } catch (error) {
    if (error instanceof DomainError && error.status < 500) return null;
    throw error;
  }
}

/** How CGI names a header. */
export const cgi = (name: string) =>
  `HTTP_${name
    .toUpperCase()
    .split(/[^A-Z\d]/)
    .join('_')}`;

const hidden =
  /^HTTP_(HOST|CONNECTION|KEEP_ALIVE|TE|TRAILER|TRANSFER_ENCODING|UPGRADE|EXPECT|CONTENT_LENGTH|ACCEPT_ENCODING|COOKIE2?|ORIGIN|REFERER|FORWARDED|VIA|X_REAL_IP|X_CLIENT_IP|X_ORIGINAL_URL|X_REWRITE_URL|X_FORWARDED.*|PROXY_.*|SEC_.*|SECRETS_GATEWAY_.*)$/;
export const mayPass = (name: string) => !hidden.test(cgi(name));

export function pairsOf(raw: readonly string[]): [string, string][] {
  return raw.flatMap((name, at) => (at % 2 === 0 ? [[name, raw[at + 1] ?? ''] satisfies [string, string]] : []));
}

/** Whether something of the gateway's can be read out of a text: as it is, percent-decoded, or out of its words in base64. */
export function tells(text: string): boolean {
  const decoded = [text, decodedBytes(text), decodedBytes(decodedBytes(text))];
  const forms = decoded.flatMap((form) => [
    form,
    ...form.split(' ').map((word) => Buffer.from(word, 'base64').toString()),
  ]);
  return forms.some((form) => secrets.some((secret) => form.includes(secret)));
}

const decodedBytes = (text: string) =>
  text.replaceAll(/%([\da-f]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));

/** What is wrong with headers that went upstream for these; undefined when nothing is. */
export function faultOf(
  sent: readonly string[],
  out: readonly string[],
  put: Put,
  credentialHeader: string,
): string | undefined {
  const { header, format } = put;
  const names = [cgi(header), cgi('Accept-Encoding')];
  const pairs = pairsOf(out);
  const own = JSON.stringify(pairs.filter(([name]) => names.includes(cgi(name))));
  const wanted = [
    ['Accept-Encoding', 'identity'],
    [header, format.replace('{value}', value)],
  ];
  if (own !== JSON.stringify(wanted)) return `put in: ${own}`;
  const others = pairs.filter(([name]) => !names.includes(cgi(name)));
  const secret = others.find(([name, text]) => text.includes(value) || tells(name) || tells(text));
  if (secret) return `told: ${secret[0]}`;
  const hops = pairsOf(sent).flatMap(([name, list]) => (/^connection$/i.test(name) ? list.split(',') : []));
  const gone = new Set([...hops.map((name) => cgi(name.trim())), cgi(header), cgi(credentialHeader)]);
  const isKey = (name: string, text: string) => cgi(name) === 'HTTP_X_API_KEY' && text.startsWith('sgk_');
  const kept = pairsOf(sent).filter(([name, text]) => !gone.has(cgi(name)) && mayPass(name) && !isKey(name, text));
  return JSON.stringify(others) === JSON.stringify(kept) ? undefined : `passed: ${JSON.stringify(others)}`;
}

const secrets = [key, otherKey, ownToken, placeholder];
const percent = (text: string) => Array.from(text, (c) => `%${c.charCodeAt(0).toString(16)}`).join('');
export const hiddenForms = (word: string) => [
  word,
  percent(word),
  percent(percent(word)),
  `Basic ${btoa(`api:${word}`)}`,
];

const spelt = [
  ...[
    'Authorization',
    'X-Api-Key',
    'X-Goog-Api-Key',
    'Accept',
    'X-Note',
    'X-Hop',
    'Content-Type',
    'User-Agent',
    'X-HTTP-Method',
  ],
  ...[
    'Connection',
    'Cookie',
    'X-Forwarded-For',
    'X-Forwarded-Prefix',
    'Proxy-Note',
    'Via',
    'Origin',
    'X-Original-URL',
    'X-Rewrite-URL',
  ],
  ...[
    'Secrets-Gateway-Error',
    'Forwarded',
    'Keep-Alive',
    'Accept-Encoding',
    'Expect',
    'TE',
    'Sec-Fetch-Site',
    'X-Real-IP',
    'X-Client-IP',
  ],
].flatMap((name) => [
  name,
  name.toLowerCase(),
  name.toUpperCase(),
  name.replaceAll('-', '_'),
  name.replaceAll('-', '.'),
]);
export const anyName = fc.constantFrom(...spelt);

const harmless = [
  'x',
  '',
  'close',
  'x-note',
  'x-hop, authorization',
  'Authorization',
  'a, b',
  'CafÃ©',
  'sgk_typo',
  'Bearer other',
  '/admin',
];
const told = secrets.flatMap((word) => [...hiddenForms(word), `Bearer ${word}`, `a="${word}", b`]);
export const anyValue = fc.oneof(
  { weight: 14, arbitrary: fc.constantFrom(...harmless, foreignToken) },
  { weight: 1, arbitrary: fc.constantFrom(...told) },
  { weight: 1, arbitrary: fc.string({ maxLength: 8 }).map((text) => text.trim()) },
);

const credentials = fc.constantFrom(
  ['Proxy-Authorization', `Bearer ${key}`],
  ['Proxy-Authorization', `Bearer ${ownToken}`],
  ['X-API-Key', key],
  ['Authorization', `Bearer ${ownToken}`],
  ['authorization', `Basic ${btoa(`${key}:`)}`],
  ['x-goog-api-key', key],
);
const some = fc.array(fc.tuple(anyName, anyValue), { maxLength: 6 }).map((pairs) => pairs.flat());

/** A credential among other headers. */
export const anyHeaders = fc.tuple(some, credentials, some).map((parts) => parts.flat());
