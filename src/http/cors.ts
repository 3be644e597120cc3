import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Route } from './route.ts';

const exposedHeaders = [
  'X-Request-Id',
  'Retry-After',
  'RateLimit',
  'RateLimit-Policy',
  'RateLimit-Limit',
  'RateLimit-Remaining',
  'RateLimit-Reset',
  'WWW-Authenticate',
].join(', ');

/** What the gateway itself reads. */
const ownHeaders = ['Authorization', 'Content-Type', 'X-API-Key', 'X-Request-Id'];

/** Whether pages of an origin may call the gateway. */
export type AllowsOrigin = (origin: string) => boolean;

/**
 * Lets pages of the configured origins call the gateway (Fetch standard, section 3.3), with whatever headers their libraries
 * add: names of clients, traces. Pages set their credentials in a header, so that cookies are neither needed nor allowed.
 * @param allows null without any origin
 * @returns whether this was a preflight request, which is answered then
 */
export function applyCors(
  request: IncomingMessage,
  response: ServerResponse,
  allows: AllowsOrigin | null,
  { methods, exposedHeaders: more }: Pick<Route, 'methods' | 'exposedHeaders'>,
): boolean {
  if (!allows) return false;
  response.setHeader('Vary', 'Origin');
  const { origin, 'access-control-request-method': preflight } = request.headers;
  if (origin === undefined || !allows(origin)) return false;
  response.setHeader('Access-Control-Allow-Origin', origin);
  response.setHeader('Access-Control-Expose-Headers', more ? `${exposedHeaders}, ${more}` : exposedHeaders);
  if (request.method !== 'OPTIONS' || preflight === undefined) return false;
  response.writeHead(204, {
    'Access-Control-Allow-Methods': methods.join(', '),
    'Access-Control-Allow-Headers': [...ownHeaders, ...askedHeaders(request)].join(', '),
    'Access-Control-Max-Age': '600',
    Vary: 'Origin, Access-Control-Request-Headers',
  });
  response.end();
  return true;
}

const maxHeaders = 50;

/** Names of headers that a page wants to send (RFC 9110, section 5.6.2), beside those that are always allowed. */
function askedHeaders({ headers }: IncomingMessage): string[] {
  const asked = String(headers['access-control-request-headers'] ?? '')
    .split(',', maxHeaders)
    .map((name) => name.trim().toLowerCase());
  const own = new Set(ownHeaders.map((name) => name.toLowerCase()));
  return asked.filter((name) => /^[\w!#$%&'*+.^`|~-]{1,100}$/.test(name) && !own.has(name));
}
