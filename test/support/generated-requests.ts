import fc from 'fast-check';
import type { Usable, User } from './broker.ts';
import type { Arrived } from './upstream.ts';

/** What the destination allows. */
export const allowedPaths = ['/v1', '/only/this'];

const pathTricks = [
  ...['.', '..', '...', '%2e', '%2e%2e', '.%2E', '..;', ';x=1', '%2f', '%2F..%2f', '%5c', '\\', '..\\', '', '*', '‥'],
  ...[
    '%252e%252e',
    '%252f',
    '%00',
    '%0d%0aX-Injected:%201',
    '%09',
    '%20',
    '@elsewhere',
    'user:pass@elsewhere',
    'http:',
  ],
  ...['%40', '%', '%zz', '%c0%af', '%e2%80%ae', '%ff'],
];
const headerNames = [
  ...['Authorization', 'authorization', 'X-Api-Key', 'Proxy-Authorization', 'Cookie', 'Cookie2', 'Host', 'Connection'],
  ...['X-Forwarded-For', 'X-Forwarded-Host', 'Forwarded', 'Via', 'TE', 'Keep-Alive', 'Proxy-Connection', 'X-Real-Ip'],
  ...[
    'Accept-Encoding',
    'Secrets-Gateway-Anything',
    'X-Other',
    'User-Agent',
    'Accept',
    'Origin',
    'Referer',
    'X Y',
    'X-Y ',
  ],
  ...[
    '',
    ':authority',
    'X-É',
    'Transfer-Encoding',
    'Content-Length',
    'Expect',
    'Upgrade',
    'Trailer',
    'X-HTTP-Method-Override',
  ],
];
const headerValues = [
  ...['1', '', 'a=b', 'elsewhere', 'http://elsewhere/', 'authorization', 'close, authorization', 'keep-alive, x-other'],
  ...['host', 'chunked', 'identity', 'gzip', '0', '5', '-1', '100-continue', 'websocket', 'trailers', 'for=1.2.3.4'],
  ...['Bearer x', '\x7f', '\x01', 'a\rX-Injected: 1', 'é', 'a\tb', 'long '.repeat(50)],
];

export interface Generated {
  readonly selector: string;
  readonly path: readonly string[];
  readonly query: string;
  readonly method: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly isSignedIn: boolean;
}

/** Words of the gateway that must never be sent on, as they are and percent-encoded. */
export function gatewayWords(...words: string[]): string[] {
  const encoded = (word: string) => [...word].map((sign) => `%${sign.charCodeAt(0).toString(16)}`).join('');
  return words.flatMap((word) => [word, encoded(word), word.replace('_', '%5f'), `Bearer ${word}`.replace(' ', '%20')]);
}

/** @param words of the gateway, that must not be sent on */
export function requestsOf(secret: Usable, words: readonly string[]): fc.Arbitrary<Generated> {
  // Mostly what is allowed, so that there are requests in which a single part is hostile.
  const mostly = (good: readonly string[], ...bad: (readonly string[])[]) =>
    fc.oneof(
      { arbitrary: fc.constantFrom(...good), weight: 10 },
      ...bad.map((some) => ({ arbitrary: fc.constantFrom(...some), weight: 1 })),
    );
  const segment = mostly(['v1', 'only', 'this', 'ok', 'echo', 'a', 'a%20b', '~', '%7e'], pathTricks, pathTricks, words);
  const value = mostly(headerValues, words);
  return fc.record({
    selector: mostly([secret.id, secret.placeholder, secret.id.toUpperCase()], pathTricks),
    path: fc
      .tuple(mostly(['v1', 'v1', 'v1', 'v10', 'only/this'], pathTricks), fc.array(segment, { maxLength: 3 }))
      .map((both) => both.flat()),
    query: fc.array(segment, { maxLength: 2 }).map((some) => (some.length === 0 ? '' : `?q=${some.join('&')}`)),
    method: mostly(['GET', 'POST', 'DELETE'], ['get', 'FOO']),
    headers: fc.array(fc.tuple(fc.constantFrom(...headerNames), value), { maxLength: 2 }),
    isSignedIn: fc.integer({ min: 0, max: 19 }).map((number) => number > 0),
  });
}

export function bytesOf(
  { selector, path, query, method, headers, isSignedIn }: Generated,
  { credential }: User,
): string {
  const lines = [
    `${method} /v1/use/${selector}/${path.join('/')}${query} HTTP/1.1`,
    'Host: 127.0.0.1',
    'Connection: close',
    ...(isSignedIn ? [`Authorization: Bearer ${credential}`] : []),
    ...headers.map(([name, value]) => `${name}: ${value}`),
  ];
  // Who promises a body sends it: an upstream that reads it would wait for it until the gateway's limit, 300 s.
  // These five bytes are a body of Content-Length 5, more than one of 1, and the end of a chunked one.
  const body = headers.some(([name]) => /^(?:content-length|transfer-encoding)$/i.test(name)) ? '0\r\n\r\n' : '';
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`).toString('latin1');
}

/** What is wrong with a request that an upstream got; nothing: it is what the destination allows. */
export function faultsOf({ target, head, rawHeaders }: Arrived, { value }: Usable, origin: string): string[] {
  const named = (name: string) =>
    rawHeaders.filter((_, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === name);
  const [path = ''] = target.split('?');
  const url = new URL(`http://upstream${target}`);
  const faults = {
    'another path than was allowed': !allowedPaths.some(
      (allowed) => path === allowed || path.startsWith(`${allowed}/`),
    ),
    'a path that is another once it is normalised': url.pathname !== path || url.host !== 'upstream',
    'a path that can be read in two ways': /\\|%2f|%5c|%2e|%00|(?:^|\/)\.\.?(?:\/|;|$)|%0[da]/i.test(path),
    'not one credential': JSON.stringify(named('authorization')) !== JSON.stringify([`Bearer ${value}`]),
    'the value somewhere else': head.split(value).length !== 2,
    'another host': JSON.stringify(named('host')) !== JSON.stringify([new URL(origin).host]),
    'a header that is not sent on':
      /^(?:cookie2?|forwarded|x-forwarded-[\w-]*|proxy-[\w-]*|te|keep-alive|upgrade|trailer|x-injected|secrets-gateway-[\w-]*):/im.test(
        head,
      ),
    'an encoding that was not asked for': named('accept-encoding').join() !== 'identity',
  };
  return Object.entries(faults).flatMap(([fault, isThere]) => (isThere ? [fault] : []));
}
