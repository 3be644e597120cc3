import type { ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { on } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { seal } from '../../src/crypto/envelope.ts';
import type { Keyring } from '../../src/crypto/keyring.ts';
import { bindingOf, openRecord } from '../../src/crypto/record.ts';
import { DomainError } from '../../src/errors.ts';
import { rotateKeyring } from '../../src/keyring/change.ts';
import { countKids } from '../../src/keyring/count.ts';
import { createKeyring, readKeyring } from '../../src/keyring/file.ts';
import type { Sealed } from '../../src/model/envelope.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { Store } from '../../src/store/store.ts';
import { insert, marked, newOwner, newRecord, sealed, update } from '../contract/fixtures.ts';
import { CommandLine, longWaits, type StartOptions } from '../support/command-line.ts';
import { FaultyLink, type LinkFault } from '../support/faulty-link.ts';
import { newDatabaseUrl, storeNames } from '../support/gateway.ts';
import { withTestMac } from '../support/keyring.ts';

let directory: string;
let keyringFile: string;
let shell: CommandLine;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'keyring-faults-'));
  keyringFile = join(directory, 'keyring.json');
  shell = await CommandLine.open();
});
afterEach(async () => {
  await shell.close();
  await rm(directory, { recursive: true });
});

/** Resolves once the process has reported this many waits before a retry. */
async function waits(child: ChildProcess, times: number): Promise<void> {
  let reported = 0;
  for await (const _ of on(child, 'message')) {
    reported += 1;
    if (reported === times) return;
  }
}

/** An envelope of the store. */
interface Opened {
  readonly value: string;
  /** The id of the key that wraps its content key. */
  readonly kid: string;
  /** Everything that a rewrap must not change. */
  readonly rest: string;
}

