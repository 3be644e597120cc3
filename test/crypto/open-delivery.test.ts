import { CompactEncrypt, exportJWK, generateKeyPair, type JWK } from 'jose';
import { describe, expect, it } from 'vitest';
import { openDelivery as openWithJose } from '../../src/client/open-delivery.ts';
import { createDeliveryKey, openDelivery } from '../../src/crypto/open-delivery.ts';
import { recipientOf } from '../../src/crypto/recipient.ts';
import { sealDelivery } from '../../src/crypto/sealed-output.ts';
import { awkwardValues } from '../support/awkward-values.ts';

const header = { secretId: '019dc6f0-8d3c-7b51-a2f4-6b1c3d5e7f90', version: 3, iat: 1_800_000_000, sub: 'adä' };
const { publicJwk, privateKey } = createDeliveryKey();
const privateJwk = privateKey.export({ format: 'jwk' }) as JWK;

function seal(value: string): string {
  const recipient = recipientOf(publicJwk);
  if (!recipient) throw new Error('it is a sound key');
  return sealDelivery(Buffer.from(value), header, recipient);
}

/** Seals with jose: an implementation other than the gateway's. */
async function sealWithJose(changes: Record<string, unknown>, to: CryptoKey | JWK = publicJwk): Promise<string> {
  const protectedHeader = { alg: 'ECDH-ES+A256KW', enc: 'A256GCM', typ: 'delivered-secret+jwe', ...header, ...changes };
  return new CompactEncrypt(Buffer.from('hunter2')).setProtectedHeader(protectedHeader).encrypt(to);
}

/** The published client judges the same. */
async function expectRefused(jwe: string): Promise<void> {
  expect(openDelivery(jwe, privateKey)).toBeNull();
  await expect(openWithJose(jwe, privateJwk)).rejects.toMatchObject({ name: 'DeliveryError' });
}

describe('a delivery that a command opens', () => {
  it('gives every value byte by byte, with the id and the version of its secret, as the published client does', async () => {
    for (const value of awkwardValues) {
      const opened = openDelivery(seal(value), privateKey);
      expect({ ...opened, value: opened?.value === value }).toEqual({
        value: true,
        secretId: header.secretId,
        version: 3,
      });
    }
    const byJose = await sealWithJose({});
    expect(openDelivery(byJose, privateKey)).toEqual(await openWithJose(byJose, privateJwk));
  });

  it('is to a key that exists for one call', () => {
    expect(publicJwk).toEqual({ kty: 'OKP', crv: 'X25519', x: expect.stringMatching(/^[\w-]{43}$/) });
    expect(createDeliveryKey().publicJwk.x).not.toBe(publicJwk.x);
  });

  it('is refused when it says that it is something else', async () => {
    const others: Record<string, unknown>[] = [
      { typ: 'sealed-secret+jwe' },
      { typ: undefined },
      { alg: 'ECDH-ES' },
      { alg: 'ECDH-ES+A128KW' },
      { enc: 'A128GCM' },
      { zip: 'DEF' },
      { secretId: undefined },
      { secretId: 7 },
      { version: undefined },
      { version: 1.5 },
      { version: '3' },
    ];
    for (const changes of others) await expectRefused(await sealWithJose(changes));
  });

  it('is refused when it was sealed to another key', async () => {
    await expectRefused(await sealWithJose({}, createDeliveryKey().publicJwk));
    const { publicKey } = await generateKeyPair('ECDH-ES+A256KW', { crv: 'P-256' });
    await expectRefused(await sealWithJose({}, await exportJWK(publicKey)));
  });

  it('is refused when any byte of it was changed, or a part is shorter', async () => {
    const jwe = seal('hunter2');
    const parts = jwe.split('.');
    for (const [index, part] of parts.entries()) {
      const bytes = Buffer.from(part, 'base64url');
      for (const at of bytes.keys()) {
        const changed = Buffer.from(bytes);
        changed.writeUInt8(bytes.readUInt8(at) ^ 1, at);
        expect(openDelivery(parts.with(index, changed.toString('base64url')).join('.'), privateKey)).toBeNull();
      }
      for (const left of [0, 4, 8, bytes.length - 1].filter((length) => length < bytes.length)) {
        await expectRefused(parts.with(index, bytes.subarray(0, left).toString('base64url')).join('.'));
      }
    }
    const other = seal('hunter2').split('.');
    for (const index of parts.keys()) await expectRefused(parts.with(index, other[index] ?? '').join('.'));
  });

  it('is refused in another form, with a point of small order, or where it is none', async () => {
    const jwe = seal('hunter2');
    const otherBits = jwe.slice(0, -1) + String.fromCharCode(jwe.charCodeAt(jwe.length - 1) + 1);
    const [protectedText = '', ...rest] = jwe.split('.');
    const fields = JSON.parse(Buffer.from(protectedText, 'base64url').toString());
    const withHeader = (changed: unknown) =>
      [Buffer.from(JSON.stringify(changed)).toString('base64url'), ...rest].join('.');
    const small = ['A'.repeat(43), `AQ${'A'.repeat(41)}`].map((x) =>
      withHeader({ ...fields, epk: { ...fields.epk, x } }),
    );
    const headers = [null, [], 'text', { ...fields, epk: undefined }, { ...fields, crit: ['x'], x: 1 }].map(withHeader);
    const forms = [
      '',
      'hunter2',
      '....',
      `${jwe}.`,
      `${jwe}=`,
      ` ${jwe}`,
      `${jwe}\n`,
      jwe.replace('.', '..'),
      otherBits,
    ];
    for (const text of [...forms, ...small, ...headers]) await expectRefused(text);
  });
});
