import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { digestOfValue, digestsToFind, hasValue, isDigestOf } from '../../src/crypto/equality.ts';
import { parseKeyring } from '../../src/crypto/keyring-file.ts';
import type { Owner } from '../../src/model/owner.ts';
import type { SecretRecord } from '../../src/model/secret.ts';
import { marked, newOwner, newRecord, sealed } from '../contract/fixtures.ts';
import { keyBytes, keyringText, testKeyring } from '../support/keyring.ts';

const ids = fc.string({ unit: 'binary', minLength: 1, maxLength: 12 }).filter((id) => id.isWellFormed());
const owners: fc.Arbitrary<Owner> = fc.oneof(
  fc.record({ type: fc.constant('user' as const), userId: ids }),
  fc.record({ type: fc.constant('team' as const), teamId: ids }),
  fc.record({ type: fc.constant('connector' as const), teamId: ids, connectorId: ids }),
);
/** Also values that look like what stands before them. */
const values = fc.oneof(
  fc.string({ unit: 'binary', minLength: 1 }).filter((value) => value.isWellFormed()),
  fc.constantFrom('"]\n', '\n', '["equal value",1,"user:a"]\nx'),
);

function digestOf(value: string | Uint8Array, record: SecretRecord, keyring = testKeyring) {
  return digestOfValue(value, record, record.sealed ?? sealed(), keyring);
}

it('is equal for equal values of one owner, and for nothing else', () => {
  fc.assert(
    fc.property(owners, owners, values, values, (one, other, a, b) => {
      const isSame = JSON.stringify(one) === JSON.stringify(other) && a === b;
      const [first, second] = [digestOf(a, newRecord(one)), digestOf(b, newRecord(other))];
      expect(first.digest === second.digest).toBe(isSame);
      expect(first.mac).not.toBe(second.mac);
      expect(digestOf(Buffer.from(a), newRecord(one)).digest).toBe(first.digest);
      expect(digestsToFind(a, one, testKeyring)).toEqual([first.digest]);
    }),
    { numRuns: 500 },
  );
});

it('is HMAC-SHA-256 over the owner in a line of JSON and the value, under the active key', () => {
  const owner: Owner = { type: 'team', teamId: 'red' };
  const expected = createHmac('sha256', keyBytes('equality-1')).update('["equal value",1,"team:red"]\nvalue');
  expect(digestOf('value', newRecord(owner))).toMatchObject({
    kid: 'equality-1',
    digest: expected.digest('base64url'),
  });
});

it('is believed beside the value that it was made for alone', () => {
  const record = marked(newRecord(newOwner()));
  const digest = digestOf('value', record);
  expect(isDigestOf(record, digest, testKeyring)).toBe(true);
  expect(hasValue(record, digest, 'value', testKeyring)).toBe(true);
  expect(hasValue(record, digest, 'Value', testKeyring)).toBe(false);
  expect(hasValue(record, undefined, 'value', testKeyring)).toBe(false);
  const others = {
    secret: marked({ ...record, id: newRecord(newOwner()).id }),
    owner: marked({ ...record, owner: newOwner() }),
    version: marked({ ...record, sealed: { ...sealed(), version: 2 } }),
    value: marked({ ...record, sealed: { ...sealed(), tag: 'another' } }),
    'no value': marked({ ...record, sealed: null }),
    'record that something else wrote': { ...record, name: 'another' },
  };
  for (const [what, other] of Object.entries(others)) {
    expect([what, isDigestOf(other, digest, testKeyring)]).toEqual([what, false]);
    expect([what, hasValue(other, digest, 'value', testKeyring)]).toEqual([what, false]);
  }
  for (const part of ['kid', 'digest', 'mac'] as const) {
    expect([
      part,
      isDigestOf(record, { ...digest, [part]: digestOf('other', record)[part === 'kid' ? 'mac' : part] }, testKeyring),
    ]).toEqual([part, false]);
  }
});

it('is found under every key that is not retired, and made under the active one', async () => {
  const ring = async (...states: [string, string][]) => {
    const text = JSON.parse(keyringText(states.map(([kid, state]) => ({ use: 'equality', kid, state }))));
    for (const key of text.keys) if (key.state === 'previous') key.replacedAt = '2026-01-02T00:00:00.000Z';
    return parseKeyring(JSON.stringify(text), 'keyring.json');
  };
  const before = await ring(['one', 'active']);
  const record = marked(newRecord(newOwner()), before);
  const old = digestOf('value', record, before);
  const during = await ring(['one', 'previous'], ['two', 'active'], ['three', 'pending']);
  expect(digestOf('value', record, during).kid).toBe('two');
  const found = digestsToFind('value', record.owner, during);
  expect(new Set(found).size).toBe(3);
  expect(found).toContain(old.digest);
  expect([isDigestOf(record, old, during), hasValue(record, old, 'value', during)]).toEqual([true, true]);
  const after = await ring(['one', 'retired'], ['two', 'active']);
  expect(digestsToFind('value', record.owner, after)).not.toContain(old.digest);
  expect([isDigestOf(record, old, after), hasValue(record, old, 'value', after)]).toEqual([false, false]);
});

it('a key that was replaced says when', async () => {
  const text = keyringText([
    { use: 'equality', kid: 'one', state: 'previous' },
    { use: 'equality', kid: 'two', state: 'active' },
  ]);
  await expect(parseKeyring(text, 'keyring.json')).rejects.toThrow('"replacedAt" is no time');
});
