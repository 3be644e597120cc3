import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Owner } from '../../src/model/owner.ts';
import { type Scope, scopes } from '../../src/model/principal.ts';
import type { SecretRecord } from '../../src/model/secret.ts';
import type { Operations } from '../../src/operations.ts';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import type { Store } from '../../src/store/store.ts';
import { chain, insert, newRecord } from '../contract/fixtures.ts';
import { ada, now, operationsOn } from '../support/documents.ts';
import { withTestMac } from '../support/keyring.ts';

type Operation = [
  name: string,
  scope: Scope,
  run: (operations: Operations, secret: { id: string; owner: Owner }) => Promise<unknown>,
];

const lasting = { verify: () => ada, expiresAtMs: Number.POSITIVE_INFINITY, verifyEveryMs: 15_000 };
const select = { page: true, totalCount: true };
const newSecret = () => ({ name: `N_${randomUUID().replaceAll('-', '_')}`, value: 'v', provider: 'p' });

/** Operations that take the id of a secret. */
const byId: Operation[] = [
  ['findSecret', 'secrets:read', (operations, { id }) => operations.findSecret(id)],
  [
    'updateSecret',
    'secrets:write',
    (operations, { id }) => operations.updateSecret({ id, notes: randomUUID(), reads: false }),
  ],
  [
    'rollbackSecret',
    'secrets:write',
    (operations, { id }) => operations.rollbackSecret({ id, toVersion: 1, reads: false }),
  ],
  ['deleteSecret', 'secrets:write', (operations, { id }) => operations.deleteSecret({ id, reads: false })],
  ['checkSecret', 'secrets:use', (operations, { id }) => operations.checkSecret({ id, reads: false })],
];
/** Operations that name an owner. */
const byOwner: Operation[] = [
  ['listSecrets', 'secrets:read', (operations, { owner }) => operations.listSecrets({ owner, select })],
  [
    'listSecrets as arguments name the owner',
    'secrets:read',
    (operations, { owner }) => operations.listSecrets({ owner: inputOf(owner), select }),
  ],
  [
    'listDeletedSecrets',
    'secrets:read',
    (operations, { owner }) => operations.listDeletedSecrets({ owner: inputOf(owner), select }),
  ],
  [
    'followChanges',
    'secrets:read',
    async (operations, { owner }) => {
      const following = await operations.followChanges({ owner: inputOf(owner) });
      return following.return?.();
    },
  ],
  [
    'createSecret',
    'secrets:write',
    (operations, { owner }) => operations.createSecret({ owner: inputOf(owner), ...newSecret(), reads: false }),
  ],
];
const all = [...byId, ...byOwner];

const reached: Owner[] = [
  { type: 'user', userId: 'ada' },
  { type: 'team', teamId: 'red' },
  { type: 'connector', teamId: 'red', connectorId: 'c' },
];
const foreign: Owner[] = [
  { type: 'user', userId: 'eve' },
  { type: 'user', userId: 'red' },
  { type: 'user', userId: 'ADA' },
  { type: 'team', teamId: 'blue' },
  { type: 'team', teamId: 'ada' },
  { type: 'team', teamId: 'RED' },
  { type: 'connector', teamId: 'blue', connectorId: 'c' },
  { type: 'connector', teamId: 'ada', connectorId: 'red' },
];

function inputOf(owner: Owner) {
  if (owner.type === 'user') return {};
  return owner.type === 'team' ? { teamId: owner.teamId } : { teamId: owner.teamId, connectorId: owner.connectorId };
}

function refused(code: string) {
  return expect.objectContaining({ name: 'DomainError', code });
}

