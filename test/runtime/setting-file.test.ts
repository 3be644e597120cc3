import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdir, mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readProvidersFile } from '../../src/broker/providers/providers-file.ts';
import { readConfig } from '../../src/config.ts';
import { readPersistedOperations } from '../../src/graphql/endpoint/persisted-operations.ts';
import { openDevelopmentIssuer } from '../../src/identity/development-issuer.ts';
import { readIssuersFile } from '../../src/identity/issuers-file.ts';
import { jwksFromFile } from '../../src/identity/jwks-from-file.ts';
import { readKeyring } from '../../src/keyring/file.ts';
import { readSettingFile, readSettingFileSync, type SettingFile } from '../../src/runtime/setting-file.ts';

const marker = 'hunter22';

let directory: string;
let path: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'setting-file-'));
  path = join(directory, 'file');
});
afterEach(() => rm(directory, { recursive: true }));

/**
 * A FIFO. After five seconds somebody opens it for writing, so that a reader which waits for that fails the test instead of
 * blocking it forever.
 * @returns ends that, and tells whether it had not happened yet
 */
function makeFifo(fifo: string): () => Promise<boolean> {
  execFileSync('mkfifo', ['-m', '600', fifo]);
  const written = `${fifo}.written`;
  const writer = spawn('sh', ['-c', 'sleep 5; : >"$2"; : >"$1"', 'sh', fifo, written]);
  return async () => {
    const gone = once(writer, 'exit');
    writer.kill('SIGKILL');
    await gone;
    return !existsSync(written);
  };
}

const readers = {
  'while it runs': readSettingFile,
  'at the start': async (file: SettingFile) => readSettingFileSync(file),
};
const accesses = ['private', 'public'] as const;
const cases = Object.entries(readers).flatMap(([when, read]) =>
  accesses.map((access) => [access, when, read] as const),
);

