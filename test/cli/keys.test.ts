import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readKeyring } from '../../src/keyring/file.ts';
import { withStore } from '../../src/store/open-store.ts';
import { CommandLine, longWaits } from '../support/command-line.ts';
import { storeNames, TestGateway } from '../support/gateway.ts';
import { createSecret, newSecret, updateSecret } from '../support/graphql.ts';

const soon = { timeout: 10_000, interval: 50 };

describe.each(storeNames)('secrets-gateway keys, on %s', (store) => {
  let gateway: TestGateway;
  let shell: CommandLine;
  let keyringFile: string;

  beforeEach(async () => {
    gateway = await TestGateway.start(store);
    shell = await CommandLine.open();
    keyringFile = join(gateway.directory, 'keyring.json');
  });
  afterEach(async () => {
    await shell.close();
    await gateway.close();
  });

  const keys = (...args: string[]) =>
    shell.run(
      ['keys', ...args],
      { DATABASE_URL: gateway.databaseUrl, KEYRING_FILE: keyringFile },
      { preload: [longWaits.skipped] },
    );
  const activeKid = async () => (await readKeyring(keyringFile)).wrap.active.kid;
  const activeMac = async () => (await readKeyring(keyringFile)).mac.active.kid;
  /** The rows that `keys list` prints of keys of this use: the id, the state, and how many need it. */
  async function listed(use = 'wrap'): Promise<string[][]> {
    const { stdout } = await keys('list');
    const rows = stdout
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.replace(/\s\d{4}-\d\d-\d\d\s/, ' ').split(/\s+/));
    return rows
      .filter((row) => row[1] === use)
      .map(([kid = '', , state = '', ...needed]) => [kid, state, ...needed.filter((word) => /^\d/.test(word))]);
  }
  async function created(name: string, value = `the value of ${name}`): Promise<string> {
    return (await gateway.run(createSecret(), { input: { owner: { teamId: 'red' }, name, value } })).data.createSecret
      .secret.id;
  }

  async function damage(id: string): Promise<void> {
    await withStore(gateway.databaseUrl, async (opened) => {
      const from = (await opened.wrappedKeys('', 100)).find(({ secretId }) => secretId === id);
      if (!from) throw new Error('it has an envelope');
      const encryptedKey = Buffer.from(from.encryptedKey, 'base64url').reverse().toString('base64url');
      await opened.replaceWrappedKeys([{ from, to: { ...from, encryptedKey } }]);
    });
  }

  it('rotates, rewraps and retires while the gateway runs: every value opens, and no secret looks changed', async () => {
    const ids = [await created('one'), await created('two')];
    const first = `{ secret(id: "${ids[0]}") { name version maskedValue createdAt updatedAt } }`;
    const before = await gateway.run(first);
    const old = await activeKid();
    expect(await listed()).toEqual([[old, 'active', '2']]);

    const rotated = await keys('rotate');
    const fresh = await activeKid();
    expect(rotated).toMatchObject({ code: 0, stderr: '', stdout: expect.stringContaining(`${fresh} is active`) });
    await expect.poll(() => gateway.log.join(''), soon).toContain(`"active":"${fresh}","msg":"keyring loaded"`);
    ids.push(await created('three'));
    expect(await listed()).toEqual([
      [old, 'decrypting', '2'],
      [fresh, 'active', '1'],
    ]);
    expect((await keys('list')).stdout).toMatch(/ 2 envelopes\n[\s\S]* 3 records, 3 events\n[\s\S]* 1 envelope\n/);
    expect(await keys('retire', old)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/\(envelopes: 2\)\. Run keys rewrap/),
    });

    expect(await keys('rewrap')).toEqual({
      code: 0,
      stdout: expect.stringMatching(`^2 envelopes .* ${fresh} now\\.\n$`),
      stderr: '',
    });
    expect(await keys('rewrap')).toMatchObject({ code: 0, stdout: expect.stringMatching(/^0 envelopes/) });
    expect((await gateway.run(first)).data).toEqual(before.data);

    expect(await keys('retire', old)).toMatchObject({ code: 0, stdout: expect.stringContaining(`${old} is retired`) });
    expect(await listed()).toEqual([
      [old, 'retired', '0'],
      [fresh, 'active', '3'],
    ]);
    for (const [index, id] of ids.entries()) {
      const { record, value } = await gateway.openValue(id);
      expect(value).toBe(`the value of ${['one', 'two', 'three'][index]}`);
      expect(record.version).toBe(1);
      expect(record.sealed?.envelope.header.kid).toBe(fresh);
    }
    expect((await gateway.run('{ secrets(owner: { teamId: "red" }) { totalCount } }')).data.secrets.totalCount).toBe(3);
  });

  it('adds a pending key first, and then makes it active', async () => {
    const old = await activeKid();
    const { stdout } = await keys('rotate', '--pending');
    const [pending = ''] = stdout.split(' ');
    expect(await listed()).toEqual([
      [old, 'active', '0'],
      [pending, 'pending', '0'],
    ]);
    await keys('rotate');
    expect(await activeKid()).toBe(pending);
  });

  it('rotates the MAC key while the gateway runs: what the old one made still verifies, and it stays while it is needed', async () => {
    const id = await created('one');
    await created('two');
    const list = async (after: string) =>
      gateway.run(`{ secrets(owner: { teamId: "red" }, first: 1${after}) { nodes { name } pageInfo { endCursor } } }`);
    const cursor = (await list('')).data.secrets.pageInfo.endCursor;
    const old = await activeMac();
    expect(await listed('mac')).toEqual([[old, 'active', '2', '2']]);

    const rotated = await keys('rotate', '--mac');
    const fresh = await activeMac();
    expect(rotated).toMatchObject({ code: 0, stderr: '', stdout: expect.stringContaining(`${fresh} is active`) });
    await expect.poll(() => gateway.log.join(''), soon).toContain(`"mac":"${fresh}"`);
    expect((await list(`, after: "${cursor}"`)).data.secrets.nodes).toEqual([{ name: 'two' }]);
    expect((await list('')).data.secrets.pageInfo.endCursor).not.toBe(cursor);
    expect((await gateway.openValue(id)).value).toBe('the value of one');
    const renamed = await gateway.run(updateSecret('version'), { input: { id, name: 'renamed' } });
    expect(renamed.data.updateSecret.secret.version).toBe(2);
    expect((await gateway.openValue(id)).record.mac.kid).toBe(fresh);
    expect(await listed('mac')).toEqual([
      [old, 'verifying', '1', '2'],
      [fresh, 'active', '1', '1'],
    ]);
    expect(await keys('retire', old)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/\(MACs of secrets: 1\)/),
    });
    const two = (await gateway.run('{ secrets(owner: { teamId: "red" }, filter: { name: "two" }) { nodes { id } } }'))
      .data.secrets.nodes[0].id;
    await gateway.run(updateSecret('version'), { input: { id: two, name: 'two again' } });
    expect(await keys('retire', old)).toMatchObject({ code: 1, stderr: expect.stringMatching(/\(audit events: 2\)/) });

    // Another one that has made nothing.
    await keys('rotate', '--mac', '--pending');
    const unused = (await listed('mac')).find(([, state]) => state === 'pending')?.[0] ?? '';
    expect(await keys('retire', unused)).toMatchObject({ code: 0 });
    expect((await listed('mac')).map(([, state]) => state)).toEqual(['verifying', 'active', 'retired']);
    expect(await keys('retire', fresh)).toMatchObject({ code: 1, stderr: expect.stringContaining('rotate --mac') });
  });

  it('names a MAC key that is lost, and the gateway delivers nothing that needs it', async () => {
    const id = await created('under the lost key');
    const lost = await activeMac();
    await keys('rotate', '--mac');
    await gateway.stop();
    const file = JSON.parse(await readFile(keyringFile, 'utf8'));
    file.keys = file.keys.filter(({ kid }: { kid: string }) => kid !== lost);
    await writeFile(keyringFile, JSON.stringify(file));
    expect((await listed('mac')).at(-1)).toEqual([lost, 'missing', '1', '1']);
    expect(await keys('list')).toMatchObject({ code: 1, stderr: expect.stringContaining('from a backup') });
    await gateway.launch();
    await expect(gateway.openValue(id)).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE', kid: lost });
    const { errors } = await gateway.run(updateSecret('version'), { input: { id, name: 'renamed' } });
    expect(errors[0]?.extensions).toMatchObject({ code: 'SERVICE_UNAVAILABLE', retryAfter: 60 });
    expect(errors[0]?.extensions.description).toContain(lost);
    expect((await gateway.run(`{ secret(id: "${id}") { version } }`)).data.secret.version).toBe(1);
  });

  it('retire waits until no gateway can still seal under the key, and then checks again', async () => {
    const old = await activeKid();
    // As sealed by a gateway that has another copy of the file and does not see this change.
    const copy = join(shell.directory, 'keyring.json');
    await cp(keyringFile, copy);
    const env = { DATABASE_URL: gateway.databaseUrl, KEYRING_FILE: copy };
    await shell.run(['keys', 'rotate'], env);
    const retiring = shell.start(['keys', 'retire', old], env, { preload: [longWaits.untilSignal] });
    await once(retiring.child, 'message');
    await expect.poll(() => retiring.output.stderr, soon).toMatch(/Looks again in 13 s/);
    await created('late');
    retiring.child.kill('SIGUSR2');
    expect(await retiring.exit).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/\(envelopes: 1\)\. Run keys rewrap/),
    });
    expect((await readKeyring(copy)).wrap.keys.get(old)?.state).toBe('decrypting');
  });

  it('continues with the other envelopes when a key is lost or an envelope is damaged, names both, and exits with 1', async () => {
    const lost = await activeKid();
    await created('under the lost key');
    await keys('rotate');
    const decrypting = await activeKid();
    await expect.poll(() => gateway.log.join(''), soon).toContain(decrypting);
    const ids = [await created('one'), await created('two')];
    const damaged = ids[0] ?? '';
    await keys('rotate');
    const active = await activeKid();
    await gateway.stop();
    const file = JSON.parse(await readFile(keyringFile, 'utf8'));
    file.keys = file.keys.filter(({ kid }: { kid: string }) => kid !== lost);
    await writeFile(keyringFile, JSON.stringify(file));
    await damage(damaged);

    const { code, stdout, stderr } = await keys('rewrap');
    expect(code).toBe(1);
    expect(stdout).toMatch(new RegExp(`^1 envelope .* ${active} now\\.\n$`));
    expect(stderr).toContain(`1 is still under ${lost}. The keyring does not have that key`);
    expect(stderr).not.toContain(`still under ${decrypting}`);
    expect(stderr).toContain(damaged);
    expect(await listed()).toEqual([
      [decrypting, 'decrypting', '1'],
      [active, 'active', '1'],
      [lost, 'missing', '1'],
    ]);
    expect(await keys('list')).toMatchObject({ code: 1, stderr: expect.stringContaining('from a backup') });
    expect((await gateway.openValue(ids[1] ?? '')).value).toBe('the value of two');
    await gateway.launch();
    expect((await gateway.run('{ secrets(owner: { teamId: "red" }) { totalCount } }')).data.secrets.totalCount).toBe(3);
  });

  it('a gateway keeps its keyring when the file is invalid, and reports it in the log and at /readyz without any key', async () => {
    const readyz = () => fetch(new URL('/readyz', gateway.url)).then((response) => response.json());
    const old = await activeKid();
    const before = await readFile(keyringFile, 'utf8');
    await writeFile(keyringFile, before.slice(0, -40));
    await expect.poll(() => gateway.log.join(''), soon).toContain('the one before stays in use');
    expect(await readyz()).toMatchObject({ checks: { keyring: 'failed' } });
    const id = await created('meanwhile');
    expect(gateway.log.join('')).not.toContain(JSON.parse(before).keys[0].k.slice(0, 12));
    await writeFile(keyringFile, before);
    expect((await gateway.openValue(id)).record.sealed?.envelope.header.kid).toBe(old);
    await expect.poll(readyz, soon).toMatchObject({ checks: { keyring: 'ok' } });
  });
});

