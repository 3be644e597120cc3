import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seal } from '../../src/crypto/envelope.ts';
import { digestOfValue } from '../../src/crypto/equality.ts';
import { bindingOf, openRecord } from '../../src/crypto/record.ts';
import type { Destination } from '../../src/model/destination.ts';
import type { Owner } from '../../src/model/owner.ts';
import type { Principal } from '../../src/model/principal.ts';
import type { SecretRecord } from '../../src/model/secret.ts';
import type { Operations } from '../../src/operations.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { Store } from '../../src/store/store.ts';
import { destination, insert, marked, newRecord, sealed, update, useAt } from '../contract/fixtures.ts';
import { ada, operationsOn } from '../support/documents.ts';
import { newDatabaseUrl, storeNames } from '../support/gateway.ts';
import { testKeyring, withTestMac } from '../support/keyring.ts';

const owner: Owner = { type: 'team', teamId: 'red' };
const [second, usedAt] = [{ ...destination, origin: 'https://api.example', paths: null }, new Date(1000)];
const principal: Principal = {
  ...ada,
  scopes: new Set(['secrets:read', 'secrets:write', 'secrets:resolve', 'secrets:match']),
};

describe.each(storeNames)('the destination of a value, on %s', (name) => {
  const folder = mkdtempSync(join(tmpdir(), 'destinations-'));
  let store: Store;
  let operations: Operations;

  beforeAll(async () => {
    store = await openStore(newDatabaseUrl(name, folder), withTestMac);
    operations = await operationsOn(store, { principal });
  });
  afterAll(async () => {
    await store?.close();
    rmSync(folder, { recursive: true });
  });

  async function sealedAt(record: SecretRecord, version: number, to: Destination | null): Promise<SecretRecord> {
    const next = { ...record, version, destination: to };
    const envelope = seal(`value ${version}`, bindingOf(next, version), testKeyring);
    const { tag } = envelope;
    const digest = digestOfValue(`value ${version}`, next, { version, tag }, testKeyring);
    return marked({ ...next, sealed: { ...sealed(version), tag, envelope, digest } });
  }

  /** A secret whose two values have destinations of their own, and that was used. */
  async function stored(): Promise<SecretRecord> {
    const one = await sealedAt(newRecord(owner, { provider: 'openai' }), 1, destination);
    const two = await sealedAt(one, 2, second);
    await store.commit([insert(one)]);
    await store.commit([update(one, { destination: second }, two.sealed ?? undefined)]);
    await store.commit([useAt(two, usedAt)]);
    return two;
  }

  /** The secret as it is stored, with its value in clear: its MAC and its envelope are over the destination. */
  async function read(id: string) {
    const record = await store.findRecord(id);
    if (!record) throw new Error('it is stored');
    const { destination: to, lastUsedAt, version } = record;
    return { value: await openRecord(record, testKeyring), destination: to, lastUsedAt, version };
  }

  it('stays with a change of anything else', async () => {
    const { id } = await stored();
    const changed = await operations.updateSecret({ id, name: `renamed ${id}`, provider: 'github', notes: 'n' });
    expect(changed).toMatchObject({ destination: second, lastUsedAt: usedAt });
    expect(await read(id)).toEqual({ value: 'value 2', destination: second, lastUsedAt: usedAt, version: 3 });
  });

  it('comes back with the value of an earlier version, and the value before keeps its own', async () => {
    const { id } = await stored();
    expect(await operations.rollbackSecret({ id, toVersion: 1 })).toMatchObject({ destination });
    expect(await read(id)).toEqual({ value: 'value 1', destination, lastUsedAt: usedAt, version: 3 });
    const versions = await store.versions.list(owner, id);
    expect(versions.map((version) => version.destination)).toEqual([destination, second, destination]);
    expect(await operations.rollbackSecret({ id, toVersion: 2 })).toMatchObject({ destination: second });
    expect(await read(id)).toMatchObject({ value: 'value 2', destination: second, version: 4 });
  });

  it('is there again with a secret that is restored', async () => {
    const { id } = await stored();
    expect(await operations.deleteSecret({ id })).toMatchObject({ destination: second, lastUsedAt: usedAt });
    expect(await operations.restoreSecret({ id })).toMatchObject({ destination: second, lastUsedAt: usedAt });
    expect(await read(id)).toEqual({ value: 'value 2', destination: second, lastUsedAt: usedAt, version: 3 });
  });

  it('is that of a copy, which was not used yet, and makes a copy over another secret an update', async () => {
    const { name: named } = await stored();
    const to = { teamId: 'red', connectorId: `to ${name}` };
    const copy = { from: { teamId: 'red' }, to, names: [named], onConflict: 'update', dryRun: false } as const;
    const [made] = (await operations.duplicateSecrets(copy)).items;
    expect(made).toMatchObject({ action: 'created', secret: { destination: second, lastUsedAt: null } });
    const id = made?.secret?.id ?? '';
    expect(await read(id)).toEqual({ value: 'value 2', destination: second, lastUsedAt: null, version: 1 });
    const again = async () => (await operations.duplicateSecrets(copy)).items[0]?.action;
    expect(await again()).toBe('unchanged');

    // The same value, bound to another place.
    const record = await store.findRecord(id);
    if (!record) throw new Error('it is stored');
    const elsewhere = await sealedAt(record, 2, destination);
    await store.commit([update(record, { destination }, elsewhere.sealed ?? undefined)]);
    expect(await again()).toBe('updated');
    expect(await read(id)).toEqual({ value: 'value 2', destination: second, lastUsedAt: null, version: 3 });
  });

  it('is told again by the result of a call with an idempotency key, as it was then', async () => {
    const { id } = await stored();
    const rollback = () => operations.rollbackSecret({ id, toVersion: 1, idempotencyKey: id });
    const first = await rollback();
    expect(first).toMatchObject({ destination, lastUsedAt: usedAt });
    expect(await rollback()).toEqual(first);
    const to = { teamId: 'red', connectorId: `again ${name}` };
    const copy = () =>
      operations.duplicateSecrets({
        ...{
          from: { teamId: 'red' },
          to,
          names: [first.name],
          onConflict: 'fail',
          dryRun: false,
          idempotencyKey: `copy ${id}`,
        },
      });
    const made = await copy();
    expect(made.items[0]?.secret).toMatchObject({ destination });
    expect(await copy()).toEqual(made);
  });
});
