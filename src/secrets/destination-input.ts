import { isIP } from 'node:net';
import type { Destination } from '../model/destination.ts';
import { canonicalPath } from '../rules/canonical-path.ts';
import type { FieldErrors } from '../rules/field-errors.ts';
import { isHeaderName } from '../rules/header-syntax.ts';
import { isLoopback } from '../runtime/secure-url.ts';
import type { Dependencies } from './dependencies.ts';

/** Where a caller says that a value may be sent. */
export interface DestinationInput {
  readonly origin: string;
  readonly header: string;
  /** Has exactly one `{value}`. */
  readonly format: string;
  /** Every path when they are left out. */
  readonly paths?: readonly string[] | null | undefined;
}

const maxOriginCharacters = 300;
const maxHeaderCharacters = 100;
const maxFormatCharacters = 200;
const maxPaths = 20;
const maxPathCharacters = 200;

/** Where a value is put into a format. */
const valueMark = '{value}';

/** Where values may be sent at all. */
export type Reach = Pick<Dependencies, 'allowHttp' | 'isAllowedAddress'>;

/**
 * A destination that a caller names, in the form in which it is stored: origin and paths are canonical, so that a request can be
 * compared with them as they are.
 */
export function checkDestination(input: DestinationInput, reach: Reach, errors: FieldErrors): Destination {
  const { origin, header, format, paths } = input;
  checkHeader(header, errors.at('header'));
  checkFormat(format, errors.at('format'));
  return {
    origin: checkOrigin(origin, reach, errors.at('origin')),
    header,
    format,
    paths: paths == null ? null : checkPaths(paths, errors.at('paths')),
    byHand: true,
  };
}

const originExample = 'Write it as https://api.example.com.';
/** Of a host: letters of ASCII, so that no two hosts look the same, and nothing that a URL parser would read as another host. */
const hostPattern =
  /^(?:\[[\da-f:.]+\]|(?=.{1,253}$)[a-z\d_](?:[a-z\d_-]{0,61}[a-z\d_])?(?:\.[a-z\d_](?:[a-z\d_-]{0,61}[a-z\d_])?)*)$/;
