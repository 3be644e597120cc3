import { readFile } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from 'vitest';
import { rewrap, seal } from '../../src/crypto/envelope.ts';
import { KeyMissing } from '../../src/crypto/key-missing.ts';
import type { Keyring } from '../../src/crypto/keyring.ts';
import { parseKeyring } from '../../src/crypto/keyring-file.ts';
import { bindingOf, macOfRecord, openRecord, RecordRejected, requireRecordMac } from '../../src/crypto/record.ts';
import type { Owner } from '../../src/model/owner.ts';
import { ownerOfKey } from '../../src/model/owner.ts';
import { actorOfKey } from '../../src/model/principal.ts';
import type { SecretRecord } from '../../src/model/secret.ts';
import { changedDestinations, destination, marked, newRecord, sealed } from '../contract/fixtures.ts';
import { type KeyEntry, keyringText, testKeyring } from '../support/keyring.ts';

const owner: Owner = { type: 'team', teamId: 'red' };
const ring = (...keys: KeyEntry[]): Promise<Keyring> => parseKeyring(keyringText(keys), 'keyring.json');
const mac = (kid: string, state: string): KeyEntry => ({ use: 'mac', kid, state });

async function sealedRecord(fields: Partial<SecretRecord> = {}, value = 'the value'): Promise<SecretRecord> {
  const record = { ...newRecord(owner, { expiresAt: new Date('2031-01-01T00:00:00.000Z'), destination }), ...fields };
  const envelope = await seal(value, bindingOf(record, 1), testKeyring);
  return marked({ ...record, sealed: { ...sealed(), tag: envelope.tag, envelope } });
}

function sealedOf({ sealed }: SecretRecord) {
  if (!sealed) throw new Error('it has a value');
  return sealed;
}

function markOfVector(value: { setAt: number; setBy: string }) {
  return { ...value, setAt: new Date(value.setAt), setBy: actorOfKey(value.setBy) };
}

type Changed = [what: string, change: (record: SecretRecord, other: SecretRecord) => Partial<SecretRecord>];

