import { KeyObject } from 'node:crypto';
import fc from 'fast-check';
import { generateKeyPair, SignJWT } from 'jose';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { usualClaims } from '../../src/identity/claims.ts';
import { jwksFromUrl } from '../../src/identity/jwks-from-url.ts';
import { KeySet } from '../../src/identity/key-set.ts';
import { rejected } from '../../src/identity/token-rejected.ts';
import { createTokenVerifier, type VerifyToken } from '../../src/identity/verify-token.ts';
import { Issuer } from '../support/issuer.ts';

const algorithms = ['ES256'];
const minute = 60_000;

let issuer: Issuer;
let verifyToken: VerifyToken;
/** Milliseconds since the start; time stands still unless a test moves it. */
let elapsed: number;
const start = Date.now();
const soon = { timeout: 20_000 };
const signatureChecks = vi.spyOn(crypto.subtle, 'verify');

beforeEach(async () => {
  elapsed = 0;
  issuer = await Issuer.start();
  const now = () => start + elapsed;
  const load = () => jwksFromUrl(issuer.jwksUrl, AbortSignal.timeout(5000));
  const keySet = new KeySet({ source: issuer.jwksUrl, load, now });
  verifyToken = createTokenVerifier([{ ...settings(), keySet }], now);
  signatureChecks.mockClear();
});
afterEach(() => issuer.close());

const settings = () => ({
  issuer: issuer.issuer,
  audience: [issuer.audience],
  audienceClaim: ['aud'],
  algorithms,
  claims: usualClaims,
});
const expiringAfter = (seconds: number) => issuer.token({ exp: Math.floor(start / 1000) + seconds });
const refusal = { code: 'UNAUTHORIZED' };

it('a token that was verified is answered at once, without a promise, until it expires', async () => {
  const token = await expiringAfter(60);
  expect(verifyToken(token)).toBeInstanceOf(Promise);
  await verifyToken(token);
  expect(verifyToken(token)).toMatchObject({ subject: 'ada' });
  elapsed = 91_000;
  await expect(verifyToken(token)).rejects.toMatchObject(refusal);
});

describe('a signature is checked', () => {
  it('once for a token, however often it comes', async () => {
    const token = await issuer.token();
    for (let i = 0; i < 20; i += 1) expect((await verifyToken(token)).subject).toBe('ada');
    expect(signatureChecks).toHaveBeenCalledTimes(1);
  });

  it('once for a token that comes 50 times at once, before any key is there', async () => {
    const token = await issuer.token();
    const principals = await Promise.all(Array.from({ length: 50 }, () => verifyToken(token)));
    expect(new Set(principals.map((principal) => principal.subject))).toEqual(new Set(['ada']));
    expect(signatureChecks).toHaveBeenCalledTimes(1);
    expect(issuer.requests).toBe(1);
  });

  it('for every distinct token', async () => {
    for (const sub of ['ada', 'eve', 'kim']) expect((await verifyToken(await issuer.token({ sub }))).subject).toBe(sub);
    expect(signatureChecks).toHaveBeenCalledTimes(3);
  });

  it('every time for a token whose signature is wrong', async () => {
    const [head, body] = (await issuer.token()).split('.');
    for (let i = 0; i < 3; i += 1) {
      await expect(verifyToken(`${head}.${body}.${'A'.repeat(86)}`)).rejects.toMatchObject(refusal);
    }
    expect(signatureChecks).toHaveBeenCalledTimes(3);
  });
});

