import { readFile } from 'node:fs/promises';
import { compactDecrypt, decodeProtectedHeader, importJWK } from 'jose';
import { describe, expect, it } from 'vitest';
import { openDelivery } from '../../src/client/open-delivery.ts';
import { recipientOf } from '../../src/crypto/recipient.ts';
import { sealDelivery } from '../../src/crypto/sealed-output.ts';
import { curves, newRecipient, type TestRecipient } from '../support/deliveries.ts';

const header = { secretId: '0a0de1d2-5d3f-4f6e-9f5c-52d0c4f7b1aa', version: 7, iat: 1772600767, sub: 'auth0|adä' };

function sealTo({ publicJwk }: TestRecipient, value: string): string {
  const recipient = recipientOf(publicJwk);
  if (!recipient) throw new Error('it is a sound key');
  return sealDelivery(Buffer.from(value), header, recipient);
}

describe.each(curves)('a delivery to a key on %s', (curve) => {
  it('is opened by jose, and says in its header what it is', async () => {
    const recipient = await newRecipient(curve);
    for (const value of ['x', 'vålue\0\r\n', '\uFEFF😀', 'y'.repeat(65536)]) {
      const { plaintext, protectedHeader } = await compactDecrypt(sealTo(recipient, value), recipient.privateKey);
      expect(Buffer.from(plaintext).toString() === value).toBe(true);
      const { epk, ...rest } = protectedHeader;
      expect(rest).toEqual({ alg: 'ECDH-ES+A256KW', enc: 'A256GCM', typ: 'delivered-secret+jwe', ...header });
      expect(Object.keys(epk ?? {}).sort()).toEqual(Object.keys(recipient.publicJwk).sort());
    }
  });

  it('never repeats an ephemeral key, a content key, a nonce or a ciphertext, and holds nothing of the value', async () => {
    const recipient = await newRecipient(curve);
    const sealed = Array.from({ length: 200 }, () => sealTo(recipient, 'sk-CONFIDENTIAL-0123456789'));
    for (const part of [0, 1, 2, 3, 4]) expect(new Set(sealed.map((jwe) => jwe.split('.')[part])).size).toBe(200);
    expect(new Set(sealed.map((jwe) => JSON.stringify(decodeProtectedHeader(jwe).epk))).size).toBe(200);
    const bytes = Buffer.concat(sealed.flatMap((jwe) => jwe.split('.')).map((part) => Buffer.from(part, 'base64url')));
    expect(bytes.includes('CONFIDENTIAL')).toBe(false);
  });

  it('is not opened by another key, or when anything of it was changed', async () => {
    const [recipient, other] = [await newRecipient(curve), await newRecipient(curve)];
    const jwe = sealTo(recipient, 'value');
    await expect(openDelivery(jwe, other.privateKey)).rejects.toThrow();
    const parts = jwe.split('.');
    const another = sealTo(recipient, 'value').split('.');
    for (const part of parts.keys()) {
      const changed = parts.with(part, another[part] ?? '').join('.');
      await expect(openDelivery(changed, recipient.privateKey)).rejects.toThrow();
    }
  });
});

it('deliveries of the first format open: the frozen vectors', async () => {
  const vectors = JSON.parse(await readFile(new URL('../vectors/deliveries.json', import.meta.url), 'utf8'));
  expect(vectors).toHaveLength(2);
  for (const { privateJwk, jwe, value, protectedHeader } of vectors) {
    const opened = await compactDecrypt(jwe, await importJWK(privateJwk, 'ECDH-ES+A256KW'));
    expect(new TextDecoder().decode(opened.plaintext)).toBe(value);
    const { epk: _, ...header } = opened.protectedHeader;
    expect(header).toEqual(protectedHeader);
    expect(await openDelivery(jwe, privateJwk)).toMatchObject({ value });
  }
});
