import type { IncomingMessage } from 'node:http';
import { badRequest } from '../errors.ts';
import { sentValues } from './sent-values.ts';

/**
 * Makes one form of the request targets that there are (RFC 9112, section 3.2): afterwards `url` begins with the path, and
 * the Host header is what the client wants to reach. Everything behind this may build a URL from the two.
 * @throws DomainError BAD_REQUEST for a target or a Host header that is malformed, missing or doubled
 */
export function normalizeTarget(request: IncomingMessage): void {
  const hosts = sentValues(request, 'host');
  const host = hosts[0];
  if (hosts.length > 1) throw badRequest('Send one Host header.');
  if (host === undefined && request.httpVersion === '1.1') throw badRequest('Send a Host header.');
  if (host !== undefined && !isAuthority(host)) throw badRequest('The Host header must be a name or an address.');
  const { url = '' } = request;
  if (url.startsWith('/') || (url === '*' && request.method === 'OPTIONS')) return;
  // Section 3.2.2: the target may be a whole URL, as clients of a proxy send it. Its authority then counts as the host.
  const [, authority = '', path = ''] = /^https?:\/\/([^/?#]*)([^#]*)/i.exec(url) ?? [];
  if (!isAuthority(authority)) throw badRequest('The request target must be a path or an http: URL.');
  request.headers.host = authority;
  request.url = path.startsWith('/') ? path : `/${path}`;
}

/** Most requests name the host that the one before them named. */
let lastAuthority = '';

/** A host and a port (RFC 3986, section 3.2), without a user, of which a URL can be made. */
function isAuthority(text: string): boolean {
  if (text !== '' && text === lastAuthority) return true;
  if (!looksLikeAuthority(text)) return false;
  lastAuthority = text;
  return true;
}

function looksLikeAuthority(text: string): boolean {
  return /^([\w.~!$&'()*+,;=%-]+|\[[\da-f:.]+\])(:\d{0,5})?$/i.test(text) && URL.canParse(`http://${text}/`);
}