describe('a verified token is good', () => {
  it('until 30 s after its exp, and not a moment longer', async () => {
    const token = await expiringAfter(600);
    const expiry = Math.floor(start / 1000) * 1000 + 600_000 - start;
    await verifyToken(token);
    for (const late of [0, 29_999]) {
      elapsed = expiry + late;
      expect((await verifyToken(token)).subject).toBe('ada');
    }
    expect(signatureChecks).toHaveBeenCalledTimes(1);
    for (const late of [30_000, 31_000, 3_600_000]) {
      elapsed = expiry + late;
      await expect(verifyToken(token)).rejects.toMatchObject(refusal);
    }
  });

  it('no longer, once its key has left the key set', async () => {
    const token = await issuer.token({ sub: 'ada' });
    await issuer.addKey('key-2');
    const other = await issuer.token({ sub: 'eve' });
    await verifyToken(token);
    await verifyToken(other);
    issuer.removeKey('key-1');
    elapsed = 10 * minute + 1;
    // This one starts the reload, and does not wait for it.
    await verifyToken(other);
    await expect.poll(() => issuer.requests).toBe(2);
    await vi.waitFor(() => expect(verifyToken(token)).rejects.toMatchObject(refusal), soon);
    expect((await verifyToken(other)).subject).toBe('eve');
  });

  it('no longer, once its key was replaced under the same kid', async () => {
    const token = await issuer.token();
    await verifyToken(token);
    issuer.removeKey('key-1');
    await issuer.addKey('key-1');
    elapsed = 10 * minute + 1;
    await verifyToken(token);
    await vi.waitFor(() => expect(verifyToken(token)).rejects.toMatchObject(refusal), soon);
    expect((await verifyToken(await issuer.token())).subject).toBe('ada');
  });

  it('without another check when a key was only added', async () => {
    const token = await issuer.token();
    await verifyToken(token);
    await issuer.addKey('key-2');
    elapsed = minute;
    expect((await verifyToken(await issuer.token({ sub: 'eve' }))).subject).toBe('eve');
    await verifyToken(token);
    expect(issuer.requests).toBe(2);
    expect(signatureChecks).toHaveBeenCalledTimes(2);
  });
});

describe('what is remembered is bounded', () => {
  /** A thousand teams, which take some 80 KB: there is room for 200 of them. */
  const large = (jti: string, seconds = 3600) =>
    issuer.token({
      jti,
      exp: Math.floor(start / 1000) + seconds,
      teams: Array.from({ length: 1000 }, (_, n) => (36 ** 3 + n).toString(36)),
    });

  /** How many of these tokens are not remembered. */
  async function forgotten(tokens: readonly string[]): Promise<number> {
    const before = signatureChecks.mock.calls.length;
    for (const token of tokens) await verifyToken(token);
    return signatureChecks.mock.calls.length - before;
  }

  it('what was not asked for the longest is forgotten, and what is in use is not', async () => {
    const [inUse, notInUse] = [await large('in use'), await large('not in use')];
    await verifyToken(inUse);
    await verifyToken(notInUse);
    for (let n = 0; n < 300; n += 1) {
      await verifyToken(await large(`other ${n}`));
      if (n % 100 === 0) expect(await forgotten([inUse])).toBe(0);
    }
    expect(await forgotten([inUse])).toBe(0);
    expect(await forgotten([notInUse])).toBe(1);
  });

  it('small tokens are remembered by the thousands', async () => {
    const tokens = await Promise.all(Array.from({ length: 3000 }, (_, n) => issuer.token({ jti: String(n) })));
    expect(await forgotten(tokens)).toBe(3000);
    expect(await forgotten(tokens)).toBe(0);
  });

  it('what has expired is forgotten first, however lately it was asked for', async () => {
    const lasting = await Promise.all(Array.from({ length: 100 }, (_, n) => large(`lasting ${n}`)));
    await forgotten(lasting);
    await forgotten(await Promise.all(Array.from({ length: 100 }, (_, n) => large(`short ${n}`, 600))));
    elapsed = 700_000;
    expect(await forgotten(await Promise.all(Array.from({ length: 100 }, (_, n) => large(`new ${n}`))))).toBe(100);
    expect(await forgotten(lasting)).toBe(0);
  });

  it('bad tokens push no good one out', async () => {
    const token = await issuer.token();
    await verifyToken(token);
    const [head] = token.split('.');
    for (let batch = 0; batch < 110; batch += 1) {
      const claims = Buffer.from(JSON.stringify(issuer.claims({ batch }))).toString('base64url');
      const forged = Array.from({ length: 100 }, (_, i) => {
        const signature = Buffer.alloc(64, `${batch} ${i}`).toString('base64url');
        return Promise.resolve(verifyToken(`${head}.${claims}.${signature}`)).then(
          () => expect.unreachable(),
          (error) => expect(error).toMatchObject(refusal),
        );
      });
      await Promise.all(forged);
    }
    expect(signatureChecks).toHaveBeenCalledTimes(11_001);
    await verifyToken(token);
    expect(signatureChecks).toHaveBeenCalledTimes(11_001);
  });
});

