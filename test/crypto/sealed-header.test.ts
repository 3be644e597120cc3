import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { readSealedInput, type SealedInputRejected } from '../../src/crypto/sealed-input.ts';
import { curves, keyOn, published, verdict } from '../support/open-seal.ts';
import { type ByHand, encode, pairOn, sealByHand, secondsFromNow } from '../support/seal-by-hand.ts';

// The clock stands still, so that a header is as old as it says.
vi.useFakeTimers({ toFake: ['Date'], now: new Date('2026-03-04T05:06:07.089Z') });
afterAll(() => void vi.useRealTimers());

describe.each(curves)('a header of a sealed value, on %s', (curve) => {
  const key = keyOn(curve);
  const seal = (more?: ByHand) => sealByHand('a value', published(key), more);
  const header = (members: Record<string, unknown>) => verdict(seal({ header: members }), key);

  it.each<[string, (json: string) => string]>([
    ['a member twice', (json) => json.replace('{', '{"sub":"eve",')],
    ['a member twice, once with an escape in its name', (json) => json.replace('{', '{"\\u0073ub":"eve",')],
    [
      'an owner with a member twice',
      (json) => json.replace('"owner":{', '"owner":{"teamId":"a","teamId":"b",').replace(',}', '}'),
    ],
    ['a key with a member twice', (json) => json.replace('"epk":{', '"epk":{"x":"AA",')],
    ['__proto__', (json) => json.replace('{', '{"__proto__":{"sub":"ada"},')],
    ['a list instead of an object', (json) => `[${json}]`],
    ['null', () => 'null'],
    ['a text', () => '"a"'],
    ['no JSON', (json) => `${json}}`],
    ['a comment', (json) => `${json}//`],
    ['a byte order mark', (json) => `\uFEFF${json}`],
    ['16 KiB of white space', (json) => json + ' '.repeat(16_384)],
    ['deep nesting', () => `{"owner":${'['.repeat(6000)}${']'.repeat(6000)}}`],
    ['many members', () => JSON.stringify(Object.fromEntries(Array.from({ length: 900 }, (_, n) => [`m${n}`, {}])))],
    ['many quotes', () => `{"a":"${'\\"'.repeat(5000)}"}`],
  ])('a header with %s is refused', (_, text) => {
    expect(verdict(seal({ text }), key)).toBe('invalid_header');
  });

  it('a header may be written in any way: with white space, escapes and in any order', () => {
    const written = (json: string) => {
      const members = Object.entries(JSON.parse(json)).toReversed();
      return JSON.stringify(Object.fromEntries(members), null, 2).replace('ada', '\\u0061d\\u0061');
    };
    const sealed = seal({ text: written, header: { jti: 'a "quoted": colon \\" {' } });
    expect(verdict(sealed, key)).toBe('opened');
    expect(readSealedInput(sealed, new Date()).header.sub).toBe('ada');
  });

  it.each<[string, Record<string, unknown>]>([
    ['alg', { alg: 'ECDH-ES' }],
    ['alg', { alg: 'ECDH-ES+A128KW' }],
    ['alg', { alg: 'dir' }],
    ['alg', { alg: 'none' }],
    ['alg', { alg: ['ECDH-ES+A256KW'] }],
    ['enc', { enc: 'A128GCM' }],
    ['enc', { enc: 'A256CBC-HS512' }],
    ['zip', { zip: 'DEF' }],
    ['crit', { crit: ['exp'] }],
    ['crit', { crit: [] }],
    ['b64', { b64: false }],
    ['apu', { apu: 'QWxpY2U' }],
    ['apu, empty', { apu: '' }],
    ['apv', { apv: 'Qm9i' }],
    ['jwk', { jwk: key.publicJwk }],
    ['jku', { jku: 'https://example.com/jwks' }],
    ['x5c', { x5c: [] }],
    ['use', { use: 'match' }],
    ['use', { name: undefined, use: 'enc' }],
    ['aud', { aud: 'secrets-gateway' }],
    ['typ', { typ: 'delivered-secret+jwe' }],
    ['typ', { typ: 'application/sealed-secret+jwe' }],
    ['typ', { typ: undefined }],
    ['kid', { kid: undefined }],
    ['kid', { kid: 7 }],
    ['epk', { epk: undefined }],
    ['epk', { epk: 'x' }],
    ['epk', { epk: { ...pairOn(key.publicJwk).privateKey.export({ format: 'jwk' }) } }],
    ['epk', { epk: { ...pairOn(key.publicJwk).publicKey.export({ format: 'jwk' }), kid: 'e' } }],
    ['epk', { epk: { kty: 'RSA', n: 'AQAB', e: 'AQAB' } }],
    ['epk', { epk: { kty: 'oct', k: 'AQAB' } }],
    ['epk', { epk: { kty: 'OKP', crv: 'Ed25519', x: encode(Buffer.alloc(32, 9)) } }],
    ['epk', { epk: { kty: 'OKP', crv: 'X25519', x: encode(Buffer.alloc(31, 9)) } }],
    ['epk', { epk: { kty: 'OKP', crv: 'X25519', x: `${encode(Buffer.alloc(32, 9))}=` } }],
    ['epk', { epk: { kty: 'OKP', crv: 'X25519', x: 9 } }],
    ['epk', { epk: { kty: 'EC', crv: 'P-384', x: encode(Buffer.alloc(48, 9)), y: encode(Buffer.alloc(48, 9)) } }],
    ['epk', { epk: { kty: 'EC', crv: 'P-256', x: encode(Buffer.alloc(32, 9)) } }],
    ['epk', { epk: { kty: 'OKP', crv: 'P-256', x: encode(Buffer.alloc(32, 9)), y: encode(Buffer.alloc(32, 9)) } }],
    ['sub', { sub: undefined }],
    ['sub', { sub: '' }],
    ['sub', { sub: ['ada'] }],
    ['jti', { jti: undefined }],
    ['jti', { jti: '' }],
    ['jti', { jti: 7 }],
    ['jti', { jti: 'j'.repeat(256) }],
    ['jti', { jti: '\uD800' }],
    ['iat', { iat: undefined }],
    ['iat', { iat: String(secondsFromNow()) }],
    ['iat', { iat: secondsFromNow() + 0.5 }],
    ['iat', { iat: secondsFromNow(32) }],
    ['exp', { exp: undefined }],
    ['exp', { exp: secondsFromNow() * 1000 }],
    ['exp', { exp: null }],
    ['exp', { exp: secondsFromNow(601) }],
    ['exp', { iat: secondsFromNow(20), exp: secondsFromNow(615) }],
    ['exp', { iat: secondsFromNow(-500), exp: secondsFromNow(150) }],
    ['exp', { iat: secondsFromNow(10), exp: secondsFromNow(10) }],
    ['exp', { iat: secondsFromNow(10), exp: secondsFromNow(5) }],
    ['owner', { owner: undefined }],
    ['owner', { owner: null }],
    ['owner', { owner: 'red' }],
    ['owner', { owner: ['red'] }],
    ['owner', { owner: { teamId: '' } }],
    ['owner', { owner: { teamId: null } }],
    ['owner', { owner: { connectorId: 'crm' } }],
    ['owner', { owner: { teamId: 'red', userId: 'ada' } }],
    ['name and id', { name: undefined }],
    ['name and id', { id: randomUUID() }],
    ['name', { name: null }],
    ['name', { name: 7 }],
    ['name', { name: '' }],
    ['id', { name: undefined, id: 7 }],
  ])('a header that breaks the rule of %s is refused: %#', (_, members) => {
    expect(header(members)).toBe('invalid_header');
  });

  it('times are compared with the clock, which the client’s may be 30 s ahead of', () => {
    expect(header({ iat: secondsFromNow(29), exp: secondsFromNow(300) })).toBe('opened');
    expect(header({ iat: secondsFromNow(), exp: secondsFromNow(600) })).toBe('opened');
    expect(header({ iat: secondsFromNow(-595), exp: secondsFromNow(5) })).toBe('opened');
    expect(header({ iat: secondsFromNow(-300), exp: secondsFromNow(0) })).toBe('expired');
    expect(header({ iat: 1, exp: 2 })).toBe('expired');
    expect(header({ iat: secondsFromNow(), exp: secondsFromNow(-1) })).toBe('expired');
    expect(header({ iat: secondsFromNow(-3600), exp: secondsFromNow(-1) })).toBe('expired');
  });
});

