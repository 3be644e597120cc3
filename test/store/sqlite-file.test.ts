import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { copyFile, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { SecretRecord } from '../../src/model/secret.ts';
import { keptValues } from '../../src/model/secret-version.ts';
import { openStore, withStore } from '../../src/store/open-store.ts';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { deletedBy, insert, newOwner, newRecord, purge, remove, sealed, update } from '../contract/fixtures.ts';
import { withTestMac } from '../support/keyring.ts';

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sqlite-file-'));
  path = join(directory, 'secrets.db');
});
afterEach(() => rm(directory, { recursive: true, force: true }));

async function makeDatabase(at: string, secrets = 50): Promise<void> {
  const store = await openSqliteStore(at, withTestMac);
  const owner = newOwner();
  await store.commit(Array.from({ length: secrets }, () => insert(newRecord(owner))));
  await store.close();
}

it('the write-ahead log has room for one batch of large values, however many are written', async () => {
  const store = await openSqliteStore(path, withTestMac);
  const sizes: number[] = [];
  for (let batch = 0; batch < 5; batch += 1) {
    const owner = newOwner();
    const values = Array.from({ length: 100 }, () => sealed(1, 'x'.repeat(60_000)));
    await store.commit(values.map((value) => insert(newRecord(owner, { sealed: value }))));
    sizes.push(statSync(`${path}-wal`).size);
  }
  const [first = 0, last = 0] = [sizes.at(0), sizes.at(-1)];
  expect(first).toBeGreaterThan(6_000_000);
  expect(last).toBeLessThan(1.5 * first);
  await store.close();
});

describe('a database file that is damaged', () => {
  const made = mkdtempSync(join(tmpdir(), 'sqlite-made-'));
  const whole = join(made, 'whole.db');
  let size = 0;
  beforeAll(async () => {
    await makeDatabase(whole);
    size = statSync(whole).size;
  });
  afterAll(() => rm(made, { recursive: true, force: true }));

  const refusal = {
    name: 'ConfigurationError',
    message: expect.stringMatching(/damaged.*Restore it from its backup/s),
  };

  it.each([1, 50, 99, 100, 511, 512, 4095, 4096, 5000, 8192, -8192, -4096, -1])(
    'cut off at %i bytes is refused, with what to do, and left as it is',
    async (at) => {
      const length = at > 0 ? at : size + at;
      await copyFile(whole, path);
      await truncate(path, length);
      await expect(openSqliteStore(path)).rejects.toMatchObject(refusal);
      expect(statSync(path).size).toBe(length);
    },
  );

  it('overwritten in the middle, or from the start, is refused as well', async () => {
    for (const page of Array.from({ length: size / 4096 }, (_, index) => index)) {
      const bytes = readFileSync(whole);
      bytes.fill(0x5a, page * 4096, (page + 1) * 4096);
      writeFileSync(path, bytes, { mode: 0o600 });
      await expect(openSqliteStore(path).then((store) => store.close())).rejects.toMatchObject({
        name: 'ConfigurationError',
      });
    }
  });

  it('while it is in use: what cannot be read is SERVICE_UNAVAILABLE', async () => {
    const store = await openSqliteStore(path, withTestMac);
    const owner = newOwner();
    const large = () => insert(newRecord(owner, { sealed: sealed(1, 'x'.repeat(8000)) }));
    // More than SQLite keeps in memory.
    await store.commit(Array.from({ length: 800 }, large));
    await store.close();
    const opened = await openSqliteStore(path, withTestMac);
    const bytes = readFileSync(path);
    bytes.fill(0x5a, 4096);
    writeFileSync(path, bytes);
    await expect(opened.wrappedKeys('', 1000)).rejects.toMatchObject({
      code: 'SERVICE_UNAVAILABLE',
      details: { reason: 'damaged' },
    });
    await opened.close();
  });

  it('is opened when it is whole', async () => {
    await copyFile(whole, path);
    const store = await openSqliteStore(path, { mayBeBlank: false });
    expect(await store.isEmpty()).toBe(false);
    await store.close();
  });
});

describe('a database file that is there and empty', () => {
  beforeEach(() => writeFileSync(path, '', { mode: 0o600 }));

  it('becomes a new database where there is no keyring', async () => {
    const store = await openStore(`sqlite:${path}`, { mayBeBlank: true });
    expect(await store.isEmpty()).toBe(true);
    await store.close();
  });

  it('is refused beside a keyring, and left empty', async () => {
    const refusal = { name: 'ConfigurationError', message: expect.stringMatching(/empty file.*backup.*remove/s) };
    await expect(openStore(`sqlite:${path}`, { mayBeBlank: false })).rejects.toMatchObject(refusal);
    await expect(withStore(`sqlite:${path}`, async () => {})).rejects.toMatchObject(refusal);
    expect(readFileSync(path)).toHaveLength(0);
  });

  it('a new file beside a keyring is made: the keyring may have been copied first', async () => {
    const other = join(directory, 'other.db');
    await (await openStore(`sqlite:${other}`, { mayBeBlank: false })).close();
    expect(existsSync(other)).toBe(true);
  });
});