describe('whatever happens to the time and to the keys', () => {
  const kids = ['a', 'b', 'c'];
  const lifetimes = [5, 60, 61.5, 3600];
  const token = fc.nat(kids.length * lifetimes.length - 1);
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.record({ type: fc.constant('verify' as const), token }) },
    fc.record({ type: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 40_000 }) }),
    fc.record({ type: fc.constant('toggle' as const), kid: fc.constantFrom(...kids) }),
    // The key set and the time change while the token is being verified.
    {
      weight: 2,
      arbitrary: fc.record({
        type: fc.constant('race' as const),
        token,
        kid: fc.constantFrom(...kids),
        ms: fc.constantFrom(0, 40_000),
      }),
    },
  );

  it('no principal comes of a token that has expired, or whose key is not in the key set', async () => {
    const pairs = new Map(await Promise.all(kids.map(async (kid) => [kid, await generateKeyPair('ES256')] as const)));
    const tokens = await Promise.all(
      kids.flatMap((kid) =>
        lifetimes.map(async (lifetime) => {
          const exp = Math.floor(start / 1000) + lifetime;
          const signed = new SignJWT({ ...issuer.claims({ sub: `${kid} ${lifetime}` }), exp });
          const privateKey = pairs.get(kid)?.privateKey;
          if (!privateKey) throw new Error('each kid has its keys');
          return { kid, exp, text: await signed.setProtectedHeader({ alg: 'ES256', kid }).sign(privateKey) };
        }),
      ),
    );
    let good = 0;
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const present = new Set(kids);
        let generation = 0;
        let time = start;
        let meanwhile = () => {};
        const verify = createTokenVerifier(
          [
            {
              ...settings(),
              keySet: {
                generation: () => generation,
                async verify({ kid = '' }, check) {
                  const key = present.has(kid) ? pairs.get(kid)?.publicKey : undefined;
                  meanwhile();
                  if (!key) throw rejected('kid');
                  return check(KeyObject.from(key));
                },
              },
            },
          ],
          () => time,
        );
        const toggle = (kid: string) => {
          if (present.delete(kid)) generation += 1;
          else present.add(kid);
        };
        const isGood = ({ kid, exp }: { kid: string; exp: number }) => present.has(kid) && time / 1000 < exp + 30;

        for (const now of steps) {
          if (now.type === 'wait') time += now.ms;
          else if (now.type === 'toggle') toggle(now.kid);
          else {
            const asked = tokens[now.token];
            if (!asked) throw new Error('there is no such token');
            meanwhile = () => {
              meanwhile = () => {};
              if (now.type === 'verify') return;
              toggle(now.kid);
              time += now.ms;
            };
            const outcome = await Promise.resolve(verify(asked.text)).then(
              () => 'good',
              ({ code }) => code,
            );
            meanwhile = () => {};
            if (outcome === 'good') expect(isGood(asked)).toBe(true);
            else expect(outcome).toBe('UNAUTHORIZED');
            if (now.type === 'verify') expect(outcome === 'good').toBe(isGood(asked));
            if (outcome === 'good') good += 1;
            else refused += 1;
          }
        }
      }),
      { numRuns: 200 },
    );
    expect(Math.min(good, refused)).toBeGreaterThan(100);
  });
});