describe.each(storeNames)('keys rewrap, on %s,', (storeName) => {
  const owner = newOwner();
  let databaseUrl: string;
  let store: Store;

  beforeEach(async () => {
    await createKeyring(keyringFile);
    databaseUrl = newDatabaseUrl(storeName, directory);
    store = await openStore(databaseUrl, withTestMac);
  });
  afterEach(() => store.close());

  const startRewrap = (url = databaseUrl, options: StartOptions = {}) =>
    shell.start(['keys', 'rewrap'], { DATABASE_URL: url, KEYRING_FILE: keyringFile }, options);
  const tellingWaits = { preload: [longWaits.untilSignal] };

  /** Creates this many secrets. @returns their values by id */
  async function filled(count: number): Promise<Map<string, string>> {
    const ring = await readKeyring(keyringFile);
    const values = new Map<string, string>();
    while (values.size < count) {
      const batch = Array.from({ length: 500 }, async () => {
        const record = newRecord(owner);
        const value = `value ${randomUUID()}`;
        values.set(record.id, value);
        return marked({ ...record, sealed: await sealAt(record.id, 1, value, ring) }, ring);
      });
      await store.commit((await Promise.all(batch)).map(insert));
    }
    return values;
  }

  async function sealAt(id: string, version: number, value: string, ring: Keyring): Promise<Sealed> {
    const envelope = await seal(value, bindingOf(newRecord(owner, { id }), version), ring);
    return { ...sealed(version), tag: envelope.tag, envelope };
  }

  /** The stored envelopes in the order of the ids, opened with the current keyring. @throws when one does not open */
  async function opened(ids: readonly string[]): Promise<Opened[]> {
    const ring = await readKeyring(keyringFile);
    const all: Opened[] = [];
    for (let from = 0; from < ids.length; from += 500) {
      const part = ids.slice(from, from + 500).map(async (secretId) => {
        const record = await store.findRecord(secretId);
        const value = record && (await openRecord(record, ring));
        if (!record?.sealed || value == null) throw new Error(`${secretId} has no envelope`);
        const { version, envelope } = record.sealed;
        const { header, encrypted_key: _, ...rest } = envelope;
        return { value, kid: header.kid, rest: JSON.stringify([version, rest]) };
      });
      all.push(...(await Promise.all(part)));
    }
    return all;
  }

  /** Resolves once more envelopes than these are under the key, or the process has ended. */
  async function firstWrite(child: ChildProcess, kid: string, before: number): Promise<void> {
    while (child.exitCode === null && child.signalCode === null) {
      if (((await countKids(store, 'envelopes')).get(kid) ?? 0) > before) return;
      await sleep(1);
    }
  }

  const valuesOf = (all: readonly Opened[]) => all.map(({ value }) => value);
  const countUnder = (kid: string, all: readonly Opened[]) => all.filter((one) => one.kid === kid).length;

  async function expectAllUnderActive(values: ReadonlyMap<string, string>): Promise<void> {
    const all = await opened([...values.keys()]);
    expect(valuesOf(all)).toEqual([...values.values()]);
    expect(countUnder((await readKeyring(keyringFile)).wrap.active.kid, all)).toBe(values.size);
  }

  it('killed at any moment leaves every envelope complete under the old or the new key, and another run finishes the work', {
    timeout: 180_000,
  }, async () => {
    const values = await filled(1500);
    const ids = [...values.keys()];
    const before = await opened(ids);
    await rotateKeyring(keyringFile);
    const began = performance.now();
    expect(await startRewrap().exit).toMatchObject({ code: 0 });
    const wholeMs = performance.now() - began;

    let [kills, cutInTheMiddle, doneBefore] = [0, 0, 0];
    let { kid } = (await rotateKeyring(keyringFile)).wrap.active;
    while (kills < 4 || cutInTheMiddle < 1) {
      expect(kills).toBeLessThan(100);
      const { child, exit } = startRewrap();
      // Every second kill comes at a random moment; the others once something was written, however fast the machine is.
      if (kills % 2 === 0) await Promise.race([sleep(Math.random() * wholeMs), exit]);
      else await firstWrite(child, kid, doneBefore);
      child.kill('SIGKILL');
      const { code } = await exit;
      kills += 1;

      const after = await opened(ids);
      expect(valuesOf(after)).toEqual([...values.values()]);
      expect(after.map(({ rest }) => rest)).toEqual(before.map(({ rest }) => rest));
      const done = countUnder(kid, after);
      expect(done).toBeGreaterThanOrEqual(doneBefore);
      if (code === 0) expect(done).toBe(ids.length);
      const isWhole = done === ids.length;
      if (done > doneBefore && !isWhole) cutInTheMiddle += 1;
      if (isWhole) ({ kid } = (await rotateKeyring(keyringFile)).wrap.active);
      doneBefore = isWhole ? 0 : done;
    }

    expect(await startRewrap().exit).toMatchObject({ code: 0 });
    await expectAllUnderActive(values);
  });

  it('loses no value that is set at the same time, under the new key or by a gateway that still uses the old one', {
    timeout: 120_000,
  }, async () => {
    const values = await filled(1500);
    const ids = [...values.keys()];
    const rings = [await readKeyring(keyringFile), await rotateKeyring(keyringFile)];
    let [isDone, writes, renames] = [false, 0, 0];

    async function write(own: readonly string[]): Promise<void> {
      while (!isDone) {
        const secretId = own[Math.floor(Math.random() * own.length)] ?? '';
        const current = await store.find(secretId);
        const ring = rings[writes % rings.length];
        if (!current || !ring) throw new Error('there is always one');
        const version = current.version + 1;
        const value = `value ${randomUUID()}`;
        // A rename keeps the stored envelope.
        const isRename = Math.random() < 0.2;
        const change = isRename
          ? update(current, { name: `NAME_${randomUUID()}` }, undefined, ring)
          : update(current, {}, await sealAt(secretId, version, value, ring), ring);
        try {
          await store.commit([change]);
        } catch (error) {
          // Nothing was written, for example because another process held the lock for too long.
          if (error instanceof DomainError && error.code === 'SERVICE_UNAVAILABLE') continue;
          throw error;
        }
        if (isRename) renames += 1;
        else {
          values.set(secretId, value);
          writes += 1;
        }
      }
    }

    /** More often where few writes come between: a slow machine, or writes that wait for the lock. */
    async function rewrapOften(): Promise<void> {
      for (let run = 1; run <= 2 || writes <= 100 || renames <= 10; run += 1) {
        const { code, stderr } = await startRewrap().exit;
        // Values sealed under the old key after the last pass are reported, and left for another run.
        if (code !== 0) expect([code, stderr]).toEqual([1, expect.stringMatching(/ (is|are) still under kek-/)]);
      }
    }

    const share = ids.length / 4;
    const writers = [0, 1, 2, 3].map((n) => write(ids.slice(n * share, (n + 1) * share)));
    const rewraps = rewrapOften().finally(() => {
      isDone = true;
    });
    await Promise.all([rewraps, ...writers]);

    expect(valuesOf(await opened(ids))).toEqual([...values.values()]);
    expect(await startRewrap().exit).toMatchObject({ code: 0 });
    await expectAllUnderActive(values);
  });

  if (storeName === 'sqlite')
    it('retries and continues when another process holds the write lock until an attempt has failed', async () => {
      const values = await filled(2000);
      await rotateKeyring(keyringFile);
      const other = new DatabaseSync(databaseUrl.slice('sqlite:'.length));
      other.exec('BEGIN IMMEDIATE');
      const { child, exit } = startRewrap(databaseUrl, tellingWaits);
      await waits(child, 1);
      other.close();
      expect(await exit).toMatchObject({ code: 0, stdout: expect.stringMatching(/^2,000 envelopes/) });
      await expectAllUnderActive(values);
    });

  if (storeName === 'mongodb')
    it.each<[LinkFault, number]>([
      ['silent', 1],
      ['cut', 3],
    ])(
      'retries and continues when the link to the database is %s in the middle of a write until %i attempts have failed',
      { timeout: 60_000 },
      async (fault, attempts) => {
        const values = await filled(3000);
        const { kid } = (await rotateKeyring(keyringFile)).wrap.active;
        const url = new URL(databaseUrl);
        const link = await FaultyLink.open({ host: url.hostname, port: Number(url.port) });
        try {
          url.host = `127.0.0.1:${link.port}`;
          url.search = 'directConnection=true';
          const { child, exit } = startRewrap(url.href, tellingWaits);
          const failed = waits(child, attempts);
          // Writing a page of content keys takes about 250 kB, so this is in the second page.
          await link.sent(400_000);
          link.fail(fault);
          const done = countUnder(kid, await opened([...values.keys()]));
          expect([done > 0, done < values.size]).toEqual([true, true]);
          await failed;
          link.restore();
          expect(await exit).toMatchObject({ code: 0, stdout: expect.stringContaining(' envelopes rewrapped') });
        } finally {
          await link.close();
        }
        await expectAllUnderActive(values);
      },
    );
});
