import { chmod, mkdtemp, readFile, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { mac, verifyMac } from '../../src/crypto/mac.ts';
import { ConfigurationError } from '../../src/errors.ts';
import { createKeyring, readKeyring } from '../../src/keyring/file.ts';
import { keyBytes, writeKeyring } from '../support/keyring.ts';

let directory: string;
let path: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'keyring-'));
  path = join(directory, 'keyring.json');
});
afterEach(() => rm(directory, { recursive: true }));

async function refusal(): Promise<string> {
  const error = await readKeyring(path).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(ConfigurationError);
  return (error as Error).message;
}

describe('a new keyring', () => {
  it('is a file of mode 0600 with one active 256-bit key', async () => {
    await createKeyring(path);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const keyring = await readKeyring(path);
    expect(keyring.keys.size).toBe(1);
    expect(keyring.active.state).toBe('active');
    expect(Buffer.from(JSON.parse(await readFile(path, 'utf8')).keys[0].k, 'base64url')).toHaveLength(32);
  });

  it('never replaces an existing one, even when many gateways start at once', async () => {
    await Promise.all(Array.from({ length: 20 }, () => createKeyring(path)));
    const first = await readFile(path, 'utf8');
    await createKeyring(path);
    expect(await readFile(path, 'utf8')).toBe(first);
  });
});

describe('a keyring file is refused with its path and the fix, but never with its content', () => {
  const entry = (kid: string, state: string) => ({ kid, state });

  it.each([
    ['others can read it', () => chmod(path, 0o644), 'chmod 600'],
    ['a group can write it', () => chmod(path, 0o620), 'chmod 600'],
    ['it is truncated', () => truncate(path, 40), 'backup'],
    ['it is empty', () => truncate(path, 0), 'backup'],
    ['it has no keys', () => writeFile(path, '{"keys":[]}'), '"keys"'],
    ['its keys are not a list', () => writeFile(path, '{"keys":{}}'), '"keys"'],
    ['a key is null', () => writeFile(path, '{"keys":[null]}'), 'key 1'],
    ['two keys have one kid', () => writeKeyring(path, [entry('one', 'active'), entry('one', 'decrypting')]), '"kid"'],
    ['no key is active', () => writeKeyring(path, [entry('one', 'decrypting')]), 'exactly one'],
    ['two keys are active', () => writeKeyring(path, [entry('one', 'active'), entry('two', 'active')]), 'exactly one'],
    ['a state is unknown', () => writeKeyring(path, [entry('one', 'enabled')]), 'pending, active'],
    ['a kid has a character that is not allowed', () => writeKeyring(path, [entry('a b', 'active')]), '"kid"'],
    [
      'a key is short',
      () => writeKeyring(path, [{ kid: 'one', state: 'active', bytes: keyBytes('one').subarray(1) }]),
      '32 bytes',
    ],
  ])('when %s', async (_case, spoil, fix) => {
    await writeKeyring(path, [entry('one', 'active')]);
    await readKeyring(path);
    await spoil();
    const message = await refusal();
    expect(message).toContain(path);
    expect(message).toContain(fix);
    expect(message).not.toContain(keyBytes('one').toString('base64url').slice(0, 10));
  });

  it('when it is a symbolic link', async () => {
    await writeKeyring(join(directory, 'real.json'), [entry('one', 'active')]);
    await symlink(join(directory, 'real.json'), path);
    expect(await refusal()).toContain('symbolic link');
  });

  it('when it does not exist', async () => {
    expect(await refusal()).toContain('no such file');
  });

  it('when a key is for another use', async () => {
    await writeKeyring(path, [entry('one', 'active')]);
    await writeFile(path, (await readFile(path, 'utf8')).replace('A256KW', 'A128KW'));
    expect(await refusal()).toContain('A256KW');
  });
});

describe('a MAC', () => {
  it('verifies while its key may open, for its purpose and message only', async () => {
    await writeKeyring(path, [{ kid: 'one', state: 'active' }]);
    const before = await readKeyring(path);
    const tag = mac(before, 'cursor', 'message');
    await writeKeyring(path, [
      { kid: 'one', state: 'decrypting' },
      { kid: 'two', state: 'active' },
    ]);
    const after = await readKeyring(path);
    expect(verifyMac(after, 'cursor', 'message', tag)).toBe(true);
    expect(verifyMac(after, 'cursor', 'massage', tag)).toBe(false);
    expect(verifyMac(after, 'other', 'message', tag)).toBe(false);
    expect(verifyMac(after, 'cursor', 'message', tag.subarray(1))).toBe(false);
    await writeKeyring(path, [
      { kid: 'one', state: 'retired' },
      { kid: 'two', state: 'active' },
    ]);
    expect(verifyMac(await readKeyring(path), 'cursor', 'message', tag)).toBe(false);
  });
});
