import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTick } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { SecretRecord } from '../../src/model/secret.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { OwnedWrite, StoreConflict } from '../../src/store/store.ts';
import {
  breakOf,
  chain,
  countOf,
  eventAlone,
  insert,
  names,
  newOwner,
  newRecord,
  query,
  remove,
  sealed,
  update,
} from '../contract/fixtures.ts';
import { expectValidChain, Subject } from '../contract/subject.ts';
import { newDatabaseUrl, storeNames } from '../support/gateway.ts';
import { withTestMac } from '../support/keyring.ts';

const size = 500;

describe.each(storeNames)('a commit of many writes, on %s', (name) => {
  const subject = new Subject();
  let directory: string;
  let databaseUrl: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'batches-'));
    databaseUrl = newDatabaseUrl(name, directory);
    subject.store = await openStore(databaseUrl, withTestMac);
  });
  beforeEach(() => {
    subject.owner = newOwner();
  });
  afterAll(async () => {
    await subject.store.close();
    await rm(directory, { recursive: true });
  });

  const newRecords = (count: number, owner = subject.owner): SecretRecord[] =>
    Array.from({ length: count }, (_, index) => newRecord(owner, { tags: ['a', `${index}`] }));

  it('makes creates and new values of several owners, with their counts, versions and chains', async () => {
    const other = newOwner();
    const stored = newRecords(size / 2);
    await subject.store.commit(stored.map(insert));
    const updates = stored.map((record) => update(record, { notes: 'new' }, sealed(2)));
    await subject.store.commit([...updates, ...newRecords(size / 2, other).map(insert)]);
    expect(await countOf(subject.store, subject.owner)).toBe(size / 2);
    expect(await countOf(subject.store, other)).toBe(size / 2);
    const [first] = stored;
    expect(await subject.store.findRecord(first?.id ?? '')).toMatchObject({ version: 2, notes: 'new' });
    expect(await subject.store.versions.list(subject.owner, first?.id ?? '')).toHaveLength(2);
    expect(await expectValidChain(subject.store, subject.owner)).toHaveLength(size);
    expect(await expectValidChain(subject.store, other)).toHaveLength(size / 2);
  });

  it('with large values is made, and read back as it was', async () => {
    const records = Array.from({ length: 250 }, () =>
      newRecord(subject.owner, { sealed: sealed(1, 'x'.repeat(80_000)) }),
    );
    await subject.store.commit(records.map(insert));
    const changes = records.map((record) => update(record, {}, sealed(2, 'y'.repeat(80_000))));
    await subject.store.commit(changes);
    const last = records.at(-1)?.id ?? '';
    expect((await subject.store.findRecord(last))?.sealed?.envelope.ciphertext).toBe('y'.repeat(80_000));
    const kept = await subject.store.versions.find(subject.owner, last, 1);
    expect(kept?.sealed.envelope.ciphertext).toBe('x'.repeat(80_000));
  });

  it('links the events of a copy: in the chain of the source, and in that of the target', async () => {
    const target = newOwner();
    const copied = newRecords(200);
    await subject.store.commit(copied.map(insert));
    await subject.store.commit(
      copied.flatMap((record) => [eventAlone(record), insert(newRecord(target, { name: record.name }))]),
    );
    const [told, made] = [await expectValidChain(subject.store, subject.owner), await chain(subject.store, target)];
    expect(breakOf(made, target)).toBeNull();
    expect(told.slice(200).map(({ secretId }) => secretId)).toEqual(copied.map(({ id }) => id));
    expect(made.map(({ secretName }) => secretName)).toEqual(copied.map((record) => record.name));
    expect([await countOf(subject.store, subject.owner), await countOf(subject.store, target)]).toEqual([200, 200]);
  });

  it('writes nothing where one of them conflicts, and tells which is the first, and on what', {
    timeout: 60_000,
  }, async () => {
    const taken = await subject.stored();
    const makers = {
      insert: (record: SecretRecord) => ({ write: insert(newRecord(record.owner)), on: null }),
      update: (record: SecretRecord) => ({ write: update(record, { notes: 'new' }, sealed(2)), on: null }),
      remove: (record: SecretRecord) => ({ write: remove(record), on: null }),
      event: (record: SecretRecord) => ({ write: eventAlone(record), on: null }),
      'taken name': ({ owner }: SecretRecord) => ({
        write: insert(newRecord(owner, { name: taken.name })),
        on: 'name',
      }),
      'taken id': ({ owner }: SecretRecord) => ({ write: insert(newRecord(owner, { id: taken.id })), on: 'id' }),
      'taken placeholder': ({ owner }: SecretRecord) => ({
        write: insert(newRecord(owner, { placeholder: taken.placeholder })),
        on: 'placeholder',
      }),
      'other version': (record: SecretRecord) => ({ write: update(record, { version: 7 }), on: 'version' }),
      'renamed to a taken name': (record: SecretRecord) => ({
        write: update(record, { name: taken.name }),
        on: 'name',
      }),
      'removed in another version': (record: SecretRecord) => ({
        write: remove({ ...record, version: 3 }),
        on: 'version',
      }),
    } satisfies Record<string, (record: SecretRecord) => { write: OwnedWrite; on: StoreConflict['on'] | null }>;
    const kinds = Object.keys(makers) as (keyof typeof makers)[];
    const runs = fc.array(
      fc.record({ kind: fc.constantFrom(...kinds.slice(0, 4)), length: fc.integer({ min: 1, max: 60 }) }),
      { minLength: 2, maxLength: 6 },
    );
    const planted = fc.array(
      fc.record({ kind: fc.constantFrom(...kinds.slice(4)), at: fc.double({ min: 0, max: 1, noNaN: true }) }),
      { minLength: 1, maxLength: 3 },
    );
    const stored = newRecords(370);
    await subject.store.commit(stored.map(insert));
    await fc.assert(
      fc.asyncProperty(runs, planted, async (some, conflicts) => {
        const all = some.flatMap(({ kind, length }) => Array.from({ length }, () => kind as keyof typeof makers));
        for (const { kind, at } of conflicts) all.splice(Math.floor(at * all.length), 0, kind);
        const made = all.map((kind, index) => makers[kind](stored[index] as SecretRecord));
        const index = made.findIndex(({ on }) => on !== null);
        const writes = made.map(({ write }) => write);
        await subject.expectConflict(writes, { index, on: made[index]?.on ?? 'id' });
      }),
      { numRuns: 10 },
    );
  });

  it('is seen whole or not at all by those who read meanwhile', async () => {
    // Again where no read ended before the commit.
    for (let before = 0; before === 0; ) {
      subject.owner = newOwner();
      let isDone = false;
      const committing = subject.store.commit(newRecords(size).map(insert)).finally(() => {
        isDone = true;
      });
      do {
        const { secrets, totalCount } = await subject.store.list(query(subject.owner));
        const { sequence } = await subject.store.chainHead(subject.owner);
        const selected = await subject.store.select(subject.owner, null, size);
        for (const seen of [secrets.length, totalCount, sequence, selected.length]) expect([0, size]).toContain(seen);
        if (!isDone) before += 1;
        await nextTick();
      } while (!isDone);
      await committing;
      expect(await names(subject.store, subject.owner)).toHaveLength(size);
    }
  });

  it('does not keep the writes of another owner waiting', async () => {
    const record = await subject.stored();
    let isDone = false;
    const committing = subject.store.commit(newRecords(size, newOwner()).map(insert)).finally(() => {
      isDone = true;
    });
    let before = 0;
    for (let made: SecretRecord = record; !isDone; before += 1) {
      const { secret, mac } = update(made, { notes: `${before}` });
      await subject.store.commit([update(made, { notes: `${before}` })]);
      made = { ...secret, mac, sealed: record.sealed };
      if (isDone) break;
    }
    await committing;
    expect(before).toBeGreaterThan(0);
  });

  it('goes before another, and the small ones that came meanwhile go between them', async () => {
    const ended: string[] = [];
    const end = (what: string) => () => void ended.push(what);
    const first = subject.store.commit(newRecords(size).map(insert)).then(end('first'));
    const second = subject.store.commit(newRecords(size).map(insert)).then(end('second'));
    await nextTick();
    await nextTick();
    await subject.store.commit([insert(newRecord(newOwner()))]).then(end('small'));
    await Promise.all([first, second]);
    expect(ended.indexOf('small')).toBeLessThan(ended.indexOf('second'));
    expect(ended.indexOf('first')).toBeLessThan(ended.indexOf('second'));
  });

  it('is made when the store is closed at once', async () => {
    const url = newDatabaseUrl(name, directory);
    const store = await openStore(url, withTestMac);
    const records = newRecords(size);
    const committing = store.commit(records.map(insert));
    await store.close();
    await committing;
    const again = await openStore(url, withTestMac);
    expect(await countOf(again, subject.owner)).toBe(size);
    await again.close();
  });

  it('of a process that is killed is there whole or not at all, and what was acknowledged is there', {
    timeout: 60_000,
  }, async () => {
    const file = join(import.meta.dirname, '../support/batch-writer.ts');
    const found: number[] = [];
    // In the middle of the first batch, and at once after the second was acknowledged and the third begun.
    for (const [after, waitMs] of [
      [0, 2],
      [0, 10],
      [0, 25],
      [2, 5],
    ] as const) {
      const owner = newOwner();
      const writer = fork(file, [databaseUrl, JSON.stringify(owner), `${size}`]);
      let acknowledged = 0;
      writer.on('message', (count: number) => {
        acknowledged = count;
        if (count === after) setTimeout(() => writer.kill('SIGKILL'), waitMs);
      });
      await once(writer, 'exit');
      const reader = await openStore(databaseUrl, withTestMac);
      const count = (await countOf(reader, owner)) ?? 0;
      expect(count % size).toBe(0);
      expect(count).toBeGreaterThanOrEqual(acknowledged * size);
      expect(await expectValidChain(reader, owner)).toHaveLength(count);
      found.push(count);
      await reader.close();
    }
    expect(found.at(-1)).toBeGreaterThanOrEqual(2 * size);
  });
});
