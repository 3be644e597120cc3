import { chmod, mkdir, mkdtemp, readFile, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigurationError } from '../../src/errors.ts';
import { createKeyring, readKeyring } from '../../src/keyring/file.ts';
import { type KeyEntry, keyBytes, keyringText, sealKeys, writeKeyring } from '../support/keyring.ts';

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
  it('is a file of mode 0600 with one active key of each use, all of them different', async () => {
    await createKeyring(path);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const { all, seal } = await readKeyring(path);
    expect([...all.values()].map(({ use, state }) => [use, state])).toEqual([
      ['wrap', 'active'],
      ['mac', 'active'],
      ['equality', 'active'],
      ['seal', 'active'],
      ['seal', 'active'],
    ]);
    expect(new Set([...all.values()].map(({ fingerprint }) => fingerprint)).size).toBe(5);
    expect(seal.X25519.active.privateKey.asymmetricKeyType).toBe('x25519');
    expect(seal['P-256'].active.privateKey.asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' });
    const { format, keys } = JSON.parse(await readFile(path, 'utf8'));
    expect(format).toBe(2);
    for (const { k, d } of keys) expect(Buffer.from(k ?? d, 'base64url')).toHaveLength(32);
  });

  it('never replaces an existing one, even when many gateways start at once', async () => {
    await Promise.all(Array.from({ length: 20 }, () => createKeyring(path)));
    const first = await readFile(path, 'utf8');
    await createKeyring(path);
    expect(await readFile(path, 'utf8')).toBe(first);
  });
});

it('a keyring with a byte order mark is read', async () => {
  await writeKeyring(path, [{ kid: 'one', state: 'active' }]);
  await writeFile(path, `\uFEFF${await readFile(path, 'utf8')}`);
  expect((await readKeyring(path)).wrap.active.kid).toBe('one');
});

describe('a keyring file is refused with its path and the fix, but never with its content', () => {
  const entry = (kid: string, state: string): KeyEntry => ({ kid, state });
  const mac = (kid: string, state: string): KeyEntry => ({ use: 'mac', kid, state });

  type File = { format: number; keys: Record<string, unknown>[] };
  const edit = (change: (file: File) => object) =>
    writeFile(path, JSON.stringify(change(JSON.parse(keyringText([entry('one', 'active')])))));
  const editKey = (index: number, change: object) =>
    edit((file) => ({ ...file, keys: file.keys.with(index, { ...file.keys[index], ...change }) }));
  const withoutKey = (index: number) => edit((file) => ({ ...file, keys: file.keys.toSpliced(index, 1) }));

  /** Puts this text before the first place of another. */
  const repeat = async (place: string, text: string) =>
    writeFile(path, (await readFile(path, 'utf8')).replaceAll(/\s+/g, '').replace(place, `${text}${place}`));
  const misplaced = keyBytes('one').toString('base64url');
  const twiceMisplaced = `"${misplaced}":1,"${misplaced}":2,`;

  it.each([
    ['others can read it', () => chmod(path, 0o644), 'chmod 600'],
    ['a group can write it', () => chmod(path, 0o620), 'chmod 600'],
    ['it is truncated', () => truncate(path, 40), 'backup'],
    ['it is empty', () => truncate(path, 0), 'backup'],
    ['it has no keys', () => writeFile(path, '{"keys":[]}'), '"keys"'],
    ['its keys are not a list', () => writeFile(path, '{"keys":{}}'), '"keys"'],
    ['a key has two states', () => repeat('"state":"active"', '"state":"pending",'), 'key 1 has "state" twice'],
    ['it has two lists of keys', () => repeat('"keys":', '"keys":[],'), 'it has "keys" twice'],
    [
      'a key has two members with the name of a value',
      () => repeat('"kid":', twiceMisplaced),
      'key 1 has a member twice',
    ],
    ['a key is null', () => edit((file) => ({ ...file, keys: [null] })), 'key 1'],
    ['two keys have one kid', () => writeKeyring(path, [entry('one', 'active'), entry('one', 'decrypting')]), '"kid"'],
    [
      'it has format 1',
      () => writeFile(path, '{"keys":[{"kty":"oct","alg":"A256KW","kid":"one","state":"active","k":"b25lb25lb25l"}]}'),
      'The gateway then makes new ones',
    ],
    ['it has a newer format', () => edit((file) => ({ ...file, format: 3 })), 'Run the newer gateway'],
    ['a key has no use', () => editKey(0, { use: undefined }), 'wrap, mac, equality, seal'],
    ['a key has another use than its type', () => editKey(0, { use: 'mac' }), 'HS256'],
    ['a MAC key has a state of other uses', () => editKey(1, { state: 'decrypting' }), 'pending, active, verifying'],
    ['no MAC key is active', () => writeKeyring(path, [mac('one', 'verifying')]), '0 keys of "use" "mac"'],
    ['two MAC keys are active', () => writeKeyring(path, [mac('m', 'active'), mac('n', 'active')]), 'exactly one'],
    ['there is no equality key', () => withoutKey(2), '0 keys of "use" "equality"'],
    ['there is no X25519 pair', () => withoutKey(3), '0 X25519 keys of "use" "seal"'],
    ['there is no P-256 pair', () => withoutKey(4), '0 P-256 keys of "use" "seal"'],
    ['an X25519 key has the public half of another', () => editKey(3, { x: sealKeys[1]?.x }), 'not a X25519 pair'],
    ['a P-256 key has the public half of another', () => editKey(4, { x: sealKeys[0]?.x }), 'not a P-256 pair'],
    [
      'a sealing key was replaced nobody knows when',
      () => edit((file) => ({ ...file, keys: [...file.keys, { ...sealKeys[0], kid: 'old', state: 'decrypting' }] })),
      'key 6 is decrypting, and its "replacedAt" is no time',
    ],
    ['a sealing key has a state of other uses', () => editKey(3, { state: 'retired' }), 'pending, active, decrypting'],
    ['a P-256 key lacks its private half', () => editKey(4, { d: undefined }), '32 bytes'],
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
    for (const { x, d } of sealKeys) expect([message.includes(x), message.includes(d)]).toEqual([false, false]);
  });

  it('when it is a link that leads out of its directory', async () => {
    const keys = join(directory, 'keys');
    await mkdir(keys);
    await writeKeyring(join(directory, 'real.json'), [entry('one', 'active')]);
    path = join(keys, 'keyring.json');
    await symlink('../real.json', path);
    expect(await refusal()).toContain('leads out of its directory');
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
