import { spawnSync } from 'node:child_process';
import {
  chmod,
  chown,
  mkdir,
  mkdtemp,
  readdir,
  readlink,
  realpath,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { rewritePrivateFile } from '../../src/runtime/private-file.ts';
import { readSettingFile, type SettingFile } from '../../src/runtime/setting-file.ts';
import { openStore } from '../../src/store/open-store.ts';
import { writeKeyring } from '../support/keyring.ts';

const marker = 'hunter22';

let directory: string;
let path: string;
let file: SettingFile;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'mounted-file-'));
  path = join(directory, 'file');
  file = { variable: 'KEYRING_FILE', path, access: 'private', maxBytes: 2048 };
});
afterEach(() => rm(directory, { recursive: true }));

describe('a Secret that Kubernetes mounts', () => {
  let versions = 0;

  /** As its AtomicWriter does: the files in a directory of their own, and one link that is replaced at once. */
  async function mount(text: string, mode: number): Promise<void> {
    versions += 1;
    const version = `..2026_11_26_${versions}`;
    await mkdir(join(directory, version));
    await writeFile(join(directory, version, 'file'), text, { mode: 0o600 });
    await chmod(join(directory, version, 'file'), mode);
    const before = await readlink(join(directory, '..data')).catch(() => null);
    await symlink(version, join(directory, '..data_tmp'));
    await rename(join(directory, '..data_tmp'), join(directory, '..data'));
    if (before === null) await symlink('..data/file', path);
    else await rm(join(directory, before), { recursive: true });
  }

  it.each([0o600, 0o400, 0o440, 0o640])('is read with mode %o, also after it was replaced', async (mode) => {
    await chmod(directory, 0o3777);
    await mount('one', mode);
    expect(await readSettingFile(file)).toBe('one');
    await mount('two', mode);
    expect(await readSettingFile(file)).toBe('two');
  });

  it('is read whole while it is replaced again and again', async () => {
    await mount('one', 0o440);
    let isDone = false;
    const replacing = (async () => {
      for (let turn = 0; turn < 200; turn += 1) await mount('one', 0o440);
      isDone = true;
    })();
    while (!isDone) expect(await readSettingFile(file)).toBe('one');
    await replacing;
  });

  it.each([0o644, 0o444])('is refused with mode %o, and told how to mount it', async (mode) => {
    await mount(marker, mode);
    await expect(readSettingFile(file)).rejects.toThrow(/others can read.*defaultMode: 0440.*fsGroup.*Docker/);
    await expect(readSettingFile(file)).rejects.not.toThrow(/chmod|hunter22/);
  });

  it('is not changed where it is mounted, and told how to change it', async () => {
    await mount('one', 0o600);
    const rewritten = rewritePrivateFile(path, 'KEYRING_FILE', async () => 'two');
    await expect(rewritten).rejects.toThrow(/is a link.*Copy it to a file.*the Secret/);
    expect(await readSettingFile(file)).toBe('one');
    expect(await readdir(directory)).not.toContain('file.new');
  });

  it.skipIf(process.getuid?.() !== 0)('may belong to root and another group (skipped without root)', async () => {
    await mount('one', 0o440);
    await chown(await realpath(path), 0, 12_345);
    expect(await readSettingFile(file)).toBe('one');
  });
});

describe('a volume to which Kubernetes applied fsGroup', () => {
  const group = process.getgid?.() ?? 0;

  it('may hold keys that its own group can write', async () => {
    await writeFile(path, 'text', { mode: 0o600 });
    await chmod(path, 0o660);
    await expect(readSettingFile(file)).rejects.toThrow(/its group can write it/);
    await chmod(directory, 0o2770);
    expect(await readSettingFile(file)).toBe('text');
    await chmod(path, 0o664);
    await expect(readSettingFile(file)).rejects.toThrow(/others can read/);
  });

  it('may hold the database', async () => {
    const database = join(directory, 'secrets.db');
    await chmod(directory, 0o2770);
    await (await openStore(`sqlite:${database}`)).close();
    await chmod(database, 0o660);
    await (await openStore(`sqlite:${database}`)).close();
    await chmod(directory, 0o770);
    await expect(openStore(`sqlite:${database}`)).rejects.toThrow(/others can replace the database/);
    await chmod(directory, 0o2777);
    await expect(openStore(`sqlite:${database}`)).rejects.toThrow(/others can replace the database/);
  });

  it('keeps mode and group when the keys are changed', async () => {
    await writeFile(path, 'one', { mode: 0o600 });
    await chmod(path, 0o640);
    await rewritePrivateFile(path, 'KEYRING_FILE', async () => 'two');
    expect(await stat(path).then(({ mode, gid }) => [mode & 0o777, gid])).toEqual([0o640, group]);
  });

  it.skipIf(process.getuid?.() !== 0)(
    'of a group of somebody else is no such volume (skipped without root)',
    async () => {
      await writeFile(path, 'text', { mode: 0o600 });
      for (const changed of [path, directory]) await chown(changed, 0, 12_345);
      await chmod(path, 0o660);
      await chmod(directory, 0o2770);
      await expect(readSettingFile(file)).rejects.toThrow(/its group can write it/);
    },
  );
});

const inNamespace = (script: string, ...args: string[]) =>
  spawnSync('unshare', ['--map-root-user', '--mount', 'sh', '-c', script, 'sh', ...args], { encoding: 'utf8' });
const hasNamespaces = inNamespace('true').status === 0;

describe.skipIf(!hasNamespaces)('on a read-only mount (skipped where a user cannot mount)', () => {
  const root = join(import.meta.dirname, '../..');
  const node = join(root, 'node_modules/.bin/node');
  const run = (mode: string, ...args: string[]) =>
    inNamespace(
      `mount -t tmpfs keys "$1" && cd "$1" && cp "$2" keyring.json && chmod ${mode} keyring.json && mount -o remount,ro keys "$1" && cd .. && shift 2 && exec "$@"`,
      directory,
      `${directory}.json`,
      'env',
      `KEYRING_FILE=${directory}/keyring.json`,
      node,
      join(root, 'bin/secrets-gateway.js'),
      ...args,
    ).stderr;

  beforeEach(() => writeKeyring(`${directory}.json`, [{ kid: 'one', state: 'active' }]));
  afterEach(() => rm(`${directory}.json`));

  it('a keyring that others can read is refused, and told how to mount it', () => {
    expect(run('444', 'keys', 'rotate')).toMatch(/others can read.*It is mounted: .*0440/);
  });

  it('a keyring is not changed, and told how to change it', () => {
    expect(run('440', 'keys', 'rotate')).toMatch(/is on a read-only mount.*Copy it to a file/);
  });
});
