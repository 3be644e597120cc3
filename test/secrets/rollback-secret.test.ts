import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { seal } from '../../src/crypto/envelope.ts';
import { bindingOf, RecordRejected } from '../../src/crypto/record.ts';
import type { Caller } from '../../src/model/caller.ts';
import type { Owner } from '../../src/model/owner.ts';
import type { Principal } from '../../src/model/principal.ts';
import type { SecretRecord } from '../../src/model/secret.ts';
import type { Operations } from '../../src/operations.ts';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import type { Store } from '../../src/store/store.ts';
import { insert, marked, newRecord, sealed, update } from '../contract/fixtures.ts';
import { operationsOn } from '../support/documents.ts';
import { testKeyring, withTestMac } from '../support/keyring.ts';

const opened = vi.hoisted(() => ({ values: [] as Uint8Array[] }));

// Keeps what the operation got in clear, to look at it afterwards.
vi.mock('../../src/crypto/version-record.ts', async (original) => {
  const real = await original<typeof import('../../src/crypto/version-record.ts')>();
  const openVersionBytes: typeof real.openVersionBytes = async (...of) => {
    const value = await real.openVersionBytes(...of);
    opened.values.push(value);
    return value;
  };
  return { ...real, openVersionBytes };
});

const owner: Owner = { type: 'team', teamId: 'red' };

describe('a rollback', () => {
  let store: Store;
  let operations: Operations;

  beforeAll(async () => {
    store = await openSqliteStore(':memory:', withTestMac);
    operations = await operationsOn(store);
  });
  afterAll(() => store.close());
  beforeEach(() => {
    opened.values = [];
  });

  async function sealedAt(record: SecretRecord, version: number): Promise<SecretRecord> {
    const envelope = await seal(`value ${version}`, bindingOf(record, version), testKeyring);
    return marked({ ...record, version, sealed: { ...sealed(version), tag: envelope.tag, envelope } });
  }

  /** A secret with two values. @param kept changes the first one as it is kept */
  async function stored(kept: (write: ReturnType<typeof update>) => ReturnType<typeof update> = (write) => write) {
    const first = await sealedAt(newRecord(owner), 1);
    const second = await sealedAt(first, 2);
    await store.commit([insert(first)]);
    await store.commit([kept(update(first, {}, second.sealed ?? undefined))]);
    return first.id;
  }
  const rollback = (id: string) => operations.rollbackSecret({ id, toVersion: 1 });

  it('overwrites the value that it opened', async () => {
    expect(await rollback(await stored())).toMatchObject({ version: 3 });
    expect(opened.values.map(({ length }) => length)).toEqual(['value 1'.length]);
    for (const value of opened.values) expect(value.every((byte) => byte === 0)).toBe(true);
  });

  it('to a value whose key is missing is unavailable, and names the key', async () => {
    const id = await stored(({ replaced, ...write }) => {
      if (!replaced) throw new Error('the first value is kept');
      return { ...write, replaced: { ...replaced, mac: { ...replaced.mac, kid: 'mac-lost' } } };
    });
    await expect(rollback(id)).rejects.toMatchObject({
      code: 'SERVICE_UNAVAILABLE',
      details: { description: expect.stringContaining('mac-lost') },
    });
    const other = await stored();
    const current = await store.wrappedKeys('', 1000);
    const earlier = await store.wrappedKeys(current.at(-1)?.position ?? '', 1000);
    const from = earlier.find(({ secretId }) => secretId === other);
    if (!from) throw new Error('the first value is kept');
    await store.replaceWrappedKeys([{ from, to: { ...from, kid: 'kek-lost' } }]);
    await expect(rollback(other)).rejects.toMatchObject({
      code: 'SERVICE_UNAVAILABLE',
      details: { description: expect.stringContaining('kek-lost') },
    });
    expect(await store.find(other)).toMatchObject({ version: 2 });
  });

  it('to a value that something else wrote is rejected, and the secret stays as it was', async () => {
    const id = await stored(({ replaced, ...write }) => {
      if (!replaced) throw new Error('the first value is kept');
      return { ...write, replaced: { ...replaced, maskedValue: 'another mask' } };
    });
    await expect(rollback(id)).rejects.toThrow(RecordRejected);
    expect(await store.find(id)).toMatchObject({ version: 2 });
    expect(opened.values).toEqual([]);
  });

  it('of a secret whose present value is damaged gives it the earlier one, and does not keep the damaged one', async () => {
    const id = await stored();
    const [from] = (await store.wrappedKeys('', 1000)).filter(
      ({ secretId, position }) => secretId === id && position.startsWith('secrets'),
    );
    if (!from) throw new Error('it has a value');
    const encryptedKey = Buffer.from(from.encryptedKey, 'base64url').reverse().toString('base64url');
    await store.replaceWrappedKeys([{ from, to: { ...from, encryptedKey } }]);
    expect(await rollback(id)).toMatchObject({ version: 3 });
    expect((await store.versions.list(owner, id)).map(({ version }) => version)).toEqual([3, 1]);
  });

  it('without credentials, scope or sight of the secret is refused before a value is opened', async () => {
    const id = await stored();
    const callers: Record<string, Partial<Caller>> = {
      UNAUTHORIZED: { principal: null },
      PERMISSION_ERROR: { principal: { ...eve, scopes: new Set(['secrets:read']) } },
      NOT_FOUND: { principal: eve },
    };
    for (const [code, caller] of Object.entries(callers)) {
      const other = await operationsOn(store, caller);
      await expect(other.rollbackSecret({ id, toVersion: 1 })).rejects.toMatchObject({ code });
      await expect(other.rollbackSecret({ id: crypto.randomUUID(), toVersion: 1 })).rejects.toMatchObject({ code });
    }
    expect(opened.values).toEqual([]);
  });
});

const eve: Principal = {
  kind: 'user',
  subject: 'eve',
  teams: [{ id: 'blue', role: 'admin' }],
  scopes: new Set(['secrets:read', 'secrets:write']),
};
