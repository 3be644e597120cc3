import { createCipheriv } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { FlattenedEncrypt, flattenedDecrypt } from 'jose';
import { describe, expect, it } from 'vitest';
import { type Binding, EnvelopeRejected, open, rewrap, seal } from '../../src/crypto/envelope.ts';
import { parseKeyring } from '../../src/crypto/keyring-file.ts';
import type { Envelope } from '../../src/model/envelope.ts';
import { type KeyEntry, keyBytes, keyringText } from '../support/keyring.ts';

// Envelopes are made by hand. jose is the second implementation: each opens what the other seals.

const ring = (...keys: KeyEntry[]) => parseKeyring(keyringText(keys), 'keyring.json');
const keyring = await ring({ kid: 'one', state: 'active' });
const binding: Binding = {
  owner: 'team:red',
  secretId: '4c07bc67-57ea-42dd-b702-c2d6c45419fc',
  version: 3,
  destination: null,
};

describe('an envelope', () => {
  const anyBinding = fc.record({
    owner: fc.string({ minLength: 1 }),
    secretId: fc.uuid(),
    version: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
    destination: fc.option(
      fc.record({
        origin: fc.webUrl(),
        header: fc.constantFrom('Authorization', 'X-Api-Key'),
        format: fc.string({ minLength: 1 }),
        paths: fc.option(fc.array(fc.webPath(), { minLength: 1, maxLength: 3 })),
      }),
    ),
  });
  const anyValue = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 300 });

  it('opens with jose, and opens what jose seals, for any value and any binding', async () => {
    await fc.assert(
      fc.asyncProperty(anyValue, anyBinding, async (value, bound) => {
        expect(await openWithJose(await seal(value, bound, keyring), bound, keyBytes('one'))).toBe(value);
        expect(await open(await sealWithJose(value, bound, 'one', keyBytes('one')), bound, keyring)).toBe(value);
      }),
    );
  });

  it('does not open with a shorter tag, another nonce length or a content key of another length, however well it fits', async () => {
    const envelope = await seal('value', binding, keyring);
    const cut = (text: string, bytes: number) =>
      Buffer.from(text, 'base64url').subarray(0, bytes).toString('base64url');
    const aad = Buffer.from(`${envelope.protected}.${additionalDataOf(binding).toString('base64url')}`);
    const forged = (keyLength: 16 | 32, ivLength: number): Envelope => {
      const [contentKey, iv] = [Buffer.alloc(keyLength, 7), Buffer.alloc(ivLength, 7)];
      const wrap = createCipheriv('id-aes256-wrap', keyBytes('one'), Buffer.alloc(8, 0xa6));
      const gcm = createCipheriv(keyLength === 16 ? 'aes-128-gcm' : 'aes-256-gcm', contentKey, iv).setAAD(aad);
      const ciphertext = Buffer.concat([gcm.update('value'), gcm.final()]).toString('base64url');
      const encryptedKey = Buffer.concat([wrap.update(contentKey), wrap.final()]).toString('base64url');
      return {
        ...envelope,
        encrypted_key: encryptedKey,
        iv: iv.toString('base64url'),
        ciphertext,
        tag: gcm.getAuthTag().toString('base64url'),
      };
    };
    // A positive control: with the right lengths it opens.
    expect(await open(forged(32, 12), binding, keyring)).toBe('value');
    const wrong = [
      ...[4, 8, 12, 15].map((bytes) => ({ ...envelope, tag: cut(envelope.tag, bytes) })),
      ...[1, 11, 13, 16].map((bytes) => forged(32, bytes)),
      forged(16, 12),
    ];
    for (const one of wrong) await expect(open(one, binding, keyring)).rejects.toThrow(EnvelopeRejected);
  });

  it('still opens with jose after a rewrap, and one that jose sealed is rewrapped', async () => {
    const rotated = await ring({ kid: 'one', state: 'decrypting' }, { kid: 'two', state: 'active' });
    for (const envelope of [
      await seal('value', binding, keyring),
      await sealWithJose('value', binding, 'one', keyBytes('one')),
    ]) {
      const wrapped = { secretId: binding.secretId, kid: 'one', encryptedKey: envelope.encrypted_key };
      const { kid, encryptedKey } = await rewrap(wrapped, rotated);
      const moved = { ...envelope, header: { ...envelope.header, kid }, encrypted_key: encryptedKey };
      expect(await openWithJose(moved, binding, keyBytes('two'))).toBe('value');
      expect(await open(moved, binding, await ring({ kid: 'two', state: 'active' }))).toBe('value');
    }
  });

  it('of the first format still opens: the frozen vectors', async () => {
    const vectors = JSON.parse(await readFile(new URL('../vectors/envelopes.json', import.meta.url), 'utf8'));
    expect(vectors.length).toBeGreaterThan(3);
    for (const { kid, binding: bound, envelope, value } of vectors) {
      const keys = await ring({ kid, state: 'active' });
      expect(await open(envelope, bound, keys)).toBe(value);
      expect(await openWithJose(envelope, bound, keyBytes(kid))).toBe(value);
    }
  });
});

function additionalDataOf({ owner, secretId, version, destination: to }: Binding): Buffer {
  const place = to && [to.origin, to.header, to.format, to.paths];
  return Buffer.from(JSON.stringify(['secrets-gateway envelope', 2, owner, secretId, version, place]));
}

async function openWithJose(envelope: Envelope, binding: Binding, kek: Uint8Array): Promise<string> {
  const jwe = { ...envelope, aad: additionalDataOf(binding).toString('base64url') };
  const algorithms = { keyManagementAlgorithms: ['A256KW'], contentEncryptionAlgorithms: ['A256GCM'] };
  const { plaintext } = await flattenedDecrypt(jwe, kek, algorithms);
  return Buffer.from(plaintext).toString('utf8');
}

async function sealWithJose(value: string, binding: Binding, kid: string, kek: Uint8Array): Promise<Envelope> {
  const { aad: _, ...envelope } = await new FlattenedEncrypt(Buffer.from(value))
    .setProtectedHeader({ enc: 'A256GCM' })
    .setUnprotectedHeader({ alg: 'A256KW', kid })
    .setAdditionalAuthenticatedData(additionalDataOf(binding))
    .encrypt(kek);
  return envelope as Envelope;
}