describe('a database that others could read or replace', () => {
  it.each(['644', '640', '660', '666', '604'])('is refused with mode %s, with what to do', async (octal) => {
    const mode = Number.parseInt(octal, 8);
    await makeDatabase(path, 1);
    chmodSync(path, mode);
    await expect(openSqliteStore(path)).rejects.toMatchObject({
      name: 'ConfigurationError',
      message: expect.stringContaining(`chmod 600 ${path}`),
    });
    chmodSync(path, 0o600);
    await (await openSqliteStore(path)).close();
  });

  it.each(['-wal', '-shm'])('is refused when its %s is readable', async (ending) => {
    const store = await openSqliteStore(path, withTestMac);
    await store.commit([insert(newRecord(newOwner()))]);
    chmodSync(path + ending, 0o644);
    await expect(openSqliteStore(path)).rejects.toThrow(`chmod 600 ${path}${ending}`);
    await store.close();
  });

  it.each(['777', '775', '722'])('is refused in a directory with mode %s', async (octal) => {
    const mode = Number.parseInt(octal, 8);
    const open = join(directory, 'open');
    mkdirSync(open);
    chmodSync(open, mode);
    await expect(openSqliteStore(join(open, 'secrets.db'))).rejects.toThrow(`chmod go-w ${open}`);
    expect(existsSync(join(open, 'secrets.db'))).toBe(false);
    chmodSync(open, 0o1777);
    await (await openSqliteStore(join(open, 'secrets.db'))).close();
  });

  it('is refused when it is not a file, without waiting for it', async () => {
    execFileSync('mkfifo', ['-m', '600', path]);
    await expect(openSqliteStore(path)).rejects.toThrow('not a regular file');
  });
});

describe('what was deleted', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
  afterEach(() => void vi.useRealTimers());

  const marker = 'MARKER-of-what-was-deleted';
  const found = (text: string) =>
    readdirSync(directory).filter((name) => readFileSync(join(directory, name)).includes(text));

  async function storeWithMarked() {
    const store = await openSqliteStore(path, withTestMac);
    const owner = newOwner();
    await store.commit(Array.from({ length: 30 }, () => insert(newRecord(owner))));
    // Small and large: in a page of the tree, and in pages of its own.
    const marked = [200, 4000].map((length) =>
      newRecord(owner, {
        notes: `${marker}-notes-${'n'.repeat(length)}`,
        tags: [`${marker}-tag-${length}`],
        sealed: sealed(1, `${marker}-sealed-${'s'.repeat(length * 4)}`),
      }),
    );
    await store.commit(marked.map(insert));
    expect(found(marker).length).toBeGreaterThan(0);
    return { store, marked };
  }

  it('is in no file a few seconds later', async () => {
    const { store, marked } = await storeWithMarked();
    for (const record of marked) await store.commit([purge(record)]);
    // Without what comes later it is still there: the search finds it.
    expect(found(marker)).toEqual(['secrets.db-wal']);
    await vi.advanceTimersByTimeAsync(5000);
    expect(found(marker)).toEqual([]);
    await store.close();
  });

  it('is in no file after the store was closed', async () => {
    const { store, marked } = await storeWithMarked();
    await vi.advanceTimersByTimeAsync(5000);
    for (const record of marked) await store.commit([purge(record)]);
    await store.close();
    expect(found(marker)).toEqual([]);
  });

  it('is in no file when it was deleted, and purged later', async () => {
    const { store, marked } = await storeWithMarked();
    const removals = marked.map((record) => remove(record));
    for (const removal of removals) await store.commit([removal]);
    await vi.advanceTimersByTimeAsync(5000);
    expect(found(marker)).toEqual(['secrets.db']);
    for (const removal of removals) await store.commit([purge(deletedBy(removal))]);
    await vi.advanceTimersByTimeAsync(5000);
    expect(found(marker)).toEqual([]);
    await store.close();
  });

  it('is in no file when it was replaced', async () => {
    const { store, marked } = await storeWithMarked();
    for (const record of marked) await store.commit([update(record, { notes: null, tags: [] })]);
    await vi.advanceTimersByTimeAsync(5000);
    expect(found(`${marker}-notes`)).toEqual([]);
    await store.close();
  });

  it('is in no file when it is a value older than the last ones that are kept', async () => {
    const { store, marked } = await storeWithMarked();
    const setValue = async ({ id }: SecretRecord, number: number) => {
      const current = await store.findRecord(id);
      if (current) await store.commit([update(current, { notes: null, tags: [] }, sealed(number, 'new'))]);
    };
    for (let number = 2; number <= keptValues; number += 1) for (const record of marked) await setValue(record, number);
    await vi.advanceTimersByTimeAsync(5000);
    expect(found(marker)).toEqual(['secrets.db']);
    for (const record of marked) await setValue(record, keptValues + 1);
    await vi.advanceTimersByTimeAsync(5000);
    expect(found(marker)).toEqual([]);
    await store.close();
  });

  it('goes as soon as another process that reads lets it', async () => {
    const { store, marked } = await storeWithMarked();
    const reader = new DatabaseSync(path);
    reader.exec('BEGIN; SELECT * FROM secrets');
    for (const record of marked) await store.commit([purge(record)]);
    await vi.advanceTimersByTimeAsync(5000);
    expect(found(marker).length).toBeGreaterThan(0);
    reader.exec('COMMIT');
    reader.close();
    await vi.advanceTimersByTimeAsync(5000);
    expect(found(marker)).toEqual([]);
    await store.close();
  });
});