const originPattern = /^(https?):\/\/([^/?#@\\:[\]]+|\[[^/?#@\\[\]]*\])(?::(\d{1,5}))?$/;

function checkOrigin(text: string, { allowHttp, isAllowedAddress }: Reach, errors: FieldErrors): string {
  const refuse = (type: string, message: string) => {
    errors.add(type, message);
    return text;
  };
  if (text.length > maxOriginCharacters)
    return refuse('too_long', `Must have at most ${maxOriginCharacters} characters.`);
  // Schemes and hosts have no case (RFC 3986, section 6.2.2.1).
  const lower = text.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
  const [, scheme, host = '', port] = originPattern.exec(lower) ?? [];
  if (scheme === undefined) return refuse('origin', faultOfOrigin(lower));
  if (host.endsWith('.')) return refuse('origin', 'Must have no dot at the end of its host.');
  if (!hostPattern.test(host))
    return refuse(
      'origin',
      `Must have a host in letters of ASCII; other letters are written as xn--…. ${originExample}`,
    );
  const url = URL.parse(lower);
  if (!url || Number(port) === 0)
    return refuse('origin', `Must have a host and a port that can exist. ${originExample}`);
  // The address that is checked must be the one that people read: 0x7f.1 is 127.0.0.1.
  if (url.hostname !== host)
    return refuse('origin', 'Must have an address in its usual form, such as 192.0.2.1 or [2001:db8::1].');
  const name = host.replaceAll(/[[\]]/g, '');
  if (isIP(name) !== 0 && !isAllowedAddress(name))
    return refuse(
      'private_address',
      'Must be a public address: this one is private, or has a special purpose. An operator can allow private ones with BROKER_ALLOW_PRIVATE.',
    );
  if (scheme === 'http' && !(allowHttp && isLoopback(name)))
    return refuse(
      'insecure_origin',
      `Must begin with https://: over plain HTTP anybody on the way could read the value.`,
    );
  return url.origin;
}

function faultOfOrigin(text: string): string {
  if (!/^[a-z][a-z\d+.-]*:\/\//.test(text)) return `Must begin with https://. ${originExample}`;
  if (!/^https?:/.test(text)) return `Must begin with https://, as no other scheme can be used. ${originExample}`;
  if (/^[^/]*\/\/[^/?#\\]*@/.test(text)) return 'Must have no user and no password in it.';
  if (/^[^/]*\/\/[^/?#\\]*[/?#\\]/.test(text))
    return 'Must end with the host or the port: leave out the slash, the path and the query. Paths stand in paths.';
  return `Must be a scheme, a host and perhaps a port. ${originExample}`;
}

/**
 * Headers in which no value is put. Some are about the connection, or framed by the gateway itself (RFC 9110, section 7.6.1); some
 * are not forwarded; some choose another host, method or path than the request has; and some are written to logs everywhere.
 */
const refusedHeaders: ReadonlySet<string> = new Set([
  ...['connection', 'keep-alive', 'te', 'trailer', 'transfer-encoding', 'upgrade', 'http2-settings', 'expect', 'via'],
  ...['host', 'accept-encoding', 'date', 'max-forwards', 'range', 'alt-used'],
  ...['cookie', 'cookie2', 'set-cookie', 'set-cookie2', 'forwarded', 'x-real-ip', 'x-request-id'],
  ...[
    'x-http-method',
    'x-http-method-override',
    'x-method-override',
    'x-original-url',
    'x-original-host',
    'x-rewrite-url',
  ],
  ...['user-agent', 'referer', 'origin', 'from', 'traceparent', 'tracestate', 'baggage'],
]);
const refusedPrefixes = ['content-', 'proxy-', 'x-forwarded-', 'secrets-gateway-', 'sec-', 'access-control-', 'if-'];
function checkHeader(header: string, errors: FieldErrors): void {
  if (header === '') errors.add('required', 'Must not be empty.');
  else if (header.length > maxHeaderCharacters)
    errors.add('too_long', `Must have at most ${maxHeaderCharacters} characters.`);
  else if (!isHeaderName(header))
    errors.add('header_name', 'Must be the name of a header without a colon, such as Authorization or x-api-key.');
  else if (isRefused(header))
    errors.add(
      'header_not_allowed',
      'Must be a header for credentials, such as Authorization or x-api-key. This one has another meaning, or is not sent on.',
    );
}

/** CGI and what came after it do not tell `X_Forwarded_For` from `X-Forwarded-For`. */
function isRefused(header: string): boolean {
  const fold = header.toLowerCase().replaceAll(/[^a-z\d]/g, '-');
  return refusedHeaders.has(fold) || refusedPrefixes.some((prefix) => fold.startsWith(prefix));
}

/** Visible ASCII, with spaces within: what every server reads in the same way. */
const headerText = /^[!-~](?:[ -~]*[!-~])?$/;

function checkFormat(format: string, errors: FieldErrors): void {
  if (format.length > maxFormatCharacters)
    errors.add('too_long', `Must have at most ${maxFormatCharacters} characters.`);
  else if (format.split(valueMark).length !== 2)
    errors.add('format', `Must have exactly one ${valueMark}, in the place of the value, such as Bearer ${valueMark}.`);
  else if (!headerText.test(format))
    errors.add('characters', 'Must have visible ASCII characters only, and spaces between them.');
}

function checkPaths(paths: readonly string[], errors: FieldErrors): string[] {
  if (paths.length === 0) errors.add('required', 'Must not be empty. Leave it out to allow every path.');
  if (paths.length > maxPaths) {
    errors.add('too_many', `Must have at most ${maxPaths} paths.`);
    return [];
  }
  return [...new Set(paths.map((path, index) => checkPath(path, errors.at(index))))];
}

/** The characters of a path (RFC 3986, section 3.3), without those that servers read in different ways. */
const pathPattern = /^\/(?:[\w.~!$&'()*+,=:@/-]|%[\da-f]{2})*$/i;
/** What must not be hidden from the comparison: slashes, dots, control characters, and percent signs, as some servers decode twice. */
const hidden = /%(?:2f|5c|2e|25|[01][\da-f]|7f)/i;

function checkPath(path: string, errors: FieldErrors): string {
  const refuse = (type: string, message: string) => {
    errors.add(type, message);
    return path;
  };
  if (path.length > maxPathCharacters) return refuse('too_long', `Must have at most ${maxPathCharacters} characters.`);
  if (!path.startsWith('/')) return refuse('path', 'Must begin with a slash, such as /v1.');
  if (!pathPattern.test(path))
    return refuse(
      'path',
      'Must have only characters of a path: no query, no backslash, and others encoded as in %C3%A9.',
    );
  if (hidden.test(path))
    return refuse('path', 'Must have no encoded slashes, backslashes, dots, percent signs or control characters.');
  if (!isUtf8(path)) return refuse('path', 'Must be encoded as UTF-8, as in %C3%A9.');
  const canonical = withoutLastSlash(canonicalPath(path));
  const segments = canonical.slice(1).split('/');
  if (canonical !== '/' && segments.includes('')) return refuse('path', 'Must have no two slashes side by side.');
  if (segments.some((segment) => segment === '.' || segment === '..'))
    return refuse('path', 'Must have no . or .. between its slashes.');
  return canonical;
}

/** A slash at the end says nothing, as whole segments are compared. */
function withoutLastSlash(path: string): string {
  return path === '/' ? path : path.replace(/\/$/, '');
}

/** A lenient decoder reads %C0%AE as a dot. */
function isUtf8(path: string): boolean {
  try {
    decodeURIComponent(path);
    return true;
  } catch {
    return false;
  }
}
