import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createKeySet, jwksFromUrl } from '../../src/identity/key-set.ts';
import { createTokenVerifier, type VerifyToken } from '../../src/identity/verify-token.ts';
import { Issuer } from '../support/issuer.ts';

const algorithms = ['ES256'];
const minute = 60_000;

let issuer: Issuer;
let verifyToken: VerifyToken;
/** Milliseconds since the start; only the tests change it. */
let elapsed: number;
const start = Date.now();
const signatureChecks = vi.spyOn(crypto.subtle, 'verify');

beforeEach(async () => {
  elapsed = 0;
  issuer = await Issuer.start();
  const now = () => start + elapsed;
  const keySet = createKeySet(() => jwksFromUrl(issuer.jwksUrl), undefined, now);
  verifyToken = createTokenVerifier({ issuer: issuer.issuer, audience: issuer.audience, algorithms, keySet }, now);
  signatureChecks.mockClear();
});
afterEach(() => issuer.close());

const expiringAfter = (seconds: number) => issuer.token({ exp: Math.floor(start / 1000) + seconds });
const refusal = { code: 'UNAUTHORIZED' };

describe('a signature is checked', () => {
  it('once for a token, however often it is sent', async () => {
    const token = await issuer.token();
    for (let i = 0; i < 20; i += 1) expect((await verifyToken(token)).subject).toBe('ada');
    expect(signatureChecks).toHaveBeenCalledTimes(1);
  });

  it('once for a token that is sent 50 times at once, before any key is loaded', async () => {
    const token = await issuer.token();
    const principals = await Promise.all(Array.from({ length: 50 }, () => verifyToken(token)));
    expect(new Set(principals.map((principal) => principal.subject))).toEqual(new Set(['ada']));
    expect(signatureChecks).toHaveBeenCalledTimes(1);
    expect(issuer.requests).toBe(1);
  });

  it('once for every distinct token', async () => {
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

describe('a verified token is accepted', () => {
  it('until exactly 30 s after its exp', async () => {
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

  it('no longer once its key was removed from the key set', async () => {
    const token = await issuer.token({ sub: 'ada' });
    await issuer.addKey('key-2');
    const other = await issuer.token({ sub: 'eve' });
    await verifyToken(token);
    await verifyToken(other);
    issuer.removeKey('key-1');
    elapsed = 10 * minute + 1;
    // This call starts the reload, and does not wait for it.
    await verifyToken(other);
    await vi.waitFor(() => expect(issuer.requests).toBe(2));
    await vi.waitFor(() => expect(verifyToken(token)).rejects.toMatchObject(refusal));
    expect((await verifyToken(other)).subject).toBe('eve');
  });

  it('no longer once its key was replaced under the same kid', async () => {
    const token = await issuer.token();
    await verifyToken(token);
    issuer.removeKey('key-1');
    await issuer.addKey('key-1');
    elapsed = 10 * minute + 1;
    await verifyToken(token);
    await vi.waitFor(() => expect(verifyToken(token)).rejects.toMatchObject(refusal));
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

describe('the cache is bounded:', () => {
  it('the last 10,000 tokens are cached, and older ones are checked again', async () => {
    const first = await issuer.token({ jti: 'first' });
    const second = await issuer.token({ jti: 'second' });
    await verifyToken(first);
    await verifyToken(second);
    for (let batch = 0; batch < 100; batch += 1) {
      await Promise.all(
        // 9,999 more: with the second, 10,000 tokens after the first.
        Array.from({ length: batch === 0 ? 99 : 100 }, async (_, i) =>
          verifyToken(await issuer.token({ jti: `${batch} ${i}` })),
        ),
      );
    }
    expect(signatureChecks).toHaveBeenCalledTimes(10_001);
    await verifyToken(second);
    expect(signatureChecks).toHaveBeenCalledTimes(10_001);
    await verifyToken(first);
    expect(signatureChecks).toHaveBeenCalledTimes(10_002);
  });

  it('bad tokens evict no good one', async () => {
    const token = await issuer.token();
    await verifyToken(token);
    const [head] = token.split('.');
    for (let batch = 0; batch < 110; batch += 1) {
      const claims = Buffer.from(JSON.stringify(issuer.claims({ batch }))).toString('base64url');
      const forged = Array.from({ length: 100 }, (_, i) => {
        const signature = Buffer.alloc(64, `${batch} ${i}`).toString('base64url');
        return verifyToken(`${head}.${claims}.${signature}`).then(
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
