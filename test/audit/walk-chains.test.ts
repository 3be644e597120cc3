import { hash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { readHeads } from '../../src/audit/read-heads.ts';
import { type WalkOptions, walkChains } from '../../src/audit/walk-chains.ts';
import { type Owner, ownerKey } from '../../src/model/owner.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { Store } from '../../src/store/store.ts';
import { eventAlone, insert, newRecord, remove, update } from '../contract/fixtures.ts';
import { type DatabaseWriter, eventParts, openDatabaseWriter, type Row } from '../support/database-writer.ts';
import { newDatabaseUrl, storeNames } from '../support/gateway.ts';
import { testKeyring, withTestMac } from '../support/keyring.ts';

describe.each(storeNames)('the audit chains of all owners, on %s', (name) => {
  const owners: Owner[] = ['a', 'b', 'c'].map((teamId) => ({ type: 'team', teamId }));
  const [first, second, third] = owners as [Owner, Owner, Owner];
  let directory: string;
  let store: Store;
  let writer: DatabaseWriter;
  let events: Row[];
  let heads: Row[];

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'chains-'));
    const url = newDatabaseUrl(name, directory);
    store = await openStore(url, withTestMac);
    writer = openDatabaseWriter(url);
    for (const owner of owners) {
      const record = newRecord(owner);
      await store.commit([insert(record)]);
      await store.commit([update(record, { name: 'renamed' }), eventAlone(record)]);
      await store.commit([remove({ ...record, name: 'renamed', version: 2 })]);
    }
    [events, heads] = [await writer.events(), await writer.heads()];
  });
  afterEach(async () => {
    await writer.replaceEvents(events);
    await writer.replaceHeads(heads);
  });
  afterAll(async () => {
    await writer.close();
    await store.close();
    await rm(directory, { recursive: true });
  });

  const walk = (options: WalkOptions = {}) => walkChains(store, testKeyring, options);
  /** The index of this event among all. */
  const indexOf = (owner: Owner, sequence: number) =>
    events.findIndex((row) => row.owner === ownerKey(owner) && Number(row.sequence) === sequence);
  const isOf = (owner: Owner) => (row: Row) => row.owner === ownerKey(owner) || row._id === ownerKey(owner);
  const logged = (of: Owner) => {
    const head = heads.find(isOf(of)) ?? {};
    const [sequence, hash] = [head.auditSequence ?? head.audit_sequence, head.auditHash ?? head.audit_hash];
    return new Map([[ownerKey(of), [{ sequence: Number(sequence), hash: String(hash) }]]]);
  };

  it('hold where nothing was changed, and it is told how many there are', async () => {
    const told: number[][] = [];
    const onProgress = (...figures: number[]) => told.push(figures);
    expect(await walk({ onProgress, heads: logged(first) })).toEqual({ events: 12, owners: 3, broken: [] });
    expect(told.at(-1)).toEqual([12, 12]);
    expect(await walk({ owner: second })).toEqual({ events: 4, owners: 1, broken: [] });
    expect(await walk({ owner: { type: 'user', userId: 'a' } })).toEqual({ events: 0, owners: 0, broken: [] });
  });

  const otherValues: Partial<Record<(typeof eventParts)[number], unknown>> = {
    type: 'secret.purged',
    kid: 'another',
    owner: 'team:d',
    version: 7,
    actor_id: 'eve',
  };

  it.each(eventParts)('break where the %s of an event was changed', async (part) => {
    const index = indexOf(second, 2);
    const row = events[index] ?? {};
    const value = otherValues[part] ?? (part === 'sequence' ? 9 : part === 'at' ? new Date(5) : `${row[part]}x`);
    const stored = name === 'sqlite' && value instanceof Date ? value.getTime() : value;
    await writer.replaceEvents(events.with(index, { ...row, [part]: stored }));
    const { broken } = await walk();
    expect(broken[0]).toMatchObject({ owner: ownerKey(second), sequence: 2 });
    // An event that was moved to another owner is a broken link there, too.
    expect(broken).toHaveLength(part === 'owner' ? 2 : 1);
    expect((await walk({ owner: first })).broken).toEqual([]);
  });

  it.each([1, 2, 3, 4])('break where event %i was removed', async (sequence) => {
    await writer.replaceEvents(events.toSpliced(indexOf(second, sequence), 1));
    const broken = [{ owner: ownerKey(second), sequence, broken: 'missing' }];
    expect(await walk()).toEqual({ events: 11, owners: 3, broken });
  });

  it('break where the end was cut off and the head set back, against a head that was logged', async () => {
    const cut = events.filter((row) => !isOf(second)(row) || Number(row.sequence) < 3);
    const end = events[indexOf(second, 2)] ?? {};
    const setBack = heads.map((head) => {
      if (!isOf(second)(head)) return head;
      return name === 'sqlite'
        ? { ...head, audit_sequence: 2, audit_hash: end.hash }
        : { ...head, auditSequence: 2, auditHash: end.hash };
    });
    await writer.replaceEvents(cut);
    expect((await walk()).broken).toMatchObject([{ owner: ownerKey(second), sequence: 3, broken: 'missing' }]);
    await writer.replaceHeads(setBack);
    expect((await walk()).broken).toEqual([]);
    const broken = [{ owner: ownerKey(second), sequence: 3, broken: 'missing' }];
    expect((await walk({ heads: logged(second) })).broken).toEqual(broken);
    expect((await walk({ owner: second, heads: logged(second) })).broken).toMatchObject(broken);
  });

  it('break where all of an owner was removed, against a head that was logged', async () => {
    await writer.replaceEvents(events.filter((row) => !isOf(third)(row)));
    expect((await walk()).broken).toMatchObject([{ owner: ownerKey(third), sequence: 1, broken: 'missing' }]);
    await writer.replaceHeads(heads.filter((row) => !isOf(third)(row)));
    expect((await walk()).broken).toEqual([]);
    const broken = [{ owner: ownerKey(third), sequence: 1, broken: 'missing' }];
    expect((await walk({ heads: logged(third) })).broken).toEqual(broken);
    await writer.replaceEvents(events);
    expect((await walk()).broken).toEqual([{ owner: ownerKey(third), sequence: 1, broken: 'head' }]);
  });

  it('break where two events were swapped', async () => {
    const [two, three] = [indexOf(second, 2), indexOf(second, 3)];
    const swapped = events.with(two, { ...events[three], sequence: 2 }).with(three, { ...events[two], sequence: 3 });
    await writer.replaceEvents(swapped);
    expect((await walk()).broken).toMatchObject([{ owner: ownerKey(second), sequence: 2, broken: 'moved' }]);
  });

  it('break at an event that was forged with a correct hash without a key', async () => {
    const index = indexOf(second, 4);
    const forged = { ...events[index], actor_id: 'eve' };
    const unkeyed = hash('sha256', JSON.stringify(forged), 'hex');
    await writer.replaceEvents(events.with(index, { ...forged, hash: unkeyed }));
    await writer.replaceHeads(
      heads.map((head) => {
        if (!isOf(second)(head)) return head;
        return name === 'sqlite' ? { ...head, audit_hash: unkeyed } : { ...head, auditHash: unkeyed };
      }),
    );
    expect((await walk()).broken).toMatchObject([{ owner: ownerKey(second), sequence: 4, broken: 'forged' }]);
  });

  it('are told of by their first broken links, several owners at once, and every event is passed on', async () => {
    const changed = [indexOf(first, 2), indexOf(first, 3), indexOf(third, 1)];
    await writer.replaceEvents(
      events.map((row, index) => (changed.includes(index) ? { ...row, request_id: 'another' } : row)),
    );
    const passed: string[] = [];
    const walked = await walk({ onEvent: (owner, { sequence }) => void passed.push(`${owner} ${sequence}`) });
    expect(walked.broken.map(({ owner, sequence }) => [owner, sequence])).toEqual([
      [ownerKey(first), 2],
      [ownerKey(third), 1],
    ]);
    expect(passed).toEqual(owners.flatMap((owner) => [1, 2, 3, 4].map((sequence) => `${ownerKey(owner)} ${sequence}`)));
  });
});

