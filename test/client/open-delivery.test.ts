import { inspect } from 'node:util';
import { base64url, CompactEncrypt, exportJWK, FlattenedEncrypt, generateKeyPair, importJWK, type JWK } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import { createRecipient, DeliveryError, openDelivery, type RecipientKeys } from '../../src/client/index.ts';
import { awkwardValues } from '../support/awkward-values.ts';
import { rejectionOf } from '../support/client.ts';
import { withoutX25519 } from '../support/platform.ts';

const alg = 'ECDH-ES+A256KW';
const secretId = '019dc6f0-8d3c-7b51-a2f4-6b1c3d5e7f90';
const header = {
  alg,
  enc: 'A256GCM',
  typ: 'delivered-secret+jwe',
  secretId,
  version: 3,
  iat: 1_800_000_000,
  sub: 'ada',
};

/** Delivers with jose: an implementation other than the gateway's. */
async function deliver(value: string | Uint8Array, to: JWK, changes: Record<string, unknown> = {}): Promise<string> {
  const plaintext = typeof value === 'string' ? new TextEncoder().encode(value) : value;
  return new CompactEncrypt(plaintext).setProtectedHeader({ ...header, ...changes }).encrypt(await importJWK(to, alg));
}

let recipient: RecipientKeys;
beforeAll(async () => {
  recipient = await createRecipient();
});

describe('createRecipient', () => {
  it('makes a public key that can be sent, and a private key that nothing can export', async () => {
    expect(recipient.publicJwk).toEqual({ kty: 'OKP', crv: 'X25519', x: expect.stringMatching(/^[\w-]{43}$/) });
    expect(recipient.privateKey).toMatchObject({ type: 'private', extractable: false });
    for (const format of ['jwk', 'pkcs8'] as const) {
      await expect(crypto.subtle.exportKey(format, recipient.privateKey)).rejects.toThrow();
    }
  });

  it('makes another key each time', async () => {
    expect((await createRecipient()).publicJwk.x).not.toBe(recipient.publicJwk.x);
  });

  it('takes P-256 where the platform has no X25519', async () => {
    await withoutX25519(async () => {
      const { publicJwk, privateKey } = await createRecipient();
      expect(publicJwk).toEqual({ kty: 'EC', crv: 'P-256', x: expect.any(String), y: expect.any(String) });
      expect(await openDelivery(await deliver('v', publicJwk), privateKey)).toMatchObject({ value: 'v' });
    });
  });
});

describe('openDelivery', () => {
  it('opens every value byte by byte, with the id and the version of its secret', async () => {
    for (const value of awkwardValues) {
      const opened = await openDelivery(await deliver(value, recipient.publicJwk), recipient.privateKey);
      expect({ ...opened, value: opened.value === value }).toEqual({ value: true, secretId, version: 3 });
    }
  });

  it.each(['X25519', 'P-256'])('opens with a key on %s that was kept as a JWK', async (crv) => {
    const { publicKey, privateKey } = await generateKeyPair(alg, { crv, extractable: true });
    const [publicJwk, privateJwk] = await Promise.all([exportJWK(publicKey), exportJWK(privateKey)]);
    expect(await openDelivery(await deliver('kept', publicJwk), privateJwk)).toMatchObject({ value: 'kept' });
  });

  it.each<[string, Record<string, unknown>]>([
    ['another type', { typ: 'sealed-secret+jwe' }],
    ['no type', { typ: undefined }],
    ['another algorithm', { alg: 'ECDH-ES' }],
    ['another key wrap', { alg: 'ECDH-ES+A128KW' }],
    ['another encryption', { enc: 'A128GCM' }],
    ['compression', { zip: 'DEF' }],
    ['no id', { secretId: undefined }],
    ['an id that is no text', { secretId: 7 }],
    ['no version', { version: undefined }],
    ['a version that is no whole number', { version: 1.5 }],
    ['a version in a text', { version: '3' }],
  ])('refuses %s', async (_what, changes) => {
    const jwe = await deliver('hunter2', recipient.publicJwk, changes);
    await expectRefused(jwe, /^This is no delivery of secrets-gateway\.$/);
  });

  it('refuses what it must understand and does not', async () => {
    const jwe = await new FlattenedEncrypt(new TextEncoder().encode('hunter2'))
      .setProtectedHeader({ ...header, crit: ['x'], x: 1 })
      .encrypt(await importJWK(recipient.publicJwk, alg), { crit: { x: true } });
    await expectRefused([jwe.protected, jwe.encrypted_key, jwe.iv, jwe.ciphertext, jwe.tag].join('.'), /no delivery/);
  });

  it('refuses what was sealed to another key', async () => {
    for (const crv of ['X25519', 'P-256']) {
      const { publicKey } = await generateKeyPair(alg, { crv });
      await expectRefused(await deliver('hunter2', await exportJWK(publicKey)), /sealed to another key/);
    }
  });

  it('refuses a delivery of which any part was changed', async () => {
    const parts = (await deliver('hunter2', recipient.publicJwk)).split('.');
    const changed = JSON.parse(new TextDecoder().decode(base64url.decode(parts[0] ?? '')));
    const otherHeader = base64url.encode(JSON.stringify({ ...changed, version: 4 }));
    for (const [index, part] of parts.entries()) {
      const other = index === 0 ? otherHeader : `${part.startsWith('A') ? 'B' : 'A'}${part.slice(1)}`;
      await expectRefused(parts.with(index, other).join('.'), /changed on its way/);
    }
  });

  it('refuses a delivery in another form, and what is none', async () => {
    const jwe = await deliver('hunter2', recipient.publicJwk);
    const last = jwe.at(-1) ?? '';
    // A tag has 128 bits: the last of its 22 characters has four that mean nothing.
    const otherBits = jwe.slice(0, -1) + String.fromCharCode(last.charCodeAt(0) + 1);
    const none = [
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
    for (const text of [...none, null, { jwe }]) await expectRefused(text as string, /no delivery/);
  });

  it('refuses bytes that are no text', async () => {
    await expectRefused(await deliver(Uint8Array.of(0x68, 0xff, 0xfe), recipient.publicJwk), /no delivery/);
  });

  it('refuses a key that opens nothing, and does not repeat it', async () => {
    const jwe = await deliver('v', recipient.publicJwk);
    const signing = await generateKeyPair('Ed25519', { extractable: true });
    const wrong = [recipient.publicJwk, signing.privateKey, await exportJWK(signing.privateKey), 'a-private-key', null];
    for (const key of wrong) {
      const error = await rejectionOf(openDelivery(jwe, key as JWK));
      expect(String(error)).toMatch(/^TypeError: privateKey must be the private key/);
      const shown = inspect(error, { depth: 9, showHidden: true });
      for (const text of [key, (key as JWK | null)?.d]) if (typeof text === 'string') expect(shown).not.toContain(text);
    }
  });

  async function expectRefused(jwe: string, message: RegExp): Promise<void> {
    const error = await rejectionOf(openDelivery(jwe, recipient.privateKey));
    expect(error).toBeInstanceOf(DeliveryError);
    expect((error as Error).message).toMatch(message);
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('hunter2');
  }
});
