import type { ServerResponse } from 'node:http';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { usualClaims } from '../../src/identity/claims.ts';
import { jwksFromUrl } from '../../src/identity/jwks-from-url.ts';
import { KeySet } from '../../src/identity/key-set.ts';
import { createTokenVerifier, type VerifyToken } from '../../src/identity/verify-token.ts';
import { TestGateway } from '../support/gateway.ts';
import { Issuer } from '../support/issuer.ts';

const second = 1000;
const minute = 60 * second;

type Misbehaviour = (response: ServerResponse) => void;

const json = (body: unknown) => (response: ServerResponse) => {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
};

const nonsense: Record<string, Misbehaviour> = {
  'a closed connection': (response) => response.destroy(),
  'a truncated answer': (response) => {
    response.writeHead(200, { 'content-length': '1000' });
    response.write('{"keys":[');
    setTimeout(() => response.destroy(), 20);
  },
  'status 500': (response) => response.writeHead(500).end('{"keys":[]}'),
  'status 404': (response) => response.writeHead(404).end('not found'),
  'a page': (response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Sign in</h1>'),
  nothing: (response) => response.writeHead(200).end(),
  'status 204': (response) => response.writeHead(204).end(),
  'JSON that is not a key set': json({ error: 'x' }),
  null: json(null),
  'keys that are not a list': json({ keys: {} }),
  'a list of items that are not keys': json({ keys: [7] }),
  'over 256 KiB': (response) => response.writeHead(200).end(JSON.stringify({ keys: [], filler: 'x'.repeat(300_000) })),
  'an endless answer': (response) => {
    const timer = setInterval(() => response.write(Buffer.alloc(65_536, ' ')), 1);
    response.writeHead(200).once('close', () => clearInterval(timer));
  },
};

describe('a gateway whose JWKS endpoint', () => {
  let gateway: TestGateway;

  beforeAll(async () => {
    gateway = await TestGateway.start('sqlite', { RATE_LIMIT: 'off' });
  });
  afterAll(() => gateway.close());
  /** After a restart the gateway has no key. */
  async function restart(misbehave: Misbehaviour | null = null): Promise<void> {
    await gateway.stop();
    gateway.issuer.misbehave = misbehave;
    gateway.log.length = 0;
    await gateway.launch({ RATE_LIMIT: 'off' });
  }
  afterEach(() => {
    gateway.issuer.misbehave = null;
  });

  const call = (accept?: string) =>
    gateway.run('{ viewer { subject } }', {}, accept === undefined ? {} : { headers: { accept } });

  it.each(Object.keys(nonsense))('answers with %s from the start: BAD_GATEWAY, 502, with Retry-After', async (name) => {
    await restart(nonsense[name]);
    for (const accept of ['application/json', 'application/graphql-response+json']) {
      const { status, headers, errors, data } = await call(accept);
      expect(status).toBe(502);
      expect(errors[0]?.extensions).toMatchObject({ code: 'BAD_GATEWAY', status: 502, type: 'upstream_error' });
      expect(errors[0]?.extensions.retryAfter).toBe(Number(headers.get('retry-after')));
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
      expect(data).toBeUndefined();
    }
  });

  it('redirects, even to a valid key set: BAD_GATEWAY, and the redirect is not followed', async () => {
    gateway.issuer.requests = 0;
    await restart((response) => {
      gateway.issuer.misbehave = null;
      response.writeHead(302, { location: gateway.issuer.jwksUrl }).end();
    });
    expect((await call()).errors[0]?.extensions.code).toBe('BAD_GATEWAY');
    expect(gateway.issuer.requests).toBe(1);
  });

  it('is slow from the start: GATEWAY_TIMEOUT, 504, with Retry-After, and not before 5 s', async () => {
    const startedAt = performance.now();
    await restart(() => {});
    const { status, headers, errors } = await call();
    expect(performance.now() - startedAt).toBeGreaterThan(4_900);
    expect(status).toBe(504);
    expect(errors[0]?.extensions).toMatchObject({ code: 'GATEWAY_TIMEOUT', type: 'upstream_timeout_error' });
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
  });

  it('recovers: requests are served again after one second', async () => {
    await restart((response) => response.destroy());
    expect((await call()).status).toBe(502);
    gateway.issuer.misbehave = null;
    await expect.poll(async () => (await call()).status, { interval: 100 }).toBe(200);
  });

  it('is down: requests without credentials, and with malformed ones, are answered as usual', async () => {
    await restart((response) => response.destroy());
    expect((await gateway.run('{ __typename }', {}, { token: null })).status).toBe(200);
    expect((await gateway.run('{ viewer { subject } }', {}, { token: null })).status).toBe(401);
    expect((await gateway.run('{ viewer { subject } }', {}, { token: 'no.token' })).status).toBe(401);
  });

  it('goes down later: tokens are still verified, new ones too', async () => {
    await restart();
    expect((await call()).status).toBe(200);
    gateway.issuer.misbehave = (response) => response.destroy();
    const token = await gateway.issuer.token({ sub: 'eve' });
    expect((await gateway.run('{ viewer { subject } }', {}, { token })).data.viewer.subject).toBe('eve');
  });

  it('fails: the log has the failure, without what the endpoint answered', async () => {
    await restart(json({ marker: 'canary-4711' }));
    await call();
    const lines = gateway.log.map((line) => JSON.parse(line));
    expect(lines.filter((line) => line.msg === 'key set not loaded')).toEqual([
      expect.objectContaining({ level: 40, url: gateway.issuer.jwksUrl, reason: 'not-a-key-set' }),
    ]);
    expect(gateway.log.join('')).not.toContain('canary-4711');
  });
});

describe('a key set', () => {
  let issuer: Issuer;
  let verifyToken: VerifyToken;
  let elapsed: number;
  let failures: unknown[];
  let deadlineMs: number;
  const start = Date.now();

  beforeEach(async () => {
    elapsed = 0;
    failures = [];
    deadlineMs = 5000;
    issuer = await Issuer.start();
    const now = () => start + elapsed;
    const keySet = new KeySet({
      source: issuer.jwksUrl,
      load: () => jwksFromUrl(issuer.jwksUrl, AbortSignal.timeout(deadlineMs)),
      onFault: (error) => failures.push(error),
      now,
    });
    const rules = { issuer: issuer.issuer, audience: [issuer.audience], audienceClaim: ['aud'], algorithms: ['ES256'] };
    verifyToken = createTokenVerifier([{ ...rules, claims: usualClaims, keySet }], now);
  });
  afterEach(() => issuer.close());

  const tokenOfDay = (claims = {}, header = {}) =>
    issuer.token({ exp: Math.floor(start / 1000) + 86_400, ...claims }, header);
  const unauthorized = { code: 'UNAUTHORIZED' };
  const badGateway = { code: 'BAD_GATEWAY' };
  /** A background reload has ended when there has been no request for a while. */
  const settled = () => new Promise((resolve) => setTimeout(resolve, 50));

  it('is fetched once for 50 callers that arrive at once', async () => {
    const tokens = await Promise.all(Array.from({ length: 50 }, (_, i) => tokenOfDay({ sub: `user-${i}` })));
    await Promise.all(tokens.map(verifyToken));
    expect(issuer.requests).toBe(1);
  });

  it('is fetched at most once a second while there is none, and callers get an error immediately', async () => {
    issuer.misbehave = nonsense['status 500'] ?? null;
    const token = await tokenOfDay();
    for (let i = 0; i < 20; i += 1) await expect(verifyToken(token)).rejects.toMatchObject(badGateway);
    expect(issuer.requests).toBe(1);
    elapsed = second;
    await expect(verifyToken(token)).rejects.toMatchObject(badGateway);
    expect(issuer.requests).toBe(2);
  });

  it('that arrives too slowly is abandoned at the deadline, in its headers and in its body', async () => {
    const slow: Misbehaviour[] = [
      () => {},
      (response) => {
        const timer = setInterval(() => response.write(' '), 20);
        response.writeHead(200).once('close', () => clearInterval(timer));
      },
    ];
    deadlineMs = 200;
    for (const misbehave of slow) {
      issuer.misbehave = misbehave;
      elapsed += second;
      // Without the deadline neither would ever end.
      await expect(verifyToken(await tokenOfDay())).rejects.toMatchObject({ code: 'GATEWAY_TIMEOUT' });
    }
  });

  it('that was rotated is loaded with the first token of the new key', async () => {
    await verifyToken(await tokenOfDay());
    await issuer.addKey('key-2');
    expect((await verifyToken(await tokenOfDay({ sub: 'eve' }))).subject).toBe('eve');
    expect(issuer.requests).toBe(2);
  });

  it('that was rotated twice in a short time is loaded after the cooldown, without a restart', async () => {
    await verifyToken(await tokenOfDay());
    await issuer.addKey('key-2');
    await verifyToken(await tokenOfDay());
    await issuer.addKey('key-3');
    const token = await tokenOfDay();
    elapsed = 29 * second;
    await expect(verifyToken(token)).rejects.toMatchObject(unauthorized);
    elapsed = 30 * second;
    expect((await verifyToken(token)).subject).toBe('ada');
  });

  it('is fetched at most every 30 s, however many unknown key ids are sent', async () => {
    await verifyToken(await tokenOfDay());
    for (let minutes = 1; minutes <= 3; minutes += 1) {
      elapsed = minutes * minute;
      const tokens = await Promise.all(Array.from({ length: 100 }, (_, i) => tokenOfDay({}, { kid: `made-up-${i}` })));
      for (const half of [tokens.slice(50), tokens.slice(0, 50)]) {
        await Promise.all(half.map((token) => expect(verifyToken(token)).rejects.toMatchObject(unauthorized)));
      }
      expect(issuer.requests).toBe(1 + minutes);
    }
  });

  it('is refreshed in the background every 10 minutes, so that a removed key is noticed', async () => {
    const token = await tokenOfDay();
    await verifyToken(token);
    elapsed = 10 * minute;
    await verifyToken(token);
    await settled();
    expect(issuer.requests).toBe(1);
    elapsed += 1;
    await Promise.all(Array.from({ length: 20 }, () => verifyToken(token)));
    await settled();
    expect(issuer.requests).toBe(2);
  });

  it('that cannot be refreshed is used for one more hour, and no longer', async () => {
    await verifyToken(await tokenOfDay());
    issuer.misbehave = nonsense['status 500'] ?? null;
    for (const minutes of [11, 30, 70]) {
      elapsed = minutes * minute;
      expect((await verifyToken(await tokenOfDay({ minutes }))).subject).toBe('ada');
      await settled();
    }
    expect(failures.length).toBe(3);
    const token = await tokenOfDay();
    await verifyToken(token);
    elapsed = 70 * minute + 1;
    await expect(verifyToken(token)).rejects.toMatchObject(badGateway);
    issuer.misbehave = null;
    elapsed += second;
    expect((await verifyToken(token)).subject).toBe('ada');
  });

  it('that cannot be refreshed is fetched at most every 30 s', async () => {
    const token = await tokenOfDay();
    await verifyToken(token);
    issuer.misbehave = nonsense['status 500'] ?? null;
    for (elapsed = 11 * minute; elapsed < 12 * minute; elapsed += second) {
      await verifyToken(token);
      await settled();
    }
    expect(issuer.requests).toBe(1 + 2);
  });

  it('that cannot be refreshed does not reject a token of a new key as invalid: the issuer may have added that key', async () => {
    await verifyToken(await tokenOfDay());
    await issuer.addKey('key-2');
    issuer.misbehave = nonsense['status 500'] ?? null;
    const token = await tokenOfDay();
    elapsed = minute;
    await expect(verifyToken(token)).rejects.toMatchObject(badGateway);
    await expect(verifyToken(token)).rejects.toMatchObject(badGateway);
    expect(issuer.requests).toBe(2);
    issuer.misbehave = null;
    elapsed += 30 * second;
    expect((await verifyToken(token)).subject).toBe('ada');
    await expect(verifyToken(await tokenOfDay({}, { kid: 'made-up' }))).rejects.toMatchObject(unauthorized);
  });

  it.each(Object.keys(nonsense))('that is replaced by %s keeps its previous keys', async (name) => {
    const token = await tokenOfDay();
    await verifyToken(token);
    issuer.misbehave = nonsense[name] ?? null;
    elapsed = 11 * minute;
    await verifyToken(token);
    await expect.poll(() => failures).toHaveLength(1);
    expect(failures[0]).toMatchObject(badGateway);
    expect((await verifyToken(await tokenOfDay({ sub: 'eve' }))).subject).toBe('eve');
  });
});