describe('a record', () => {
  it('opens to its value, and to null where it has none', async () => {
    expect(await openRecord(await sealedRecord(), testKeyring)).toBe('the value');
    expect(await openRecord(marked(newRecord(owner, { sealed: null })), testKeyring)).toBeNull();
  });

  it.each<Changed>([
    ['owner', () => ({ owner: { type: 'user', userId: 'red' } })],
    ['id', (_, { id }) => ({ id })],
    ['version', ({ version }) => ({ version: version + 1 })],
    ['name', (_, { name }) => ({ name })],
    ['placeholder', (_, { placeholder }) => ({ placeholder })],
    ['provider', () => ({ provider: 'openai' })],
    ['provider, left out', () => ({ provider: null })],
    ['mask', () => ({ maskedValue: '••••' })],
    ['mask, left out', () => ({ maskedValue: null })],
    ['creator', () => ({ createdBy: { kind: 'apiKey', id: 'ada' } })],
    ['last author', () => ({ updatedBy: { kind: 'user', id: 'bob' } })],
    ['expiry', () => ({ expiresAt: new Date('2031-01-02T00:00:00.000Z') })],
    ['expiry, left out', () => ({ expiresAt: null })],
    ...changedDestinations.map(([what, to]): Changed => [`destination: ${what}`, () => ({ destination: to })]),
    ['number of the value', (record) => ({ sealed: { ...sealedOf(record), number: 2 } })],
    ['time of the value', (record) => ({ sealed: { ...sealedOf(record), setAt: new Date(0) } })],
    ['author of the value', (record) => ({ sealed: { ...sealedOf(record), setBy: { kind: 'user', id: 'bob' } } })],
    ['version of the value', (record) => ({ sealed: { ...sealedOf(record), version: 2 } })],
    ['tag of the value', (record, other) => ({ sealed: { ...sealedOf(record), tag: sealedOf(other).tag } })],
    ['value, left out', () => ({ sealed: null })],
    ['whole value', (_, other) => ({ sealed: other.sealed })],
    ['envelope alone', (record, other) => ({ sealed: { ...sealedOf(record), envelope: sealedOf(other).envelope } })],
    ['MAC', (_, other) => ({ mac: other.mac })],
    ['MAC, cut', ({ mac: { kid, tag } }) => ({ mac: { kid, tag: tag.slice(1) } })],
    ['MAC, left out', ({ mac: { kid } }) => ({ mac: { kid, tag: '' } })],
  ])('does not open with another %s, and is named', async (_what, change) => {
    const [record, other] = [await sealedRecord(), await sealedRecord()];
    // What was right before is known by its id.
    expect(await openRecord(record, testKeyring)).toBe('the value');
    const changed = { ...record, ...change(record, other) };
    const rejection = await openRecord(changed, testKeyring).catch((error: unknown) => error);
    expect(rejection).toBeInstanceOf(RecordRejected);
    expect(rejection).toMatchObject({ secretId: changed.id });
    expect(String(rejection)).not.toContain('the value');
  });

  it('does not open with a damaged envelope, whatever is damaged', async () => {
    const record = await sealedRecord();
    const { envelope, ...mark } = sealedOf(record);
    const reversed = [...envelope.ciphertext].reverse().join('');
    const { tag } = mark;
    for (const damaged of [{}, { tag }, { ...envelope, header: undefined }, { ...envelope, ciphertext: reversed }]) {
      const changed = { ...record, sealed: { ...mark, envelope: damaged as typeof envelope } };
      await expect(openRecord(changed, testKeyring)).rejects.toThrow(RecordRejected);
    }
  });

  it('opens as before when its content key was rewrapped, and when notes, tags and dates changed', async () => {
    const record = await sealedRecord();
    const changed = { ...record, notes: 'n', tags: ['t'], updatedAt: new Date(0) };
    expect(await openRecord(changed, testKeyring)).toBe('the value');
    const both = await ring({ kid: 'one', state: 'decrypting' }, { kid: 'two', state: 'active' });
    const { envelope, ...mark } = sealedOf(record);
    const wrapped = { kid: envelope.header.kid, encryptedKey: envelope.encrypted_key };
    const { kid, encryptedKey } = await rewrap(wrapped, both);
    const moved = { ...envelope, header: { alg: 'A256KW', kid }, encrypted_key: encryptedKey };
    const later = await ring({ kid: 'two', state: 'active' });
    expect(await openRecord({ ...record, sealed: { ...mark, envelope: moved } }, later)).toBe('the value');
  });

  it('whose value was sealed for another destination does not open, whatever its MAC is', async () => {
    const record = await sealedRecord();
    for (const [, to] of changedDestinations) {
      const elsewhere = marked({ ...record, destination: to });
      // Who said so is no part of where a value may go.
      const isSame = isDeepStrictEqual({ ...to, byHand: true }, destination);
      const opened = openRecord(elsewhere, testKeyring);
      if (isSame) expect(await opened).toBe('the value');
      else await expect(opened).rejects.toThrow(RecordRejected);
    }
  });

  it('is the same whenever it was used last', async () => {
    const record = { ...(await sealedRecord()), lastUsedAt: new Date(1000) };
    expect(macOfRecord(record, testKeyring)).toEqual(record.mac);
    expect(await openRecord(record, testKeyring)).toBe('the value');
  });

  it('is checked with the key that its MAC names, while that key verifies', async () => {
    const record = await sealedRecord();
    const { kid } = record.mac;
    for (const state of ['verifying', 'pending']) {
      expect(() => requireRecordMac(record, testKeyring)).not.toThrow();
      const later = await ring({ kid: 'one', state: 'active' }, mac(kid, state), mac('new', 'active'));
      expect(await openRecord(record, later)).toBe('the value');
      expect(macOfRecord(record, later).kid).toBe('new');
      await expect(openRecord({ ...record, mac: { ...record.mac, kid: 'new' } }, later)).rejects.toThrow(
        RecordRejected,
      );
    }
    for (const keys of [[mac(kid, 'retired'), mac('new', 'active')], [mac('new', 'active')]]) {
      const rejection = openRecord(record, await ring({ kid: 'one', state: 'active' }, ...keys));
      await expect(rejection).rejects.toThrow(KeyMissing);
      await expect(rejection).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE', kid });
    }
  });

  it('whose key is missing names it to the caller only if it can be the id of a key', async () => {
    const named = (kid: string) => {
      try {
        requireRecordMac({ ...newRecord(owner), mac: { kid, tag: '' } }, testKeyring);
      } catch (error) {
        return error instanceof KeyMissing ? error.details.description : error;
      }
    };
    expect(named('mac-9')).toContain('the key mac-9');
    expect(named('<script>')).not.toContain('script');
  });

  it('has the MAC of the first format: vectors that another implementation made', async () => {
    const vectors = JSON.parse(await readFile(new URL('../vectors/records.json', import.meta.url), 'utf8'));
    expect(vectors.length).toBeGreaterThan(2);
    for (const { kid, record, tag } of vectors) {
      const { owner: key, createdBy, updatedBy, sealed: value } = record;
      const actors = { createdBy: actorOfKey(createdBy), updatedBy: actorOfKey(updatedBy) };
      const inFull = {
        expiresAt: null,
        destination: null,
        ...record,
        ...actors,
        owner: ownerOfKey(key),
        sealed: value && markOfVector(value),
      };
      expect(macOfRecord(inFull, await ring(mac(kid, 'active')))).toEqual({ kid, tag });
    }
  });
});
