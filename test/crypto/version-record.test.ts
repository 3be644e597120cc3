import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { rewrap, seal } from '../../src/crypto/envelope.ts';
import { KeyMissing } from '../../src/crypto/key-missing.ts';
import { parseKeyring } from '../../src/crypto/keyring-file.ts';
import { bindingOf, RecordRejected } from '../../src/crypto/record.ts';
import { macOfVersion, openVersionBytes } from '../../src/crypto/version-record.ts';
import { type Owner, ownerOfKey } from '../../src/model/owner.ts';
import { actorOfKey } from '../../src/model/principal.ts';
import type { VersionRecord } from '../../src/model/secret-version.ts';
import { changedDestinations, destination, keptOf, marked, newRecord, sealed } from '../contract/fixtures.ts';
import { type KeyEntry, keyringText, testKeyring } from '../support/keyring.ts';

const owner: Owner = { type: 'team', teamId: 'red' };
const ring = (...keys: KeyEntry[]) => parseKeyring(keyringText(keys), 'keyring.json');
const mac = (kid: string, state: string): KeyEntry => ({ use: 'mac', kid, state });

async function keptVersion(version = 1, value = 'the value'): Promise<VersionRecord> {
  const record = newRecord(owner, { destination });
  const envelope = await seal(value, bindingOf(record, version), testKeyring);
  return keptOf(marked({ ...record, sealed: { ...sealed(version), tag: envelope.tag, envelope } }));
}

const text = async (version: VersionRecord) => Buffer.from(await openVersionBytes(version, testKeyring)).toString();

type Changed = [what: string, change: (version: VersionRecord, other: VersionRecord) => Partial<VersionRecord>];

describe('an earlier value', () => {
  it('opens to its bytes, and the envelope that a secret had is the one that is kept', async () => {
    expect(await text(await keptVersion(7))).toBe('the value');
  });

  it.each<Changed>([
    ['owner', () => ({ owner: { type: 'user', userId: 'red' } })],
    ['secret', (_, { secretId }) => ({ secretId })],
    ['mask', () => ({ maskedValue: '••••' })],
    ['mask, left out', () => ({ maskedValue: null })],
    ...changedDestinations.map(([what, to]): Changed => [`destination: ${what}`, () => ({ destination: to })]),
    ['version', ({ sealed }) => ({ sealed: { ...sealed, version: 2 } })],
    ['number', ({ sealed }) => ({ sealed: { ...sealed, number: 2 } })],
    ['time', ({ sealed }) => ({ sealed: { ...sealed, setAt: new Date(0) } })],
    ['author', ({ sealed }) => ({ sealed: { ...sealed, setBy: { kind: 'apiKey', id: 'ada' } } })],
    ['tag', ({ sealed }, other) => ({ sealed: { ...sealed, tag: other.sealed.tag } })],
    ['envelope', ({ sealed }, other) => ({ sealed: { ...sealed, envelope: other.sealed.envelope } })],
    ['envelope and tag', ({ sealed }, { sealed: { tag, envelope } }) => ({ sealed: { ...sealed, tag, envelope } })],
    ['whole value', (_, { sealed, mac }) => ({ sealed, mac })],
    ['MAC', (_, { mac }) => ({ mac })],
    ['MAC, cut', ({ mac: { kid, tag } }) => ({ mac: { kid, tag: tag.slice(1) } })],
    ['MAC, left out', ({ mac: { kid } }) => ({ mac: { kid, tag: '' } })],
  ])('does not open with another %s, and its secret is named', async (_what, change) => {
    const [version, other] = [await keptVersion(), await keptVersion()];
    const changed = { ...version, ...change(version, other) };
    const rejection = await openVersionBytes(changed, testKeyring).catch((error: unknown) => error);
    expect(rejection).toBeInstanceOf(RecordRejected);
    expect(rejection).toMatchObject({ secretId: changed.secretId });
    expect(String(rejection)).not.toContain('the value');
  });

  it('does not open in the place of another version of its own secret', async () => {
    const record = newRecord(owner);
    const versionOf = async (version: number) => {
      const envelope = await seal(`value ${version}`, bindingOf(record, version), testKeyring);
      return keptOf(marked({ ...record, sealed: { ...sealed(version), tag: envelope.tag, envelope } }));
    };
    const [one, two] = [await versionOf(1), await versionOf(2)];
    const { envelope, tag } = two.sealed;
    for (const swapped of [
      { ...one, sealed: two.sealed },
      { ...one, sealed: { ...one.sealed, envelope, tag } },
      { ...one, sealed: { ...two.sealed, version: 1 }, mac: two.mac },
    ]) {
      await expect(openVersionBytes(swapped, testKeyring)).rejects.toThrow(RecordRejected);
    }
  });

  it('whose secret’s record says the same has another MAC: neither stands for the other', async () => {
    const record = newRecord(owner);
    expect(keptOf(record).mac.tag).not.toBe(record.mac.tag);
    await expect(openVersionBytes({ ...keptOf(record), mac: record.mac }, testKeyring)).rejects.toThrow(RecordRejected);
  });

  it('opens after a rewrap, and needs the keys that it names', async () => {
    const version = await keptVersion();
    const { envelope } = version.sealed;
    const both = await ring({ kid: 'one', state: 'decrypting' }, { kid: 'two', state: 'active' });
    const { kid, encryptedKey } = await rewrap({ kid: 'one', encryptedKey: envelope.encrypted_key }, both);
    const moved = { ...envelope, header: { alg: 'A256KW', kid }, encrypted_key: encryptedKey };
    const later = await ring({ kid: 'two', state: 'active' });
    const rewrapped = { ...version, sealed: { ...version.sealed, envelope: moved } };
    expect(Buffer.from(await openVersionBytes(rewrapped, later)).toString()).toBe('the value');
    await expect(openVersionBytes(version, later)).rejects.toThrow(KeyMissing);
    const withoutMac = await ring({ kid: 'one', state: 'active' }, mac('new', 'active'));
    await expect(openVersionBytes(version, withoutMac)).rejects.toMatchObject({ kid: version.mac.kid });
  });

  it('has the MAC of the first format: vectors that another implementation made', async () => {
    const vectors = JSON.parse(await readFile(new URL('../vectors/versions.json', import.meta.url), 'utf8'));
    expect(vectors.length).toBeGreaterThan(2);
    for (const { kid, version, tag } of vectors) {
      const { setAt, setBy, ...mark } = version.sealed;
      const value = { ...mark, setAt: new Date(setAt), setBy: actorOfKey(setBy) };
      const inFull = { destination: null, ...version, owner: ownerOfKey(version.owner), sealed: value };
      expect(macOfVersion(inFull, await ring(mac(kid, 'active')))).toEqual({ kid, tag });
    }
  });
});
