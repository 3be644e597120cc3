import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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
      gateway = await TestGateway.start('sqlite', { CORS_ORIGINS: `${here} http://localhost:5173` });
    });
    afterAll(() => gateway.close());

    it.each([here, 'http://localhost:5173'])('lets pages of %s send requests, without cookies', async (origin) => {
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

  it.each(['app.example.com', 'https://app.example.com/', '*'])(
    'CORS_ORIGINS=%s is refused at start',
    async (value) => {
      await expect(TestGateway.start('sqlite', { CORS_ORIGINS: value })).rejects.toThrow(/CORS_ORIGINS/);
    },
  );
});
