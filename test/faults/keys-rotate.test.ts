import { watch } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readKeyring } from '../../src/keyring/file.ts';
import { CommandLine } from '../support/command-line.ts';
import { writeKeyring } from '../support/keyring.ts';

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

describe('keys rotate', () => {
  /** Enough keys that a change can be interrupted while it is written. */
  const retired = Array.from({ length: 300 }, (_, index) => ({ kid: `retired-${index}`, state: 'retired' }));

  beforeEach(() => writeKeyring(keyringFile, [{ kid: 'first', state: 'active' }, ...retired]));

  const startRotate = () => shell.start(['keys', 'rotate'], { KEYRING_FILE: keyringFile });
  const printedKid = (stdout: string) => / ?(kek-\w+) is active/.exec(stdout)?.[1];

  /** The fingerprint of each wrap key, by its id. @throws unless the keyring is valid, with exactly one active key */
  async function keysNow(): Promise<Map<string, string>> {
    const { keys } = (await readKeyring(keyringFile)).wrap;
    return new Map([...keys.values()].map(({ kid, fingerprint }) => [kid, fingerprint]));
  }

  function firstChange(): Promise<void> {
    return new Promise((resolve) => {
      const watcher = watch(directory, () => {
        watcher.close();
        resolve();
      });
    });
  }

  it('killed at any moment leaves a valid keyring with all its keys, and the next run says what to do with the file that it left', {
    timeout: 120_000,
  }, async () => {
    const began = performance.now();
    expect(await startRotate().exit).toMatchObject({ code: 0 });
    const wholeMs = performance.now() - began;

    let seen = await keysNow();
    let [kills, leftBehind] = [0, 0];
    while (kills < 24 || leftBehind < 2) {
      expect(kills).toBeLessThan(200);
      // Every second kill is aimed at the short time in which the file is written.
      const moment =
        kills % 2 === 0 ? sleep(Math.random() * wholeMs) : firstChange().then(() => sleep(Math.random() * 20));
      const { child, exit } = startRotate();
      await Promise.race([moment, exit]);
      child.kill('SIGKILL');
      const { stdout } = await exit;
      kills += 1;

      const now = await keysNow();
      expect(Object.fromEntries(now)).toMatchObject(Object.fromEntries(seen));
      const printed = printedKid(stdout);
      if (printed !== undefined) expect(now.has(printed)).toBe(true);
      seen = now;

      if (!(await readdir(directory)).includes('keyring.json.new')) continue;
      leftBehind += 1;
      if (leftBehind === 1) {
        const { code, stderr } = await startRotate().exit;
        expect([code, stderr]).toEqual([1, expect.stringContaining(`${keyringFile}.new`)]);
        expect(stderr).toContain('remove that file and run this again');
        expect(await keysNow()).toEqual(seen);
      }
      await rm(`${keyringFile}.new`);
    }
    expect(await readdir(directory)).toEqual(['keyring.json']);
    expect(await startRotate().exit).toMatchObject({ code: 0 });
    expect((await keysNow()).size).toBe(seen.size + 1);
  });

  it('run twice at once adds both keys, and the keyring is valid at every moment', {
    timeout: 60_000,
  }, async () => {
    let [isDone, reads] = [false, 0];

    async function read(): Promise<void> {
      for (; !isDone; reads += 1) await keysNow();
    }
    async function rotateTwiceAtOnce(): Promise<void> {
      const before = await keysNow();
      const exits = await Promise.all([startRotate().exit, startRotate().exit]);
      for (const { code, stderr } of exits) expect([code, stderr]).toEqual([0, '']);
      const printed = exits.map(({ stdout }) => printedKid(stdout));
      const after = await keysNow();
      expect([...after.keys()].toSorted()).toEqual([...before.keys(), ...printed].toSorted());
      expect(Object.fromEntries(after)).toMatchObject(Object.fromEntries(before));
      expect(printed).toContain((await readKeyring(keyringFile)).wrap.active.kid);
    }
    async function rotateAll(): Promise<void> {
      for (let round = 1; round <= 8; round += 1) await rotateTwiceAtOnce();
    }

    const rotations = rotateAll().finally(() => {
      isDone = true;
    });
    await Promise.all([rotations, read()]);
    expect(reads).toBeGreaterThan(8);
  });
});
