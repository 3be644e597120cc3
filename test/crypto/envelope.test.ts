import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Binding, EnvelopeRejected, open, rewrap, seal } from '../../src/crypto/envelope.ts';
import { KeyMissing } from '../../src/crypto/key-missing.ts';
import type { Keyring } from '../../src/crypto/keyring.ts';
import { readKeyring } from '../../src/keyring/file.ts';
import type { Envelope, WrappedKey } from '../../src/model/envelope.ts';
import { keyBytes, writeKeyring } from '../support/keyring.ts';

const destination = {
  origin: 'https://api.openai.com',
  header: 'Authorization',
  format: 'Bearer {value}',
  paths: ['/v1', '/v2'],
};
const binding: Binding = {
  owner: 'team:red',
  secretId: '4c07bc67-57ea-42dd-b702-c2d6c45419fc',
  version: 3,
  destination,
};

describe('an envelope', () => {
  let directory: string;
  let keyring: Keyring;

  const ring = async (...keys: Parameters<typeof writeKeyring>[1]) => {
    const path = join(directory, `${crypto.randomUUID()}.json`);
    await writeKeyring(path, keys);
    return readKeyring(path);
  };

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'envelope-'));
    keyring = await ring({ kid: 'one', state: 'active' });
  });
  afterAll(() => rm(directory, { recursive: true }));

  it('opens to exactly the value that was sealed, for any value', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', minLength: 1, maxLength: 200 }), async (value) => {
        fc.pre(value.isWellFormed());
        expect(await open(await seal(value, binding, keyring), binding, keyring)).toBe(value);
      }),
    );
    for (const value of ['\uFEFFbom', ' spaces ', '\u0000', 'x'.repeat(65536)]) {
      expect(await open(await seal(value, binding, keyring), binding, keyring)).toBe(value);
    }
  });

  it('contains nothing of the value, and never repeats a nonce, a content key or a ciphertext', async () => {
    const value = 'sk-CONFIDENTIAL-0123456789';
    const envelopes = await Promise.all(Array.from({ length: 200 }, () => seal(value, binding, keyring)));
    for (const part of ['iv', 'encrypted_key', 'ciphertext', 'tag'] as const) {
      expect(new Set(envelopes.map((envelope) => envelope[part])).size).toBe(200);
    }
    expect(JSON.stringify(envelopes)).not.toContain('CONFIDENTIAL');
    expect(JSON.stringify(envelopes)).not.toContain(Buffer.from(value).toString('base64url'));
  });

  it('opens only for its owner, secret, version and destination', async () => {
    const envelope = await seal('value', binding, keyring);
    const elsewhere = (change: Partial<typeof destination>) => ({ ...destination, ...change });
    for (const other of [
      { ...binding, destination: null },
      { ...binding, destination: elsewhere({ origin: 'https://api.openai.com.example' }) },
      { ...binding, destination: elsewhere({ header: 'X-Api-Key' }) },
      { ...binding, destination: elsewhere({ format: '{value}' }) },
      { ...binding, destination: elsewhere({ paths: ['/v1'] }) },
      { ...binding, destination: elsewhere({ paths: ['/v2', '/v1'] }) },
      { ...binding, destination: { ...destination, paths: null } },
      { ...binding, owner: 'team:blue' },
      { ...binding, owner: 'user:red' },
      { ...binding, secretId: '4c07bc67-57ea-42dd-b702-c2d6c45419fd' },
      { ...binding, version: 2 },
      { ...binding, version: 4 },
    ]) {
      await expect(open(envelope, other, keyring)).rejects.toThrow(EnvelopeRejected);
    }
    expect(await open(envelope, binding, keyring)).toBe('value');
  });

  it('encodes any two bindings differently', async () => {
    const text = fc.string({ unit: fc.constantFrom('"', ',', '[', ']', '\\', 'a', '1') });
    await fc.assert(
      fc.asyncProperty(text, text, text, text, async (owner, secretId, otherOwner, otherId) => {
        fc.pre(owner !== otherOwner || secretId !== otherId);
        const envelope = await seal('value', { owner, secretId, version: 1, destination: null }, keyring);
        const elsewhere = { owner: otherOwner, secretId: otherId, version: 1, destination: null };
        await expect(open(envelope, elsewhere, keyring)).rejects.toThrow(EnvelopeRejected);
      }),
    );
  });

  it('does not open after any of 100,000 random bit flips', { timeout: 120_000 }, async () => {
    const envelope = await seal('a value of some length, as values are', binding, keyring);
    const parts = ['protected', 'encrypted_key', 'iv', 'ciphertext', 'tag'] as const;
    const bytes = Object.fromEntries(parts.map((part) => [part, Buffer.from(envelope[part], 'base64url')]));
    const total = parts.reduce((sum, part) => sum + (bytes[part]?.length ?? 0), 0);
    let opened = 0;
    const flip = async () => {
      let place = Math.floor(Math.random() * total);
      const part = parts.find((candidate) => {
        const length = bytes[candidate]?.length ?? 0;
        if (place < length) return true;
        place -= length;
        return false;
      });
      if (!part) throw new Error('no place');
      const copy = Buffer.from(bytes[part] ?? []);
      copy[place] = (copy[place] ?? 0) ^ (1 << Math.floor(Math.random() * 8));
      const flipped = { ...envelope, [part]: copy.toString('base64url') };
      try {
        await open(flipped, binding, keyring);
        opened += 1;
      } catch (error) {
        if (!(error instanceof EnvelopeRejected)) throw error;
      }
    };
    for (let round = 0; round < 1000; round += 1) await Promise.all(Array.from({ length: 100 }, flip));
    expect(opened).toBe(0);
    expect(await open(envelope, binding, keyring)).toBe('a value of some length, as values are');
  });

  it('is refused with another algorithm, extra protected members, or base64url that is not canonical', async () => {
    const envelope = await seal('value', binding, keyring);
    const withProtected = (header: object) => ({
      ...envelope,
      protected: Buffer.from(JSON.stringify(header)).toString('base64url'),
    });
    const nonCanonical = (text: string) => {
      const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
      const last = alphabet.indexOf(text.at(-1) ?? '');
      return text.slice(0, -1) + alphabet[last ^ 1];
    };
    const tag = nonCanonical(envelope.tag);
    expect(Buffer.from(tag, 'base64url')).toEqual(Buffer.from(envelope.tag, 'base64url'));
    const forged: unknown[] = [
      { ...envelope, header: { ...envelope.header, alg: 'dir' } },
      { ...envelope, header: { ...envelope.header, alg: 'A128KW' } },
      { ...envelope, header: { ...envelope.header, kid: undefined } },
      withProtected({ enc: 'A256GCM', zip: 'DEF' }),
      withProtected({ enc: 'A256CBC-HS512' }),
      withProtected({ enc: 'A256GCM', crit: ['exp'], exp: 1 }),
      withProtected({ enc: 'A256GCM', alg: 'dir' }),
      { ...envelope, tag },
      { ...envelope, tag: `${envelope.tag}==` },
      { ...envelope, ciphertext: undefined },
      { ...envelope, header: undefined },
    ];
    for (const bad of forged) {
      await expect(open(bad as Envelope, binding, keyring)).rejects.toThrow(EnvelopeRejected);
    }
  });

  it('still opens after a new active key was added by hand, and is sealed under the new one from then on', async () => {
    const old = await seal('old', binding, keyring);
    const both = await ring({ kid: 'one', state: 'decrypting' }, { kid: 'two', state: 'active' });
    expect(await open(old, binding, both)).toBe('old');
    const fresh = await seal('new', binding, both);
    expect(fresh.header.kid).toBe('two');
    expect(await open(fresh, binding, both)).toBe('new');
  });

  it('names the key that is missing when its key is lost or retired', async () => {
    const envelope = await seal('value', binding, keyring);
    const without = await ring({ kid: 'two', state: 'active' });
    const retired = await ring({ kid: 'one', state: 'retired' }, { kid: 'two', state: 'active' });
    for (const other of [without, retired]) {
      await expect(open(envelope, binding, other)).rejects.toThrow(KeyMissing);
      await expect(open(envelope, binding, other)).rejects.toMatchObject({ kid: 'one' });
    }
    const impostor = await ring({ kid: 'one', state: 'active', bytes: keyBytes('other') });
    await expect(open(envelope, binding, impostor)).rejects.toThrow(EnvelopeRejected);
  });

  describe('rewrapped', () => {
    type KeyOfEnvelope = Pick<WrappedKey, 'kid' | 'encryptedKey'>;
    const wrappedKeyOf = (envelope: Envelope): KeyOfEnvelope => ({
      kid: envelope.header.kid,
      encryptedKey: envelope.encrypted_key,
    });
    const withKey = (envelope: Envelope, { kid, encryptedKey }: KeyOfEnvelope): Envelope => ({
      ...envelope,
      header: { ...envelope.header, kid },
      encrypted_key: encryptedKey,
    });
    let rotated: Keyring;

    beforeAll(async () => {
      rotated = await ring({ kid: 'one', state: 'decrypting' }, { kid: 'two', state: 'active' });
    });

    it('opens to the same value under the new key alone, with its ciphertext as it was', async () => {
      const envelope = await seal('value', binding, keyring);
      const moved = withKey(envelope, await rewrap(wrappedKeyOf(envelope), rotated));
      expect(moved.header.kid).toBe('two');
      expect(moved.encrypted_key).not.toBe(envelope.encrypted_key);
      expect(await open(moved, binding, await ring({ kid: 'two', state: 'active' }))).toBe('value');
      await expect(open(moved, binding, keyring)).rejects.toThrow(KeyMissing);
      // The previous envelope still opens, for a reader that read it before it was replaced.
      expect(await open(envelope, binding, rotated)).toBe('value');
    });

    it('opens only for its owner, secret, version and destination, as before', async () => {
      const envelope = await seal('value', binding, keyring);
      const moved = withKey(envelope, await rewrap(wrappedKeyOf(envelope), rotated));
      await expect(open(moved, { ...binding, version: 4 }, rotated)).rejects.toThrow(EnvelopeRejected);
      await expect(open(moved, { ...binding, owner: 'team:blue' }, rotated)).rejects.toThrow(EnvelopeRejected);
    });

    it('is refused when any bit of the wrapped key was changed', async () => {
      const wrapped = wrappedKeyOf(await seal('value', binding, keyring));
      const bytes = Buffer.from(wrapped.encryptedKey, 'base64url');
      for (let bit = 0; bit < bytes.length * 8; bit += 1) {
        const flipped = Buffer.from(bytes);
        flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        const changed = { ...wrapped, encryptedKey: flipped.toString('base64url') };
        await expect(rewrap(changed, rotated)).rejects.toThrow(EnvelopeRejected);
      }
      for (const encryptedKey of ['', '!', `${wrapped.encryptedKey}=`, wrapped.encryptedKey.slice(1)]) {
        await expect(rewrap({ ...wrapped, encryptedKey }, rotated)).rejects.toThrow(EnvelopeRejected);
      }
    });

    it('is refused when its key is missing or retired', async () => {
      const wrapped = wrappedKeyOf(await seal('value', binding, keyring));
      const retired = await ring({ kid: 'one', state: 'retired' }, { kid: 'two', state: 'active' });
      await expect(rewrap(wrapped, retired)).rejects.toThrow(KeyMissing);
      await expect(rewrap({ ...wrapped, kid: 'three' }, rotated)).rejects.toThrow(KeyMissing);
    });
  });
});
