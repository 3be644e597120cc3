import { createPublicKey } from 'node:crypto';
import fc from 'fast-check';
import { CompactEncrypt, GeneralEncrypt, generateKeyPair } from 'jose';
import { describe, expect, it } from 'vitest';
import { sealValue } from '../../src/client/seal-value.ts';
import { nonceOf, readSealedInput } from '../../src/crypto/sealed-input.ts';
import { curves, keyOn, opened, published, verdict } from '../support/open-seal.ts';
import { smallOrder } from '../support/recipients.ts';
import { type ByHand, encode, pairOn, sealByHand } from '../support/seal-by-hand.ts';
import frozen from '../vectors/sealed-values.json' with { type: 'json' };

it.each(frozen.vectors)('a sealed value that was made once opens for ever: %#, $curve', ({ curve, ...vector }) => {
  const key = keyOn(curve as 'X25519');
  const now = new Date(frozen.openedAt * 1000);
  expect(readSealedInput(vector.sealedValue, now).header).toMatchObject(vector.header);
  expect(opened(vector.sealedValue, key, now)).toBe(vector.value);
});

describe.each(curves)('on %s', (curve) => {
  const key = keyOn(curve);
  const seal = (more?: ByHand, value: string | Buffer = 'a value') => sealByHand(value, published(key), more);

  it('what the client seals opens, whatever it is', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary' }), async (value) => {
        const sealed = await sealValue(value, { sealingKey: published(key), subject: 'ada', name: 'N' });
        expect(opened(sealed, key)).toBe(value);
      }),
      { numRuns: 50 },
    );
  });

  it('any change of any character is refused', () => {
    const sealed = seal();
    expect(verdict(sealed, key)).toBe('opened');
    const characters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ \n\0é';
    for (let at = 0; at < sealed.length; at += 1) {
      const other = characters[(characters.indexOf(sealed[at] ?? '') + 1 + (at % 60)) % characters.length];
      const changed = sealed.slice(0, at) + other + sealed.slice(at + 1);
      if (changed !== sealed) expect(verdict(changed, key), `${at}`).not.toBe('opened');
      expect(verdict(sealed.slice(0, at), key)).not.toBe('opened');
      expect(verdict(sealed.slice(0, at) + sealed.slice(at + 1), key)).not.toBe('opened');
    }
  });

  it('parts of two sealed values do not make a third', () => {
    const [one, two] = [seal().split('.'), seal().split('.')];
    for (let mask = 1; mask < 31; mask += 1) {
      const mixed = one.map((part, index) => ((mask >> index) & 1 ? part : two[index])).join('.');
      expect(verdict(mixed, key)).toBe('undecryptable');
    }
  });

  it.each<[string, (sealed: string, parts: string[]) => string]>([
    ['padded', (_, parts) => parts.map((part) => part.padEnd(Math.ceil(part.length / 4) * 4, '=')).join('.')],
    ['in base64', (sealed) => sealed.replaceAll('-', '+').replaceAll('_', '/').replace('.', '+.')],
    ['with a space', (sealed) => ` ${sealed}`],
    ['with a newline at the end', (sealed) => `${sealed}\n`],
    ['in lines', (sealed) => sealed.replaceAll('.', '.\n')],
    ['with a sixth part', (sealed) => `${sealed}.`],
    ['with four parts', (_, parts) => parts.slice(0, 4).join('.')],
    ['with a byte order mark', (sealed) => `\uFEFF${sealed}`],
    [
      'as flattened JSON',
      (_, [protectedHeader, encrypted_key, iv, ciphertext, tag]) =>
        JSON.stringify({ protected: protectedHeader, encrypted_key, iv, ciphertext, tag }),
    ],
    [
      'as general JSON',
      (_, [protectedHeader, encrypted_key, iv, ciphertext, tag]) =>
        JSON.stringify({ protected: protectedHeader, recipients: [{ encrypted_key }], iv, ciphertext, tag }),
    ],
    ['as a JSON string', (sealed) => JSON.stringify(sealed)],
  ])('the same sealed value %s is refused', (_, represent) => {
    const sealed = seal({}, 'a value that is not a multiple of three bytes long!');
    expect(verdict(represent(sealed, sealed.split('.')), key)).toBe('undecryptable');
  });

  it('every part has one form: with other trailing bits it decodes to the same bytes, and is refused', () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const parts = seal({ header: { jti: 'x' } }).split('.');
    let tried = 0;
    for (const [index, part] of parts.entries()) {
      if (part.length % 4 === 0) continue;
      const last = alphabet[alphabet.indexOf(part.at(-1) ?? '') ^ 1];
      const other = part.slice(0, -1) + last;
      expect(Buffer.from(other, 'base64url')).toEqual(Buffer.from(part, 'base64url'));
      expect(verdict(parts.with(index, other).join('.'), key)).toBe('undecryptable');
      tried += 1;
    }
    expect(tried).toBeGreaterThan(0);
  });

  it('a genuine JWE of another algorithm is refused', async () => {
    const { publicKey: rsa } = await generateKeyPair('RSA-OAEP-256');
    const {
      alg: _,
      enc: __,
      epk: ___,
      ...claims
    } = JSON.parse(Buffer.from(seal().split('.')[0] ?? '', 'base64url').toString());
    const made = (alg: string, enc: string, to: Parameters<CompactEncrypt['encrypt']>[0]) =>
      new CompactEncrypt(Buffer.from('v')).setProtectedHeader({ ...claims, alg, enc }).encrypt(to);
    const own = createPublicKey({ key: { ...key.publicJwk } as never, format: 'jwk' });
    for (const jwe of [
      await made('RSA-OAEP-256', 'A256GCM', rsa),
      await made('dir', 'A256GCM', Buffer.alloc(32, 1)),
      await made('A256KW', 'A256GCM', Buffer.alloc(32, 1)),
      await made('ECDH-ES', 'A256GCM', own),
      await made('ECDH-ES+A128KW', 'A256GCM', own),
      await made('ECDH-ES+A256KW', 'A128CBC-HS256', own),
    ]) {
      expect(verdict(jwe, key)).toBe('invalid_header');
    }
    const general = await new GeneralEncrypt(Buffer.from('v'))
      .setProtectedHeader({ ...claims, alg: 'ECDH-ES+A256KW', enc: 'A256GCM' })
      .addRecipient(own)
      .encrypt();
    expect(verdict(JSON.stringify(general), key)).toBe('undecryptable');
    expect(verdict(await made('ECDH-ES+A256KW', 'A256GCM', own), key)).toBe('opened');
  });

  it('is read in bounded time, however large or strange it is', () => {
    const megabyte = 1024 * 1024;
    const sound = seal().split('.');
    for (const part of ['.', 'A', '=', 'é', '\uD800', '{', '"', ' ']) {
      expect(verdict(part.repeat(megabyte), key)).not.toBe('opened');
      for (let index = 0; index < 5; index += 1) {
        expect(verdict(sound.with(index, part.repeat(megabyte)).join('.'), key)).not.toBe('opened');
      }
    }
    expect(opened(seal({}, Buffer.alloc(700_000, 'x')), key)).toHaveLength(700_000);
  });
});

