import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { ConfigurationError } from '../../src/errors.ts';
import { TestGateway } from '../support/gateway.ts';

describe('CORS', () => {
  const here = 'https://app.example.com';
  const preflight = (origin: string) => ({
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,content-type',
    },
  });
  const allowed = (headers: Headers) => [...headers.keys()].filter((name) => name.startsWith('access-control-'));
  const crossOrigin = async (gateway: TestGateway, origin: string) =>
    (await gateway.run('{ __typename }', {}, { headers: { origin } })).headers;

  it('is off by default: no page may read an answer, and no preflight request succeeds', async () => {
    const gateway = await TestGateway.start('sqlite');
    try {
      const answer = await fetch(gateway.url, preflight(here));
      expect(answer.status).toBe(405);
      expect(allowed(answer.headers)).toEqual([]);
      expect(allowed(await crossOrigin(gateway, here))).toEqual([]);
    } finally {
      await gateway.close();
    }
  });

  describe('with CORS_ORIGINS', () => {
    let gateway: TestGateway;
    beforeAll(async () => {
      gateway = await TestGateway.start('sqlite', {
        CORS_ORIGINS: `${here} http://localhost:5173, capacitor://localhost https://*.preview.example.com http://[::1]:5173`,
      });
    });
    afterAll(() => gateway.close());

    it.each([
      here,
      'http://localhost:5173',
      'http://[::1]:5173',
      'capacitor://localhost',
      'https://one.preview.example.com',
      'https://a.b.preview.example.com',
      'https://xn--bcher-kva.preview.example.com',
    ])('lets pages of %s send requests, without cookies', async (origin) => {
      const answer = await fetch(gateway.url, preflight(origin));
      expect(answer.status).toBe(204);
      expect(answer.headers.get('access-control-allow-origin')).toBe(origin);
      expect(answer.headers.get('access-control-allow-methods')).toBe('GET, POST');
      expect(answer.headers.get('access-control-allow-headers')?.toLowerCase()).toMatch(
        /authorization.*content-type.*x-api-key/,
      );
      expect(answer.headers.has('access-control-allow-credentials')).toBe(false);
      const headers = await crossOrigin(gateway, origin);
      expect(headers.get('access-control-allow-origin')).toBe(origin);
      expect(headers.get('access-control-expose-headers')).toMatch(/X-Request-Id.*Retry-After/);
      expect(headers.get('vary')).toMatch(/Origin/i);
    });

    const ofLibraries = [
      ...['apollographql-client-name', 'apollographql-client-version', 'apollo-require-preflight', 'sentry-trace'],
      ...[
        'baggage',
        'traceparent',
        'tracestate',
        'x-requested-with',
        'x-datadog-trace-id',
        'b3',
        'graphql-client-name',
      ],
    ];

    it('lets such a page send the headers that its libraries add', async () => {
      const asked = ['authorization', 'content-type', ...ofLibraries].join(',');
      const { method, headers } = preflight(here);
      const answer = await fetch(gateway.url, {
        method,
        headers: { ...headers, 'access-control-request-headers': asked },
      });
      const names = answer.headers.get('access-control-allow-headers')?.toLowerCase().split(', ');
      expect(names).toEqual(expect.arrayContaining(asked.split(',')));
      expect(new Set(names).size).toBe(names?.length);
      expect(answer.headers.get('vary')).toBe('Origin, Access-Control-Request-Headers');
    });

    it('repeats no name that is no name of a header, and not any number of them', async () => {
      const { method, headers } = preflight(here);
      const asked = `bad name,b"d,${'x'.repeat(200)},${Array.from({ length: 200 }, (_, index) => `x-${index}`)}`;
      const answer = await fetch(gateway.url, {
        method,
        headers: { ...headers, 'access-control-request-headers': asked },
      });
      const names = answer.headers.get('access-control-allow-headers')?.split(', ') ?? [];
      expect(names).toContain('x-1');
      expect(names.length).toBeLessThan(60);
      for (const name of names) expect(name).toMatch(/^[\w-]{1,100}$/);
    });

    it('lets such a page read the request id, when to retry, and the rate limits', async () => {
      const exposed = (await crossOrigin(gateway, here)).get('access-control-expose-headers')?.split(', ');
      expect(exposed).toEqual(
        expect.arrayContaining([
          ...['X-Request-Id', 'Retry-After', 'RateLimit', 'RateLimit-Policy'],
          ...['RateLimit-Limit', 'RateLimit-Remaining', 'RateLimit-Reset'],
        ]),
      );
    });

    it('lets such a page read why its request was refused', async () => {
      const { status, headers } = await gateway.run(
        '{ viewer { subject } }',
        {},
        {
          token: 'wrong',
          headers: { origin: here },
        },
      );
      expect(status).toBe(401);
      expect(headers.get('access-control-allow-origin')).toBe(here);
    });

    it.each([
      'https://elsewhere.example.com',
      'http://app.example.com',
      'https://app.example.com.evil.test',
      'https://app.example.com:8443',
      'https://preview.example.com',
      'http://one.preview.example.com',
      'https://one.preview.example.com:8443',
      'https://one.preview.example.com.evil.test',
      'https://evil.test/.preview.example.com',
      'https://evilpreview.example.com',
      'https://.preview.example.com',
      'https://*.preview.example.com',
      'https://ONE.preview.example.com',
      'capacitor://localhost.evil.test',
      'ionic://localhost',
      'null',
    ])('lets no page of %s send requests', async (origin) => {
      const answer = await fetch(gateway.url, preflight(origin));
      expect(answer.status).toBe(405);
      expect(allowed(answer.headers)).toEqual([]);
      const headers = await crossOrigin(gateway, origin);
      expect(allowed(headers)).toEqual([]);
      expect(headers.get('vary')).toMatch(/Origin/i);
    });
  });

  it.each([
    ['app.example.com', /has no scheme/],
    ['localhost:3000', /has no scheme/],
    ['https://app.example.com/', /has a slash/],
    ['https://app.example.com/path', /has a slash/],
    ['https://app.example.com?x', /has a slash/],
    ['*', /would let every page in/],
    ['null', /sandboxed/],
    ['https://App.example.com', /capital letters/],
    ['https://app.example.com:443', /a port that browsers leave out/],
    ['http://app.example.com:80', /a port that browsers leave out/],
    ['http://localhost:*', /wildcard as its port/],
    ['https://ada@app.example.com', /has a user/],
    ['https://bücher.example', /xn--/],
    ['https://*', /wildcard that is not the whole first part/],
    ['https://app.*.example.com', /wildcard that is not the whole first part/],
    ['https://app*.example.com', /wildcard that is not the whole first part/],
    ['https://**.example.com', /wildcard that is not the whole first part/],
    ['https://*.com', /top-level domain/],
    ['https://*.192.0.2.1', /wildcard before an address/],
    ['http://127.1:3000', /browsers write in another way/],
    ['http://app.example.com:99999', /does not exist/],
    ['file://', /is not an origin/],
    ['https://app.example.com https://ok.example.com/', /origin 2 of 2 has a slash/],
  ])('CORS_ORIGINS=%s, which no browser sends, is refused at the start with the fix', (value, message) => {
    const read = () => readConfig({ CORS_ORIGINS: value });
    expect(read).toThrow(ConfigurationError);
    expect(read).toThrow(/^CORS_ORIGINS must be origins as browsers send them, and .*\. .*\.$/);
    expect(read).toThrow(message);
  });
});
