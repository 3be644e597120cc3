import { mkdtemp, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Keyring } from '../../src/crypto/keyring.ts';
import { addPendingKey, retireKey, rotateKeyring } from '../../src/keyring/change.ts';
import { createKeyring, readKeyring } from '../../src/keyring/file.ts';
import { rewritePrivateFile } from '../../src/runtime/private-file.ts';
import { writeKeyring } from '../support/keyring.ts';

let directory: string;
let path: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'keyring-'));
  path = join(directory, 'keyring.json');
});
afterEach(() => rm(directory, { recursive: true }));

const states = ({ wrap }: Keyring) => [...wrap.keys.values()].map(({ state }) => state);

describe('a rotation', () => {
  it('makes a new key active, and keeps the previous one for decrypting', async () => {
    await createKeyring(path);
    const before = await readKeyring(path);
    const after = await rotateKeyring(path);
    expect(states(after)).toEqual(['decrypting', 'active']);
    expect([...after.wrap.keys.keys()]).toEqual([before.wrap.active.kid, after.wrap.active.kid]);
    expect(after.all.get(before.wrap.active.kid)?.fingerprint).toBe(before.wrap.active.fingerprint);
    expect(await readKeyring(path)).toEqual(after);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readdir(directory)).toEqual(['keyring.json']);
  });

  it('makes the pending key active when there is one', async () => {
    await createKeyring(path);
    const pending = await addPendingKey(path);
    expect(states(pending)).toEqual(['active', 'pending']);
    expect(await addPendingKey(path)).toEqual(pending);
    const after = await rotateKeyring(path);
    expect(states(after)).toEqual(['decrypting', 'active']);
    expect([...after.wrap.keys.keys()]).toEqual([...pending.wrap.keys.keys()]);
  });

  it('does not choose between two pending keys', async () => {
    await writeKeyring(path, [
      { kid: 'one', state: 'active' },
      { kid: 'two', state: 'pending' },
      { kid: 'three', state: 'pending' },
    ]);
    const before = await readFile(path, 'utf8');
    await expect(rotateKeyring(path)).rejects.toThrow(/Several keys are pending/);
    expect(await readFile(path, 'utf8')).toBe(before);
  });

  it('loses no key of twenty rotations at once', async () => {
    await createKeyring(path);
    const rings = await Promise.all(Array.from({ length: 20 }, () => rotateKeyring(path)));
    const after = await readKeyring(path);
    expect(states(after).toSorted()).toEqual(['active', ...Array(20).fill('decrypting')]);
    expect(new Set(rings.map(({ wrap }) => wrap.active.kid)).size).toBe(20);
    for (const { wrap } of rings) expect(after.all.get(wrap.active.kid)?.fingerprint).toBe(wrap.active.fingerprint);
  });

  it('keeps unknown members of the file', async () => {
    await writeKeyring(path, [{ kid: 'one', state: 'active' }]);
    const file = JSON.parse(await readFile(path, 'utf8'));
    file.comment = 'of the red cluster';
    file.keys[0].owner = 'ops';
    await writeFile(path, JSON.stringify(file));
    await rotateKeyring(path);
    const after = JSON.parse(await readFile(path, 'utf8'));
    expect(after.comment).toBe('of the red cluster');
    expect(after.keys[0]).toMatchObject({ kid: 'one', owner: 'ops', state: 'decrypting' });
  });

  it.each([
    ['is truncated', () => writeFile(path, '{"keys":[')],
    ['has no active key', () => writeKeyring(path, [{ kid: 'one', state: 'decrypting' }])],
  ])('does not change a file that %s', async (_, spoil) => {
    await createKeyring(path);
    await spoil();
    const before = await readFile(path, 'utf8');
    await expect(rotateKeyring(path)).rejects.toThrow(`KEYRING_FILE ${path}`);
    expect(await readFile(path, 'utf8')).toBe(before);
    expect(await readdir(directory)).toEqual(['keyring.json']);
  });

  it('waits for another change, and after an interrupted one names the file and the fix', async () => {
    await createKeyring(path);
    const before = await readFile(path, 'utf8');
    const other = await open(`${path}.new`, 'wx');
    const waiting = rotateKeyring(path);
    setTimeout(() => rm(`${path}.new`), 200);
    expect(states(await waiting)).toEqual(['decrypting', 'active']);
    await other.close();

    const after = await readFile(path, 'utf8');
    expect(after).not.toBe(before);
    await writeFile(`${path}.new`, '');
    await expect(rotateKeyring(path)).rejects.toThrow(/another command .* remove that file and run this again/);
    expect(await readFile(path, 'utf8')).toBe(after);
  });
});

it('a writer whose temporary file was removed changes nothing, and leaves the file of the next writer', async () => {
  await createKeyring(path);
  const before = await readFile(path, 'utf8');
  const next = `${path}.new`;
  const slow = rewritePrivateFile(path, 'KEYRING_FILE', async () => {
    await rm(next);
    await writeFile(next, 'of another writer');
    return 'of the slow one';
  });
  await expect(slow).rejects.toThrow(/was removed meanwhile, and nothing was changed/);
  expect(await readFile(path, 'utf8')).toBe(before);
  expect(await readFile(next, 'utf8')).toBe('of another writer');
});

describe('a key', () => {
  it('is retired unless it is the active one', async () => {
    await createKeyring(path);
    const { active } = (await readKeyring(path)).wrap;
    await expect(retireKey(path, active.kid)).rejects.toThrow(/is the active one/);
    const rotated = await rotateKeyring(path);
    expect(states(await retireKey(path, active.kid))).toEqual(['retired', 'active']);
    expect((await readKeyring(path)).wrap.active.kid).toBe(rotated.wrap.active.kid);
    await expect(retireKey(path, active.kid)).rejects.toThrow(/is retired already/);
  });

  it('that does not exist is refused with the ids of the existing keys, and without the id that was typed', async () => {
    await createKeyring(path);
    const kids = [...(await readKeyring(path)).all.keys()];
    const refused = expect(retireKey(path, 'c2VjcmV0IGtleSBtYXRlcmlhbA')).rejects;
    await refused.toThrow(`It has: ${kids.join(', ')}.`);
    await expect(retireKey(path, 'c2VjcmV0')).rejects.not.toThrow(/c2VjcmV0/);
  });
});