it.each(smallOrder)('a key of small order agrees on nothing: %s', (hex) => {
  const epk = { kty: 'OKP', crv: 'X25519', x: encode(Buffer.from(hex, 'hex')) };
  // Anybody knows the shared secret, so that this would open without any key.
  const sealed = sealByHand('v', published(keyOn('X25519')), { header: { epk }, agreed: Buffer.alloc(32) });
  expect(verdict(sealed, keyOn('X25519'))).toBe('undecryptable');
});

it.each([
  ['not on the curve', encode(Buffer.alloc(32, 0x11)), encode(Buffer.alloc(32, 0x22))],
  ['zero', encode(Buffer.alloc(32)), encode(Buffer.alloc(32))],
  ['beyond the field', encode(Buffer.alloc(32, 0xff)), encode(Buffer.alloc(32, 0xff))],
])('a point that is %s agrees on nothing', (_, x, y) => {
  const epk = { kty: 'EC', crv: 'P-256', x, y };
  const sealed = sealByHand('v', published(keyOn('P-256')), { header: { epk }, agreed: Buffer.alloc(32) });
  expect(verdict(sealed, keyOn('P-256'))).toBe('undecryptable');
});

it('a value that was sealed to another key, or to one of the other curve, does not open', () => {
  for (const [own, other] of [curves, curves.toReversed()] as const) {
    const stranger = pairOn(keyOn(own).publicJwk).publicKey.export({ format: 'jwk' });
    const { kid } = keyOn(own);
    expect(verdict(sealByHand('v', { kid, alg: '', jwk: stranger }), keyOn(own))).toBe('undecryptable');
    expect(verdict(sealByHand('v', published(keyOn(own))), keyOn(other))).toBe('undecryptable');
  }
});

it('a one-time id is kept as a digest that nobody can choose, until after the sealed value has expired', () => {
  const sealed = readSealedInput(sealByHand('v', published(keyOn('X25519')), { header: { jti: 'j' } }), new Date());
  const { digest, keptUntil } = nonceOf(sealed.header);
  expect(digest).toMatch(/^[\w-]{43}$/);
  expect(keptUntil.getTime() / 1000 - sealed.header.exp).toBeGreaterThanOrEqual(30);
  expect(nonceOf({ ...sealed.header, jti: 'k' }).digest).not.toBe(digest);
  expect(nonceOf({ ...sealed.header, sub: 'eve', kid: 'x', exp: 1 }).digest).toBe(digest);
});
