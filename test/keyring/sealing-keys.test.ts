import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Keyring, openingKey } from '../../src/crypto/keyring.ts';
import { addPendingKey, retireKey, rotateKeyring } from '../../src/keyring/change.ts';
import { createKeyring, readKeyring } from '../../src/keyring/file.ts';

const minuteMs = 60_000;
const start = new Date('2026-03-04T05:06:07.089Z');
const minutesLater = (minutes: number) => new Date(start.getTime() + minutes * minuteMs);
let directory: string;
let path: string;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: start });
  directory = await mkdtemp(join(tmpdir(), 'keyring-'));
  path = join(directory, 'keyring.json');
  await createKeyring(path);
});
afterEach(async () => {
  vi.useRealTimers();
  await rm(directory, { recursive: true });
});

const curves = ['X25519', 'P-256'] as const;
const activeKids = ({ seal }: Keyring) => curves.map((curve) => seal[curve].active.kid);
const opens = (ring: Keyring, kids: readonly string[], at: Date) => kids.map((kid) => openingKey(ring, kid, at)?.kid);
const none = [undefined, undefined];

async function rotatedAt(minutes: number): Promise<Keyring> {
  vi.setSystemTime(minutesLater(minutes));
  return rotateKeyring(path, 'seal');
}

describe('a rotation of the sealing keys', () => {
  it('makes one new key of each curve, and the old ones open for 20 minutes', async () => {
    const first = await readKeyring(path);
    const second = await rotatedAt(60);
    const [old, fresh] = [activeKids(first), activeKids(second)];
    expect(new Set([...old, ...fresh]).size).toBe(4);
    expect(opens(second, old, minutesLater(79.99))).toEqual(old);
    expect(opens(second, old, minutesLater(80))).toEqual(none);
    expect(opens(second, fresh, minutesLater(100_000))).toEqual(fresh);
    expect(await readKeyring(path)).toEqual(second);
    expect([...second.all.values()].filter(({ use }) => use !== 'seal').map(({ state }) => state)).toEqual(
      Array(3).fill('active'),
    );
  });

  it('lets each key open for 20 minutes after it was replaced itself, however many follow in a row', async () => {
    const kids = [activeKids(await readKeyring(path))];
    for (const minutes of [0, 1, 2]) kids.push(activeKids(await rotatedAt(minutes)));
    const ring = await readKeyring(path);
    for (const [index, of] of kids.slice(0, 3).entries()) {
      expect(opens(ring, of, minutesLater(index + 19.9))).toEqual(of);
      expect(opens(ring, of, minutesLater(index + 20))).toEqual(none);
    }
  });

  it('makes pending keys active, which open before that', async () => {
    const old = activeKids(await readKeyring(path));
    const pending = await addPendingKey(path, 'seal');
    expect(await addPendingKey(path, 'seal')).toEqual(pending);
    const next = [...pending.all.values()].filter(({ state }) => state === 'pending').map(({ kid }) => kid);
    expect(next).toHaveLength(2);
    expect(activeKids(pending)).toEqual(old);
    expect(opens(pending, next, start)).toEqual(next);
    expect(activeKids(await rotatedAt(1))).toEqual(next);
  });

  it('removes keys that have ceased to open from the file, as every change of the file does', async () => {
    const old = activeKids(await readKeyring(path));
    await rotatedAt(0);
    vi.setSystemTime(minutesLater(19));
    await addPendingKey(path, 'mac');
    for (const kid of old) expect(await readFile(path, 'utf8')).toContain(kid);
    vi.setSystemTime(minutesLater(20));
    const ring = await rotateKeyring(path, 'mac');
    for (const kid of old) expect(await readFile(path, 'utf8')).not.toContain(kid);
    expect([...ring.all.values()].filter(({ use }) => use === 'seal')).toHaveLength(2);
  });

  it('is refused where the clock is before the time at which the keys were made, and changes nothing', async () => {
    const before = await readFile(path, 'utf8');
    await expect(rotatedAt(-1)).rejects.toThrow(/was made at 2026-03-04T05:06:07.089Z, .* Set the clock/);
    expect(await readFile(path, 'utf8')).toBe(before);
  });

  it('does not choose between two pending keys of a curve', async () => {
    await addPendingKey(path, 'seal');
    const file = JSON.parse(await readFile(path, 'utf8'));
    const pending = file.keys.find((key: { state: string }) => key.state === 'pending');
    await writeFile(path, JSON.stringify({ ...file, keys: [...file.keys, { ...pending, kid: 'other' }] }));
    await expect(rotatedAt(1)).rejects.toThrow(/Several keys are pending/);
  });
});

it('a sealing key that was made active again by hand opens as long as it is', async () => {
  const old = activeKids(await readKeyring(path));
  await rotatedAt(0);
  const file = JSON.parse(await readFile(path, 'utf8'));
  const kept = file.keys.filter(({ kid, use }: { kid: string; use: string }) => use !== 'seal' || old.includes(kid));
  for (const key of kept) key.state = 'active';
  await writeFile(path, JSON.stringify({ ...file, keys: kept }));
  const ring = await readKeyring(path);
  expect(opens(ring, old, minutesLater(100_000))).toEqual(old);
});

it('a sealing key that was replaced, or is pending, can be removed at once; the active one cannot', async () => {
  const old = activeKids(await readKeyring(path));
  const ring = await rotatedAt(0);
  for (const kid of activeKids(ring)) await expect(retireKey(path, kid)).rejects.toThrow(/keys rotate --sealing first/);
  for (const kid of old) expect(opens(await retireKey(path, kid), [kid], start)).toEqual([undefined]);
});