describe('a random header', () => {
  /** A value of a member, and whether the rules allow it. */
  type Choice = readonly [value: unknown, isAllowed: boolean];
  const now = secondsFromNow();
  const strange: readonly Choice[] = [undefined, null, 0, 1.5, '', 'x', true, [], {}, ['x'], '\uD800'].map((v) => [
    v,
    false,
  ]);
  const member = (...good: unknown[]) =>
    fc.oneof(
      { weight: 40, arbitrary: fc.constantFrom(...good).map((value): Choice => [value, true]) },
      { weight: 1, arbitrary: fc.constantFrom(...strange.filter(([value]) => !good.includes(value))) },
    );
  const texts = ['a', 'x', 'Ä', 'NAME', randomUUID()];
  const headers = fc.record({
    alg: member('ECDH-ES+A256KW'),
    enc: member('A256GCM'),
    typ: member('sealed-secret+jwe'),
    kid: member(...texts),
    jti: member(...texts),
    sub: member(...texts),
    owner: member({}, { teamId: 'x' }, { teamId: 'x', connectorId: 'y' }).map(([value, is]): Choice => {
      const isEmptyObject = JSON.stringify(value) === '{}';
      return [value, is || isEmptyObject];
    }),
    purpose: fc.oneof(
      { weight: 10, arbitrary: fc.record({ name: member(...texts) }) },
      { weight: 10, arbitrary: fc.record({ id: member(...texts) }) },
      { weight: 4, arbitrary: fc.record({ use: member('match') }) },
      fc.record({ name: member(...texts), id: member(...texts), use: member('match') }),
      fc.record({ name: member(...texts), id: member(...texts) }),
      fc.constant({}),
    ),
    iat: fc.integer({ min: now - 650, max: now + 40 }),
    lifetime: fc.oneof({ weight: 20, arbitrary: fc.integer({ min: 1, max: 600 }) }, fc.integer({ min: -9, max: 700 })),
    more: fc.oneof(
      { weight: 20, arbitrary: fc.constant(undefined) },
      fc.constantFrom('zip', 'crit', 'apu', 'nbf', 'toString'),
    ),
  });

  it('is accepted only if every rule holds, and refused with the right type', () => {
    const met = { opened: 0, expired: 0, invalid_header: 0 };
    fc.assert(
      fc.property(headers, ({ iat, lifetime, more, purpose, ...others }) => {
        const exp = iat + lifetime;
        const members: Record<string, Choice> = { ...others, ...purpose };
        const chosen = Object.entries(members);
        const present = (name: 'name' | 'id' | 'use') => members[name]?.[0] !== undefined;
        const areAllowed = chosen.every(([name, [value, is]]) => {
          return is || (['name', 'id', 'use'].includes(name) && value === undefined);
        });
        const isLifetime = lifetime >= 1 && lifetime <= 600 && exp - now <= 600;
        const isSound =
          areAllowed &&
          iat - now <= 30 &&
          more === undefined &&
          [present('name'), present('id'), present('use')].filter(Boolean).length === 1;
        const expected = !isSound
          ? 'invalid_header'
          : exp <= now
            ? 'expired'
            : isLifetime
              ? 'opened'
              : 'invalid_header';
        met[expected] += 1;
        const header = Object.fromEntries(chosen.map(([name, [value]]) => [name, value]));
        const extra = more === undefined ? {} : { [more]: 'x' };
        const name = members.name === undefined ? { name: undefined } : {};
        const jwe = sealByHand('v', published(keyOn('X25519')), { header: { ...header, ...name, ...extra, iat, exp } });
        let found = 'opened';
        try {
          readSealedInput(jwe, new Date(now * 1000));
        } catch (error) {
          found = (error as SealedInputRejected).fault;
        }
        expect(found).toBe(expected);
      }),
      { numRuns: 1500 },
    );
    for (const count of Object.values(met)) expect(count).toBeGreaterThan(20);
  });
});
