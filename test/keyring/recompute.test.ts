import { randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { addPendingKey, rotateKeyring } from '../../src/keyring/change.ts';
import { readKeyring } from '../../src/keyring/file.ts';
import { recomputeDigests } from '../../src/keyring/recompute.ts';
import { retireUnusedKey } from '../../src/keyring/retire.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { Store } from '../../src/store/store.ts';
import { openDatabaseWriter } from '../support/database-writer.ts';
import { storeNames, TestGateway } from '../support/gateway.ts';
import { createSecret, deleteSecret, updateSecret } from '../support/graphql.ts';

const matches = 'query ($value: String) { matchesSecret(owner: { teamId: "red" }, value: $value) { name } }';
const everything = `{ secrets(owner: { teamId: "red" }) { nodes { id version updatedAt versions { version } } }
  auditEvents(owner: { teamId: "red" }) { nodes { sequence hash } } }`;

describe.each(storeNames)('a new key for equality, on %s', (name) => {
  let gateway: TestGateway;
  let store: Store;
  let keyringFile: string;
  let token: string;
  let ids: Record<string, string>;

  beforeEach(async () => {
    gateway = await TestGateway.start(name);
    store = await openStore(gateway.databaseUrl);
    keyringFile = join(gateway.directory, 'keyring.json');
    const scope = 'secrets:read secrets:write secrets:match';
    token = await gateway.issuer.token({ sub: randomUUID(), scope, teams: [{ id: 'red', role: 'admin' }] });
    ids = {};
    for (const [name, value] of [
      ['A', 'one'],
      ['B', 'one'],
      ['C', 'two'],
      ['D', undefined],
      ['E', 'gone'],
    ] as const) {
      const input = { owner: { teamId: 'red' }, name, ...(value && { value }) };
      ids[name] = (await good(createSecret(), { input })).createSecret.secret.id;
    }
    await good(deleteSecret, { input: { id: ids.E } });
  });
  afterEach(async () => {
    await store?.close();
    await gateway?.close();
  });

  async function good(query: string, variables: Record<string, unknown>) {
    const { data, errors } = await gateway.run(query, variables, { token });
    expect(errors).toEqual([]);
    return data;
  }

  async function found(...values: string[]): Promise<string[]> {
    const answers = await Promise.all(values.map((value) => good(matches, { value })));
    return answers.map(({ matchesSecret }) => matchesSecret.map(({ name }: { name: string }) => name).join(''));
  }

  /** Makes another key active, as long ago as this, and the gateway reads the file. @returns the key from before */
  async function rotated(agoMs = 10_000): Promise<string> {
    const before = (await readKeyring(keyringFile)).equality.active.kid;
    await rotateKeyring(keyringFile, 'equality');
    const file = JSON.parse(await readFile(keyringFile, 'utf8'));
    const entry = file.keys.find(({ kid }: { kid: string }) => kid === before);
    expect(entry.state).toBe('previous');
    entry.replacedAt = new Date(Date.now() - agoMs).toISOString();
    await writeFile(keyringFile, JSON.stringify(file));
    expect((await fetch(new URL('/readyz', gateway.url))).status).toBe(200);
    return before;
  }

  const recompute = async () => recomputeDigests(store, await readKeyring(keyringFile), keyringFile);
  const kids = async () => (await store.countKids('digests', '', 100)).counts;

  it('finds equal values before, while and after digests are computed, and nothing else of a secret changes', async () => {
    const before = await rotated();
    expect(await found('one', 'two', 'gone')).toEqual(['AB', 'C', '']);
    await good(updateSecret(), { input: { id: ids.C, value: 'one' } });
    expect(await found('one', 'two')).toEqual(['ABC', '']);
    const { active } = (await readKeyring(keyringFile)).equality;
    expect(await kids()).toEqual(
      new Map([
        [before, 2],
        [active.kid, 1],
      ]),
    );
    const seen = await good(everything, {});
    const told: [number, number][] = [];
    const ring = await readKeyring(keyringFile);
    const report = await recomputeDigests(store, ring, keyringFile, {
      onProgress: (...progress) => told.push(progress),
    });
    expect(report).toEqual({ computed: 2, left: 0, damaged: [], missing: new Map() });
    expect(told).toEqual([[2, 2]]);
    expect(await kids()).toEqual(new Map([[active.kid, 3]]));
    expect(await good(everything, {})).toEqual(seen);
    expect(await found('one', 'two')).toEqual(['ABC', '']);
    expect(await recompute()).toMatchObject({ computed: 0, left: 0 });
  });

  it('computes the digests of values that have none, as after an update from a release without them', async () => {
    const writer = openDatabaseWriter(gateway.databaseUrl);
    await writer.replaceDigests([ids.A ?? '', ids.C ?? ''], [null, null]);
    await writer.close();
    expect(await found('one', 'two')).toEqual(['B', '']);
    expect(await kids()).toEqual(
      new Map([
        ['', 2],
        [(await readKeyring(keyringFile)).equality.active.kid, 1],
      ]),
    );
    expect(await recompute()).toMatchObject({ computed: 2, left: 0 });
    expect(await found('one', 'two')).toEqual(['AB', 'C']);
  });

  it('is interrupted and goes on, names what does not open, and computes all others', async () => {
    await rotated();
    const stopped = await recomputeDigests(store, await readKeyring(keyringFile), keyringFile, {
      signal: AbortSignal.abort(),
    });
    expect(stopped).toMatchObject({ computed: 0, left: 3 });
    const writer = openDatabaseWriter(gateway.databaseUrl);
    const [record = {}] = await writer.records([ids.B ?? '']);
    await writer.replaceRecords([ids.B ?? ''], [{ ...record, name: 'forged' }]);
    await writer.close();
    expect(await recompute()).toEqual({ computed: 2, left: 0, damaged: [ids.B], missing: new Map() });
    expect(await found('one', 'two')).toEqual(['A', 'C']);
  });

  it('computes nothing under a key that is no longer the active one', async () => {
    await rotated();
    const ring = await readKeyring(keyringFile);
    await rotated();
    await expect(recomputeDigests(store, ring, keyringFile)).rejects.toThrow('Another key became active');
    expect((await kids()).get(ring.equality.active.kid)).toBeUndefined();
  });

  it('lets the one before be retired a day later, and not while a digest is under it', async () => {
    const day = 24 * 3_600_000;
    const retire = async (kid: string) => {
      await retireUnusedKey(store, keyringFile, kid, () => {
        throw new Error('it is not needed');
      });
    };
    const before = await rotated(day - 60_000);
    await recompute();
    await expect(retire(before)).rejects.toThrow(/kept for 24 hours. Run this again after \d{4}-/);
    const second = await rotated(day + 60_000);
    await expect(retire(second)).rejects.toThrow('digests of values: 3). Run keys recompute');
    await recompute();
    await expect(retire(second)).rejects.toThrow('it is not needed');
    await expect(retire((await readKeyring(keyringFile)).equality.active.kid)).rejects.toThrow(
      'Run keys rotate --equality and keys recompute first.',
    );
  });

  it('finds calls that were made before it', async () => {
    const input = { owner: { teamId: 'red' }, name: 'once', value: 'v', idempotencyKey: randomUUID() };
    const first = await good(createSecret('id version'), { input });
    await rotated();
    expect(await good(createSecret('id version'), { input })).toEqual(first);
  });

  it.runIf(name === 'mongodb')('two gateways, one of which has the old file, make the same call once', async () => {
    const oldFile = join(gateway.directory, 'old.json');
    await writeFile(oldFile, await readFile(keyringFile, 'utf8'), { mode: 0o600 });
    const { databaseUrl, issuer } = gateway;
    const env = { DATABASE_URL: databaseUrl, KEYRING_FILE: oldFile, JWT_JWKS_URL: issuer.jwksUrl };
    const other = await TestGateway.start(name, { ...env, RATE_LIMIT: 'off' });
    try {
      await addPendingKey(keyringFile, 'equality');
      expect((await fetch(new URL('/readyz', gateway.url))).status).toBe(200);
      for (const rotate of [async () => {}, async () => void (await rotated())]) {
        await rotate();
        for (const [first, second] of [
          [gateway, other],
          [other, gateway],
        ] as const) {
          const input = { owner: { teamId: 'red' }, name: randomUUID(), value: 'v', idempotencyKey: randomUUID() };
          const at = (one: TestGateway) => one.run(createSecret('id name version'), { input }, { token });
          const answer = await at(first);
          expect(answer.errors).toEqual([]);
          expect(await at(second)).toMatchObject({ data: answer.data, errors: [] });
          const reused = await second.run(createSecret(), { input: { ...input, notes: 'another' } }, { token });
          expect(reused.errors[0]?.extensions.errors).toMatchObject([{ type: 'idempotency_key_reused' }]);
        }
        const name = randomUUID();
        const input = { owner: { teamId: 'red' }, name, value: 'v', idempotencyKey: randomUUID() };
        const both = Array.from({ length: 10 }, (_, index) => (index % 2 === 0 ? gateway : other));
        const answers = await Promise.all(both.map((one) => one.run(createSecret(), { input }, { token })));
        const made = answers.filter(({ errors }) => errors.length === 0).map(({ data }) => data.createSecret.secret.id);
        const types = answers.flatMap(({ errors }) => errors.map(({ extensions }) => extensions.errors?.[0]?.type));
        expect([new Set(made).size, new Set(types).difference(new Set(['idempotency_key_in_use'])).size]).toEqual([
          1, 0,
        ]);
        const { secrets } = await good(
          'query ($filter: SecretFilter) { secrets(owner: { teamId: "red" }, filter: $filter) { totalCount } }',
          { filter: { name } },
        );
        expect(secrets.totalCount).toBe(1);
      }
    } finally {
      await other.close();
    }
  });
});
