import type { IncomingMessage, ServerResponse } from 'node:http';

const exposedHeaders = 'X-Request-Id, Retry-After, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset';

/**
 * Lets pages of the configured origins call the gateway (Fetch standard, section 3.3). Pages set their credentials in a
 * header, so that cookies are neither needed nor allowed.
 * @returns whether this was a preflight request, which is answered then
 */
export function applyCors(request: IncomingMessage, response: ServerResponse, origins: readonly string[]): boolean {
  if (origins.length === 0) return false;
  response.setHeader('Vary', 'Origin');
  const { origin, 'access-control-request-method': preflight } = request.headers;
  if (origin === undefined || !origins.includes(origin)) return false;
  response.setHeader('Access-Control-Allow-Origin', origin);
  response.setHeader('Access-Control-Expose-Headers', exposedHeaders);
  if (request.method !== 'OPTIONS' || preflight === undefined) return false;
  response.writeHead(204, {
    'Access-Control-Allow-Methods': 'GET, POST',
    'Access-Control-Allow-Headers': 'Authorization, Content-Type, X-API-Key, X-Request-Id',
    'Access-Control-Max-Age': '600',
  });
  response.end();
  return true;
}
