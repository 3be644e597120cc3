import { createHash } from 'node:crypto';
import { jsonErrors } from '../http/refusal.ts';
import { bodyless, type Route } from '../http/route.ts';

const maxAgeSeconds = 300;

/**
 * `GET /.well-known/jwks.json`: the public keys that clients seal values to (RFC 7517, section 5), for everybody.
 * @param keys as they are now
 */
export function sealingKeySet(keys: () => readonly object[]): Route {
  return {
    path: '/.well-known/jwks.json',
    methods: ['GET', 'HEAD'],
    // A few hundred bytes from memory, which clients need before they can send anything.
    admission: 'always',
    anyHost: true,
    crossOrigin: true,
    limits: bodyless,
    errors: jsonErrors,
    answer({ request, response }) {
      const body = JSON.stringify({ keys: keys() });
      const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
      const headers = { 'Cache-Control': `public, max-age=${maxAgeSeconds}`, ETag: etag };
      if (matches(request.headers['if-none-match'], etag)) {
        response.writeHead(304, headers).end();
        return;
      }
      response.writeHead(200, {
        ...headers,
        'Content-Type': 'application/jwk-set+json',
        'Content-Length': Buffer.byteLength(body),
      });
      response.end(request.method === 'HEAD' ? undefined : body);
    },
  };
}

/** RFC 9110, section 13.1.2: the comparison is weak. */
function matches(header: string | undefined, etag: string): boolean {
  const tags = header?.split(',').map((tag) => tag.trim().replace(/^W\//, '')) ?? [];
  return tags.includes(etag) || tags.includes('*');
}