describe.each(cases)('a %s file, read %s', (access, _when, read) => {
  const file = (over: Partial<SettingFile> = {}): SettingFile => ({
    variable: 'KEYRING_FILE',
    path,
    access,
    maxBytes: 2048,
    ...over,
  });

  it('is read without the byte order mark that an editor wrote', async () => {
    await writeFile(path, '\uFEFF{"a":"\uFEFF"}', { mode: 0o600 });
    expect(await read(file())).toBe('{"a":"\uFEFF"}');
  });

  async function refusal(over: Partial<SettingFile> = {}): Promise<string> {
    const error = await read(file(over)).then(
      () => null,
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({ name: 'ConfigurationError' });
    const { message } = error as Error;
    expect(message).toMatch(/^KEYRING_FILE\b/);
    expect(message).not.toContain(marker);
    return message;
  }

  it.each(['', 'text', 'ü€😀'.repeat(100), 'x'.repeat(2048)])('is read whole: %#', async (text) => {
    await writeFile(path, text, { mode: 0o600 });
    expect(await read(file())).toBe(text);
  });

  it('is refused when it is larger than it may be, also where the system says that it is empty', async () => {
    await writeFile(path, marker, { mode: 0o600 });
    await truncate(path, 2049);
    expect(await refusal()).toMatch(/larger than 2 KiB.*Check/);
    if (access === 'public') expect(await refusal({ path: '/proc/cpuinfo', maxBytes: 16 })).toContain('larger');
  });

  it('is refused at once when it is a FIFO, although nobody writes to it', async () => {
    const neverWritten = makeFifo(path);
    expect(await refusal()).toMatch(/not a regular file.*Set the variable to a file/);
    expect(await neverWritten()).toBe(true);
  });

  it('is refused when it is a directory', async () => {
    await mkdir(path, { mode: 0o700 });
    expect(await refusal()).toMatch(/not a regular file.*Set the variable to a file/);
  });

  it('is refused when it is a socket', async () => {
    const server = createServer().listen(path);
    await once(server, 'listening');
    expect(await refusal()).toMatch(/not a regular file.*Set the variable to a file/);
    server.close();
    await once(server, 'close');
  });

  it.each(['/dev/zero', '/dev/null', '/dev/tty'])('is refused when it is a device: %s', async (device) => {
    expect(await refusal({ path: device })).toMatch(/Set the variable to a file|Check the path/);
  });

  it('is refused when it is not there, without what somebody put in place of its path', async () => {
    expect(await refusal()).toMatch(/no such file.*Put it there/);
    expect(await refusal({ path: `${directory}/${marker}` })).toContain('no such file');
    expect(await refusal({ path: marker.repeat(1000) })).toContain('cannot be read');
    await writeFile(path, '', { mode: 0o600 });
    expect(await refusal({ path: `${path}/${marker}` })).toContain('cannot be read');
  });

  it.each([0o620, 0o602, 0o622, 0o666, 0o777])('is refused when others can write it: mode %o', async (mode) => {
    await writeFile(path, marker, { mode: 0o600 });
    await chmod(path, mode);
    expect(await refusal()).toContain(`Run: chmod ${access === 'private' ? '600' : 'go-w'} ${path}`);
  });

  it.each([0o644, 0o604, 0o444, 0o445])('may be read by others only where it is public: mode %o', async (mode) => {
    await writeFile(path, 'text', { mode: 0o600 });
    await chmod(path, mode);
    if (access === 'public') expect(await read(file())).toBe('text');
    else expect(await refusal()).toContain(`Run: chmod 600 ${path}`);
  });

  it.each([0o600, 0o400, 0o640, 0o440])('may be read by its owner and its group: mode %o', async (mode) => {
    await writeFile(path, 'text', { mode: 0o600 });
    await chmod(path, mode);
    expect(await read(file())).toBe('text');
  });

  it('may be behind a symbolic link that stays in its directory', async () => {
    await writeFile(join(directory, 'real'), 'text', { mode: 0o600 });
    await symlink('real', path);
    expect(await read(file())).toBe('text');
  });

  it.each<[string, (outside: string) => Promise<void>]>([
    ['a link', (outside) => symlink(join(outside, 'real'), path)],
    ['a relative link', (outside) => symlink(`../${basename(outside)}/real`, path)],
    ['a link through a directory that is one', (outside) => linkThrough(outside)],
  ])('may be behind a link out of its directory only where it is public: %s', async (_what, link) => {
    const outside = await mkdtemp(join(tmpdir(), 'setting-file-'));
    await writeFile(join(outside, 'real'), 'text', { mode: 0o600 });
    await link(outside);
    if (access === 'public') expect(await read(file())).toBe('text');
    else expect(await refusal()).toMatch(/symbolic link that leads out of its directory.*the file itself/);
    await rm(outside, { recursive: true });
  });

  async function linkThrough(outside: string): Promise<void> {
    await symlink(outside, join(directory, '..data'));
    await symlink('..data/real', path);
  }

  it('may be in a directory that is reached by a link', async () => {
    const link = `${directory}-link`;
    await writeFile(path, 'text', { mode: 0o600 });
    await symlink(directory, link);
    expect(await read(file({ path: join(link, 'file') }))).toBe('text');
    await rm(link);
  });

  it('is refused when a link leads to itself', async () => {
    await symlink('file', path);
    expect(await refusal()).toMatch(/symbolic link to itself.*Set the variable/);
  });

  it('is read without a byte order mark', async () => {
    await writeFile(path, '\uFEFFtext', { mode: 0o600 });
    expect(await read(file())).toBe('text');
  });

  it.each(['utf16le', 'utf16be'])('is refused in %s, with that as the reason', async (encoding) => {
    const bytes = Buffer.from(`\uFEFF${marker}`, 'utf16le');
    await writeFile(path, encoding === 'utf16be' ? bytes.swap16() : bytes, { mode: 0o600 });
    expect(await refusal()).toMatch(/UTF-16. Save it in UTF-8/);
  });

  it('is judged by what a link leads to', async () => {
    await writeFile(join(directory, 'real'), marker, { mode: 0o600 });
    await chmod(join(directory, 'real'), 0o666);
    await symlink('real', path);
    await refusal();
  });

  it.skipIf(process.getuid?.() !== 0)('is refused when another user owns it (skipped without root)', async () => {
    await writeFile(path, marker, { mode: 0o600 });
    await chown(path, 12_345, 0);
    expect(await refusal()).toMatch(/another user.*its owner/);
  });
});

describe('every file that a setting names', () => {
  const named: [string, (path: string) => unknown][] = [
    ['KEYRING_FILE', readKeyring],
    ['JWT_JWKS_FILE', (file) => jwksFromFile(file, 'JWT_JWKS_FILE')],
    ['ISSUERS_FILE', readIssuersFile],
    ['BROKER_PROVIDERS_FILE', (file) => readProvidersFile(file, { allowHttp: true, isAllowedAddress: () => true })],
    ['PERSISTED_OPERATIONS', readPersistedOperations],
    ['DATABASE_URL_FILE', (DATABASE_URL_FILE) => readConfig({ DATABASE_URL_FILE })],
    ['the development issuer’s key', openDevelopmentIssuer],
  ];
  it.each(named)('is read that way: %s', async (name, read) => {
    const refused = async (what: string) => {
      await expect(async () => read(path)).rejects.toMatchObject({
        name: 'ConfigurationError',
        message: expect.stringMatching(new RegExp(`^${name} .*${what}`)),
      });
      await rm(path, { recursive: true });
    };
    const neverWritten = makeFifo(path);
    await refused('not a regular file');
    expect(await neverWritten()).toBe(true);
    await mkdir(path);
    await refused('not a regular file');
    await symlink('/dev/zero', path);
    await expect(async () => read(path)).rejects.toThrow(/regular file|symbolic link/);
    await rm(path);
    await writeFile(path, '{}', { mode: 0o600 });
    await truncate(path, 2 ** 30);
    await refused('larger');
    await writeFile(path, '{}', { mode: 0o600 });
    await chmod(path, 0o666);
    await refused('chmod');
  });
});
