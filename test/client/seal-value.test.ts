import { inspect } from 'node:util';
import { type CompactJWEHeaderParameters, compactDecrypt, exportJWK, generateKeyPair, type JWK } from 'jose';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { chooseSealingKey, type SealingKey, type SealOptions, sealValue } from '../../src/client/index.ts';
import { awkwardValues } from '../support/awkward-values.ts';
import { rejectionOf } from '../support/client.ts';
import { withoutX25519 } from '../support/platform.ts';

const alg = 'ECDH-ES+A256KW';
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

interface Pair {
  readonly sealingKey: SealingKey;
  readonly privateKey: CryptoKey;
}

async function pairOn(crv: string): Promise<Pair> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { crv, extractable: true });
  const kid = `key-on-${crv}`;
  return { privateKey, sealingKey: { kid, alg, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'enc' } } };
}

/** Opens with jose what was sealed: an implementation other than the gateway's. */
async function open(jwe: string, privateKey: CryptoKey) {
  const { plaintext, protectedHeader } = await compactDecrypt(jwe, privateKey);
  return { value: decoder.decode(plaintext), header: protectedHeader as CompactJWEHeaderParameters };
}

let x25519: Pair;
let p256: Pair;
let options: SealOptions;

beforeAll(async () => {
  [x25519, p256] = await Promise.all([pairOn('X25519'), pairOn('P-256')]);
  options = { sealingKey: x25519.sealingKey, subject: 'ada', name: 'NAME' };
});
afterEach(() => {
  vi.useRealTimers();
});

