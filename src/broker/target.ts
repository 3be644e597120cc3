import { badRequest } from '../errors.ts';
import { canonicalPath } from '../rules/canonical-path.ts';

export const brokerPath = '/v1/use';
/** What the path of a request to the broker begins with. */
export const brokerPrefix = `${brokerPath}/`;

/** What a request to the broker asks for. */
export interface Target {
  /** The secret: its id in lower case, or its placeholder. */
  readonly selector: string;
  /** In its one form: begins with a slash. What is compared with the destination's paths is what is sent. */
  readonly path: string;
  /** As it was sent: empty, or with its question mark. */
  readonly query: string;
}

const maxLength = 16 * 1024;
const selectorPattern = /^(?:[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}|sec_[\da-f]{9})$/;
const uuidLength = 36;

/** Whether the broker answers, if only with a refusal: its clients read no other kind. */
export function isForBroker(url: string): boolean {
  return /^[/?]|^$/.test(url.slice(brokerPath.length)) && url.startsWith(brokerPath);
}

/**
 * Reads `/v1/use/SECRET/path?query`, and refuses every path that an upstream could read as another one: servers differ in what they
 * decode, and how often.
 * @throws DomainError BAD_REQUEST
 */
export function readTarget(url: string): Target {
  if (!url.startsWith(brokerPrefix)) throw badRequest(`The path must begin with ${brokerPrefix} and a secret.`);
  requireVisible(url);
  const [selector = ''] = url.slice(brokerPrefix.length).split(/[/?]/, 1);
  return { selector: readSelector(selector), ...split(url.slice(brokerPrefix.length + selector.length)) };
}

/**
 * The same for a path and its query alone.
 * @throws DomainError BAD_REQUEST
 */
export function readPathAndQuery(text: string): Pick<Target, 'path' | 'query'> {
  requireVisible(text);
  return split(text);
}

function requireVisible(url: string): void {
  if (url.length > maxLength) throw badRequest('The path and the query must have at most 16,384 characters together.');
  // An authority or a server's log may end at such a character, where this reads on.
  if (!/^[!-~]+$/.test(url)) {
    throw badRequest(
      'The path and the query must be visible ASCII without spaces. Encode other characters as in %C3%A9.',
    );
  }
  if (url.includes('#')) throw badRequest('A request has no fragment: encode # as %23.');
}

function split(text: string): Pick<Target, 'path' | 'query'> {
  const queryAt = text.indexOf('?');
  const path = queryAt < 0 ? text : text.slice(0, queryAt);
  return { path: path === '' ? '/' : readPath(path), query: queryAt < 0 ? '' : text.slice(queryAt) };
}

/** Ids have no case, placeholders have. Neither is read in an encoded form, so that a secret has one name in all logs. */
function readSelector(sent: string): string {
  const selector = sent.length === uuidLength ? sent.toLowerCase() : sent;
  if (selectorPattern.test(selector)) return selector;
  throw badRequest(`After ${brokerPrefix} must stand the id of a secret, or its placeholder such as sec_a23f23d26.`);
}

/** Segments of letters, digits, `_`, `~` and `-`, with dots within them: nothing that anybody decodes, or reads as another path. */
const plainPath = /^(?:\/[\w~-][\w.~-]*)+\/?$/;

function readPath(path: string): string {
  if (plainPath.test(path)) return path;
  if (/%(?![\da-f]{2})/i.test(path))
    throw badRequest('The path has a % without two hexadecimal digits. Encode % as %25.');
  const canonical = canonicalPath(path);
  const decoded = decodedPath(canonical);
  if (decoded.includes('\\')) throw badRequest('The path must have no backslash, nor an encoded one.');
  // Joined with another host's name, or read as a reference (RFC 3986, section 4.2), it would name a host.
  if (decoded.startsWith('//')) throw badRequest('Write one slash after the secret, not two.');
  if (/^\/[^/]*@/.test(decoded)) throw badRequest('The first segment of the path must have no @.');
  if (/%(?:25)*2f/i.test(path) || /%(?:25)*2f/i.test(decoded)) throw badRequest('The path must have no encoded slash.');
  if (/%(?:25)*(?:2e|5c|[01][\da-f]|7f)/i.test(decoded)) {
    throw badRequest('The path must not be encoded twice.');
  }
  if (/\p{Cc}/u.test(decoded)) throw badRequest('The path must have no control characters.');
  if (decoded.split('/').some(isDots)) throw badRequest('The path must have no segment . or .., in whatever spelling.');
  return canonical;
}

/** @throws DomainError BAD_REQUEST for other bytes than UTF-8: a lenient decoder reads %C0%AE as a dot. */
function decodedPath(path: string): string {
  if (!path.includes('%')) return path;
  try {
    return decodeURIComponent(path);
  } catch {
    throw badRequest('The path must be encoded as UTF-8, as in %C3%A9.');
  }
}

/**
 * Whether a server may read a segment as `.` or `..`: some cut parameters off (`..;x`), some cut spaces and dots at the end, and
 * some replace wide or small dots and slashes by the usual ones.
 */
function isDots(segment: string): boolean {
  const parts = segment.normalize('NFKC').split(/[/\\\u2044\u2215]/);
  return parts.some((part) => /^ *\.[. ]*(?:[;?#]|$)/.test(part));
}