describe('the heads in a log', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'heads-'));
  });
  afterAll(() => rm(directory, { recursive: true }));

  async function read(...lines: string[]) {
    const path = join(directory, 'gateway.log');
    await writeFile(path, lines.join('\n'));
    return readHeads(path);
  }
  const line = (...heads: object[]) => JSON.stringify({ level: 30, heads, msg: 'audit heads' });
  const head = { owner: 'team:a', sequence: 3, hash: 'abc' };

  it('are found in its lines, each once, whatever stands between and before them', async () => {
    const later = { ...head, sequence: 4 };
    const other = { ...head, owner: 'user:b' };
    const prefixed = `2026-11-26T10:00:00Z stdout F ${line(head, later)}`;
    expect(await read(line(head, other), 'no JSON', '{"msg":"operation"}', prefixed, '')).toEqual(
      new Map([
        [
          'team:a',
          [
            { sequence: 3, hash: 'abc' },
            { sequence: 4, hash: 'abc' },
          ],
        ],
        ['user:b', [{ sequence: 3, hash: 'abc' }]],
      ]),
    );
  });

  it('are refused where a line is not whole, where there are none, and where the log is not there', async () => {
    await expect(read(line(head), line(head).slice(0, -9))).rejects.toThrow('Line 2 of the log');
    await expect(read(line({ ...head, sequence: '3' }))).rejects.toThrow('Line 1 of the log');
    await expect(read('{"msg":"operation"}')).rejects.toThrow('no line "audit heads"');
    await expect(readHeads(join(directory, 'none'))).rejects.toThrow('ENOENT');
  });
});