describe('the policy', () => {
  let store: Store;
  beforeAll(async () => {
    store = await openSqliteStore(':memory:', withTestMac);
  });
  afterAll(() => store.close());

  async function stored(owner: Owner): Promise<SecretRecord> {
    const record = newRecord(owner);
    await store.commit([insert(record)]);
    return record;
  }
  const calling = (granted: readonly Scope[]) =>
    operationsOn(store, { principal: { ...ada, scopes: new Set(granted) }, credentials: () => lasting });

  /** Expects a refusal, and that nothing was changed. */
  async function expectRefused(code: string, record: SecretRecord, work: Promise<unknown>): Promise<void> {
    const before = await chain(store, record.owner);
    await expect(work).rejects.toEqual(refused(code));
    expect(await store.findRecord(record.id)).toEqual(record);
    expect(await chain(store, record.owner)).toEqual(before);
  }

  it.each(all)(
    'allows %s with the scope %s alone, for every owner that the caller may reach',
    async (_name, scope, run) => {
      for (const owner of reached) {
        expect(await run(await calling([scope]), await stored(owner))).not.toBeNull();
      }
    },
  );

  it.each(all)('refuses %s without the scope %s, even with all other scopes', async (_name, scope, run) => {
    const others = scopes.filter((one) => one !== scope);
    for (const owner of reached) {
      const record = await stored(owner);
      await expectRefused('PERMISSION_ERROR', record, run(await calling(others), record));
      await expectRefused('PERMISSION_ERROR', record, run(await calling([]), record));
    }
  });

  it.each(all)('refuses %s without credentials', async (_name, _scope, run) => {
    const anonymous = await operationsOn(store, { principal: null });
    for (const owner of reached) {
      const record = await stored(owner);
      await expectRefused('UNAUTHORIZED', record, run(anonymous, record));
    }
  });

  it.each(byOwner)(
    'refuses %s for an owner that the caller may not reach as FORBIDDEN, with the scope or without',
    async (name, scope, run) => {
      // Arguments cannot name another user.
      for (const owner of foreign.filter(({ type }) => name === 'listSecrets' || type !== 'user')) {
        const record = await stored(owner);
        await expectRefused('FORBIDDEN', record, run(await calling([scope]), record));
        await expectRefused('FORBIDDEN', record, run(await calling([]), record));
      }
    },
  );

  it.each(byId)(
    'answers %s for an owner that the caller may not reach as if there were no such secret',
    async (_name, scope, run) => {
      const operations = await calling([scope]);
      const outcomeOf = (secret: { id: string; owner: Owner }) =>
        run(operations, secret).catch(({ code, details }) => ({ code, details }));
      for (const owner of foreign) {
        const record = await stored(owner);
        const missing = await outcomeOf({ id: randomUUID(), owner });
        expect(await outcomeOf(record)).toEqual(missing);
        expect(missing === null || (missing as { code: string }).code === 'NOT_FOUND').toBe(true);
        expect(await store.findRecord(record.id)).toEqual(record);
        await expectRefused('PERMISSION_ERROR', record, run(await calling([]), record));
      }
    },
  );

  it.each([true, undefined])(
    'refuses to change a secret and to show it to a caller who may not read, when the change says that it shows it: %s',
    async (reads) => {
      const writer = await calling(['secrets:write']);
      for (const owner of reached) {
        const record = await stored(owner);
        await expectRefused('PERMISSION_ERROR', record, writer.updateSecret({ id: record.id, notes: 'n', reads }));
        await expectRefused('PERMISSION_ERROR', record, writer.updateSecret({ id: record.id, reads }));
        await expectRefused('PERMISSION_ERROR', record, writer.deleteSecret({ id: record.id, reads }));
        const made = writer.createSecret({ owner: inputOf(owner), ...newSecret(), reads });
        await expectRefused('PERMISSION_ERROR', record, made);
      }
      const { id } = await stored({ type: 'team', teamId: 'blue' });
      await expect(writer.updateSecret({ id, reads })).rejects.toEqual(refused('PERMISSION_ERROR'));
    },
  );

  it('compares a value for a caller with secrets:match and secrets:read alone, and for owners that the caller may reach', async () => {
    const match = (operations: Operations, owner: Owner) =>
      operations.matchesSecret({ owner: inputOf(owner), value: 'the value of nobody' });
    const both: readonly Scope[] = ['secrets:match', 'secrets:read'];
    for (const owner of reached) {
      expect(await match(await calling(both), owner)).toEqual([]);
      for (const missing of both) {
        const others = scopes.filter((one) => one !== missing);
        await expect(match(await calling(others), owner)).rejects.toEqual(refused('PERMISSION_ERROR'));
      }
      const anonymous = await operationsOn(store, { principal: null });
      await expect(match(anonymous, owner)).rejects.toEqual(refused('UNAUTHORIZED'));
      const principal = { ...ada, scopes: new Set(both) };
      const inClear = await operationsOn(store, { principal, secureTransport: false });
      await expect(match(inClear, owner)).rejects.toEqual(refused('UPGRADE_REQUIRED'));
    }
    for (const owner of foreign.filter(({ type }) => type !== 'user')) {
      await expect(match(await calling(both), owner)).rejects.toEqual(refused('FORBIDDEN'));
      await expect(match(await calling([]), owner)).rejects.toEqual(refused('FORBIDDEN'));
    }
  });

  it('returns the viewer to a caller with credentials only', async () => {
    expect((await operationsOn(store)).viewer()).toBe(ada);
    const anonymous = await operationsOn(store, { principal: null });
    expect(() => anonymous.viewer()).toThrow(refused('UNAUTHORIZED'));
  });

  it('returns the sealing keys to a caller with credentials only, whatever these allow', async () => {
    expect(
      (await operationsOn(store, { principal: { ...ada, teams: [], scopes: new Set() } })).listSealingKeys(),
    ).toHaveLength(2);
    const anonymous = await operationsOn(store, { principal: null });
    expect(() => anonymous.listSealingKeys()).toThrow(refused('UNAUTHORIZED'));
  });

  it('returns the providers to a caller with credentials only, whatever these allow', async () => {
    const weak = await operationsOn(store, { principal: { ...ada, teams: [], scopes: new Set() } });
    expect(weak.listProviders().length).toBeGreaterThan(0);
    const anonymous = await operationsOn(store, { principal: null });
    expect(() => anonymous.listProviders()).toThrow(refused('UNAUTHORIZED'));
  });

  it('refuses to create or update a value sent over plain HTTP, and allows operations without a value', async () => {
    const inClear = await operationsOn(store, { secureTransport: false });
    const owner = { teamId: 'red' };
    const record = await stored({ type: 'team', teamId: 'red' });
    const { id } = record;
    await expectRefused('UPGRADE_REQUIRED', record, inClear.updateSecret({ id, value: 'v' }));
    await expectRefused('UPGRADE_REQUIRED', record, inClear.createSecret({ owner, ...newSecret() }));
    const { value: _, ...withoutValue } = newSecret();
    expect(await inClear.createSecret({ owner, ...withoutValue })).toMatchObject({ maskedValue: null });
    expect(await inClear.updateSecret({ id, notes: 'n' })).toMatchObject({ version: 2 });
  });

  it('is checked before the rules of fields: a caller who may not write does not learn which fields are wrong', async () => {
    const reader = await calling(['secrets:read']);
    const bad = { id: 'none', name: '', value: '' };
    await expect(reader.createSecret({ owner: { teamId: 'red' }, ...bad })).rejects.toEqual(
      refused('PERMISSION_ERROR'),
    );
    await expect(reader.updateSecret(bad)).rejects.toEqual(refused('PERMISSION_ERROR'));
    await expect(reader.deleteSecret(bad)).rejects.toEqual(refused('PERMISSION_ERROR'));
    await expect((await calling(['secrets:write'])).findSecret('none')).rejects.toEqual(refused('PERMISSION_ERROR'));
  });

  it('records for each change who made it, for which request and when', async () => {
    const owner = { type: 'connector', teamId: 'red', connectorId: randomUUID() } as const;
    const principal = { ...ada, subject: 'grace' };
    const operationsOf = (requestId: string) => operationsOn(store, { principal, requestId });
    const { id } = await (await operationsOf('r1')).createSecret({ owner, ...newSecret() });
    await (await operationsOf('r2')).updateSecret({ id, notes: 'n' });
    await (await operationsOf('r3')).deleteSecret({ id });
    expect(await chain(store, owner)).toMatchObject([
      {
        type: 'secret.created',
        actor: { kind: 'user', id: 'grace' },
        requestId: 'r1',
        secretId: id,
        version: 1,
        at: now,
      },
      {
        type: 'secret.updated',
        actor: { kind: 'user', id: 'grace' },
        requestId: 'r2',
        secretId: id,
        version: 2,
        at: now,
      },
      {
        type: 'secret.deleted',
        actor: { kind: 'user', id: 'grace' },
        requestId: 'r3',
        secretId: id,
        version: 2,
        at: now,
      },
    ]);
  });
});
