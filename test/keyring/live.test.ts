import { chmod, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { newKey } from '../../src/crypto/new-key.ts';
import { retireKey, rotateKeyring } from '../../src/keyring/change.ts';
import { type LiveKeyring, openLiveKeyring } from '../../src/keyring/live.ts';
import { writeKeyring } from '../support/keyring.ts';

let directory: string;
let path: string;
let ring: LiveKeyring;
let reported: { active: string; error: string | undefined }[];

beforeEach(async () => {
  // Only the timers are fake: the file is a real one.
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  directory = await mkdtemp(join(tmpdir(), 'keyring-'));
  path = join(directory, 'keyring.json');
  await writeKeyring(path, [{ kid: 'one', state: 'active' }]);
  reported = [];
  ring = await openLiveKeyring(path, ({ wrap: { active } }, error) => {
    reported.push({ active: active.kid, error: error instanceof Error ? error.message : undefined });
  });
});
afterEach(async () => {
  ring.close();
  vi.useRealTimers();
  await rm(directory, { recursive: true });
});

/** Lets the keyring check its file once. */
async function look(): Promise<void> {
  vi.advanceTimersByTime(2000);
  // Checks run one after another, so this one ends after that of the timer.
  await ring.check().catch(() => {});
}

it('follows its file', async () => {
  expect(ring.current().wrap.active.kid).toBe('one');
  const { active } = (await rotateKeyring(path)).wrap;
  await look();
  expect(ring.current().wrap.active.kid).toBe(active.kid);
  expect(ring.current().wrap.keys.get('one')?.state).toBe('decrypting');
  expect(reported).toEqual([{ active: active.kid, error: undefined }]);
});

it.each<[string, () => Promise<unknown>, RegExp]>([
  ['is truncated', () => writeFile(path, '{"keys":'), /not valid JSON/],
  ['is gone', () => rename(path, `${path}.away`), /no such file/],
  ['others can read', () => chmod(path, 0o644), /chmod 600/],
  ['lacks a key that opens', () => writeKeyring(path, [{ kid: 'two', state: 'active' }]), /the key one is gone/],
  [
    'has another key under a known id',
    () => writeKeyring(path, [{ kid: 'one', state: 'active', bytes: Buffer.alloc(32, 'x') }]),
    /the key one is gone, or is another/,
  ],
])(
  'stays in use when the file %s, reports it once, and follows the file again when it is fixed',
  async (_, spoil, reason) => {
    await spoil();
    await look();
    expect(reported).toEqual([{ active: 'one', error: expect.stringMatching(reason) }]);
    expect(ring.current().wrap.active.kid).toBe('one');
    await expect(ring.check()).rejects.toThrow(reason);

    await look();
    await look();
    expect(reported).toHaveLength(1);

    await writeKeyring(path, [
      { kid: 'one', state: 'decrypting' },
      { kid: 'two', state: 'active' },
    ]);
    await look();
    expect(ring.current().wrap.active.kid).toBe('two');
    await expect(ring.check()).resolves.toBeUndefined();
  },
);

it('allows a key to be removed once it is retired', async () => {
  await writeKeyring(path, [
    { kid: 'one', state: 'retired' },
    { kid: 'two', state: 'active' },
  ]);
  await look();
  expect(ring.current().wrap.active.kid).toBe('two');
  await writeKeyring(path, [{ kid: 'two', state: 'active' }]);
  await look();
  expect(ring.current().wrap.keys.size).toBe(1);
});

it('allows a sealing key to be removed at once, since nothing that is stored needs it, and not to be another', async () => {
  const [first = ''] = ring.current().seal.X25519.keys.keys();
  await rotateKeyring(path, 'seal');
  await look();
  expect(ring.current().seal.X25519.keys.has(first)).toBe(true);
  await retireKey(path, first);
  await look();
  expect(ring.current().seal.X25519.keys.has(first)).toBe(false);
  const { kid } = ring.current().seal.X25519.active;
  const file = JSON.parse(await readFile(path, 'utf8'));
  const keys = file.keys.map((key: { kid: string }) =>
    key.kid === kid ? { ...newKey('X25519', 'active'), kid } : key,
  );
  await writeFile(path, JSON.stringify({ ...file, keys }));
  await expect(ring.check()).rejects.toThrow(`the key ${kid} is gone, or is another`);
});
