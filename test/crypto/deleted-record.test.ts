import { describe, expect, it } from 'vitest';
import { macOfDeleted, requireDeletedMac } from '../../src/crypto/deleted-record.ts';
import { macOfRecord, RecordRejected, requireRecordMac } from '../../src/crypto/record.ts';
import type { DeletedRecord } from '../../src/model/deleted-secret.ts';
import { changedDestinations, destination, newOwner, newRecord } from '../contract/fixtures.ts';
import { testKeyring } from '../support/keyring.ts';

const record = newRecord(newOwner(), { destination });
const deletion = { deletedAt: new Date(1000), deletedBy: { kind: 'user', id: 'ada' } } as const;
const deleted = { ...record, ...deletion, mac: macOfDeleted({ ...record, ...deletion }, testKeyring) };

describe('the MAC of a deleted secret', () => {
  it('is that of a gateway', () => {
    expect(() => requireDeletedMac(deleted, testKeyring)).not.toThrow();
  });

  it.each<[string, Partial<DeletedRecord>]>([
    ...changedDestinations.map(([what, to]): [string, Partial<DeletedRecord>] => [what, { destination: to }]),
    ['name', { name: 'another' }],
    ['placeholder', { placeholder: 'sec_another' }],
    ['owner', { owner: newOwner() }],
    ['version', { version: 2 }],
    ['value', { sealed: null }],
    ['time of the deletion', { deletedAt: new Date(2000) }],
    ['who deleted it', { deletedBy: { kind: 'user', id: 'eve' } as const }],
    ['MAC, that of the secret', { mac: macOfRecord(record, testKeyring) }],
  ])('is wrong with another %s', (_, change) => {
    expect(() => requireDeletedMac({ ...deleted, ...change }, testKeyring)).toThrow(RecordRejected);
  });

  it('makes no secret of it again', () => {
    expect(() => requireRecordMac(record, testKeyring)).not.toThrow();
    expect(() => requireRecordMac({ ...record, mac: deleted.mac }, testKeyring)).toThrow(RecordRejected);
  });
});