describe('sealValue', () => {
  it.each(['X25519', 'P-256'])(
    'makes a compact JWE that a key on %s opens, with the header of the contract',
    async (crv) => {
      vi.useFakeTimers({ now: 1_800_000_000_999, toFake: ['Date'] });
      const { sealingKey, privateKey } = crv === 'X25519' ? x25519 : p256;
      const jwe = await sealValue('the value', { sealingKey, subject: 'ada', name: 'NAME' });
      expect(jwe).toMatch(/^[\w-]+(\.[\w-]+){4}$/);
      expect(await open(jwe, privateKey)).toEqual({
        value: 'the value',
        header: {
          alg,
          enc: 'A256GCM',
          typ: 'sealed-secret+jwe',
          kid: `key-on-${crv}`,
          epk: expect.objectContaining({ crv }),
          iat: 1_800_000_000,
          exp: 1_800_000_300,
          jti: expect.stringMatching(/^[\w-]{36}$/),
          sub: 'ada',
          owner: {},
          name: 'NAME',
        },
      });
    },
  );

  it('seals every value byte by byte', async () => {
    expect(new Set(awkwardValues).size).toBeGreaterThanOrEqual(62);
    for (const value of awkwardValues) {
      const opened = await open(await sealValue(value, options), x25519.privateKey);
      expect(opened.value === value).toBe(true);
    }
  });

  it('makes a new id and a new content key for each call', async () => {
    const [one, other] = await Promise.all([sealValue('the same', options), sealValue('the same', options)]);
    const first = await open(one, x25519.privateKey);
    const second = await open(other, x25519.privateKey);
    expect(first.header.jti).not.toBe(second.header.jti);
    expect(one.split('.')[3]).not.toBe(other.split('.')[3]);
  });

  it.each([
    ['name', { name: 'Zugang für Köln' }],
    ['id', { id: '019dc6f0-8d3c-7b51-a2f4-6b1c3d5e7f90' }],
    ['use', { use: 'match' as const }],
  ])('is for one %s, and says for nothing else', async (_member, purpose) => {
    const { header } = await open(await sealValue('v', { ...options, name: undefined, ...purpose }), x25519.privateKey);
    const { name, id, use } = header;
    expect(JSON.parse(JSON.stringify({ name, id, use }))).toEqual(purpose);
  });

  it.each([
    [{ teamId: 'red' }, { teamId: 'red' }],
    [
      { teamId: 'red', connectorId: 'crm' },
      { teamId: 'red', connectorId: 'crm' },
    ],
    [{ teamId: null, connectorId: undefined, other: 1 }, {}],
  ])('is for the owner %j', async (owner, told) => {
    const { header } = await open(await sealValue('v', { ...options, owner }), x25519.privateKey);
    expect(header.owner).toEqual(told);
  });

  it('takes a key of /.well-known/jwks.json as it is, and one whose members a platform would refuse', async () => {
    const { jwk } = x25519.sealingKey;
    for (const sealingKey of [jwk, { ...jwk, key_ops: ['deriveBits'], ext: false, x5c: ['AA=='] }]) {
      expect((await open(await sealValue('v', { ...options, sealingKey }), x25519.privateKey)).header.kid).toBe(
        jwk.kid,
      );
    }
  });

  it.each([1, 600])('lives for %i seconds when it is told to', async (ttlSeconds) => {
    const { header } = await open(await sealValue('v', { ...options, ttlSeconds }), x25519.privateKey);
    expect(Number(header.exp) - Number(header.iat)).toBe(ttlSeconds);
  });

  it.each<[string, Record<string, unknown>, RegExp]>([
    ['a time of 0 seconds', { ttlSeconds: 0 }, /^ttlSeconds must be a whole number from 1 to 600\.$/],
    ['a time of 601 seconds', { ttlSeconds: 601 }, /^ttlSeconds must be/],
    ['a time that is not whole', { ttlSeconds: 1.5 }, /^ttlSeconds must be/],
    ['a time that is no number', { ttlSeconds: '300' }, /^ttlSeconds must be/],
    ['no purpose', { name: undefined }, /^Give one of: name, .*; id, .*; use: 'match'/],
    ['two purposes', { id: 'x' }, /^Give one of/],
    ['three purposes', { id: 'x', use: 'match' }, /^Give one of/],
    ['an empty name', { name: '' }, /^Give one of/],
    ['another use', { name: undefined, use: 'read' }, /^Give one of/],
    ['no subject', { subject: '' }, /^subject must be viewer\.subject/],
    ['no key', { sealingKey: undefined }, /^sealingKey must be one of Query\.sealingKeys/],
    [
      'a key for another algorithm',
      { sealingKey: { kid: 'k', kty: 'OKP', crv: 'X25519', x: 'AA', alg: 'RSA-OAEP' } },
      /^sealingKey/,
    ],
    ['a key on another curve', { sealingKey: { kid: 'k', kty: 'EC', crv: 'P-384', x: 'AA', y: 'AA' } }, /^sealingKey/],
    ['a key without an id', { sealingKey: { kty: 'OKP', crv: 'X25519', x: 'AA' } }, /^sealingKey/],
    [
      'a key that is none',
      { sealingKey: { kid: 'k', kty: 'OKP', crv: 'X25519', x: 'AA' } },
      /^This sealing key cannot be used/,
    ],
  ])('refuses %s, says what to give, and repeats no value', async (_what, wrong, message) => {
    const error = await rejectionOf(sealValue('hunter2', { ...options, ...wrong } as SealOptions));
    expect((error as Error).message).toMatch(message);
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('hunter2');
  });

  it.each(['hunter2\ud800', '\udc00hunter2', 'hunter2\udc36\ud83d', 7])(
    'refuses what an encoder would replace, without repeating it',
    async (value) => {
      const error = await rejectionOf(sealValue(value as string, options));
      expect(error).toBeInstanceOf(TypeError);
      expect(inspect(error)).not.toContain('hunter2');
    },
  );

  it('says what is wrong with a page over plain HTTP', async () => {
    const { subtle } = crypto;
    Object.defineProperty(crypto, 'subtle', { value: undefined, configurable: true });
    try {
      expect(String(await rejectionOf(sealValue('v', options)))).toMatch(/HTTPS and on localhost only/);
    } finally {
      Reflect.deleteProperty(crypto, 'subtle');
      expect(crypto.subtle).toBe(subtle);
    }
  });
});

describe('chooseSealingKey', () => {
  const of = (form: 'schema' | 'jwks'): (SealingKey | JWK)[] =>
    [p256, x25519].map(({ sealingKey }) => (form === 'schema' ? sealingKey : sealingKey.jwk));

  it.each(['schema', 'jwks'] as const)(
    'takes X25519, and P-256 where the platform has no X25519: keys of %s',
    async (form) => {
      const [onP256, onX25519] = of(form);
      expect(await chooseSealingKey(of(form))).toBe(onX25519);
      await withoutX25519(async () => {
        const sealingKey = await chooseSealingKey(of(form));
        expect(sealingKey).toBe(onP256);
        const jwe = await sealValue('v', { ...options, sealingKey });
        expect((await open(jwe, p256.privateKey)).value).toBe('v');
        expect(String(await rejectionOf(sealValue('v', options)))).toMatch(/chooseSealingKey takes one that can/);
      });
    },
  );

  it('says when there is none', async () => {
    expect(String(await rejectionOf(chooseSealingKey([])))).toMatch(/None of these sealing keys/);
    await withoutX25519(async () => {
      expect(String(await rejectionOf(chooseSealingKey([x25519.sealingKey])))).toMatch(/None of these sealing keys/);
    });
  });
});