describe('secrets-gateway keys', () => {
  let shell: CommandLine;
  beforeEach(async () => {
    shell = await CommandLine.open();
  });
  afterEach(() => shell.close());

  it('continues with the others when an envelope is malformed, names its secret, and the gateway still starts', async () => {
    const gateway = await shell.serve();
    const ids: string[] = [];
    for (let made = 0; made < 2; made += 1) {
      ids.push((await gateway.run(createSecret(), { input: newSecret() })).data.createSecret.secret.id);
    }
    await gateway.stop();
    const database = new DatabaseSync(join(shell.directory, '.data/secrets.db'));
    database.prepare('UPDATE envelopes SET envelope = substr(envelope, 1, 20) WHERE secret_id = ?').run(ids[0] ?? '');
    database.close();
    await shell.run(['keys', 'rotate']);
    const { code, stdout, stderr } = await shell.run(['keys', 'rewrap']);
    expect({ code, stdout }).toEqual({ code: 1, stdout: expect.stringMatching(/^1 envelope rewrapped. It is under/) });
    expect(stderr).toContain(ids[0]);
    expect(stderr).not.toContain(ids[1]);
    // The same when there is nothing else to rewrap.
    expect(await shell.run(['keys', 'rewrap'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(ids[0] ?? ''),
    });
    expect(await shell.run(['keys', 'list'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('1 envelope is damaged'),
    });
    await (await shell.serve()).stop();
  });

  it('shows a progress bar on a terminal', async () => {
    const gateway = await shell.serve();
    expect((await gateway.run(createSecret(), { input: newSecret() })).errors).toBeUndefined();
    await shell.run(['keys', 'rotate']);
    const command = ['node_modules/.bin/node', 'bin/secrets-gateway.js'].map((path) =>
      join(import.meta.dirname, '../..', path),
    );
    const program = `import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)`;
    const { stdout, status } = spawnSync('python3', ['-c', program, ...command, 'keys', 'rewrap'], {
      cwd: shell.directory,
      encoding: 'utf8',
    });
    expect(status).toBe(0);
    expect(stdout).toMatch(/\rrewrapping {2}█{30} {2}100 % {2}1 of 1 {2}\d[\d,]*\/s/);
    expect(stdout).toContain('1 envelope rewrapped');
    await rm(join(shell.directory, '.data'), { recursive: true });
  });
});
