import { spawnSync } from 'node:child_process';
import { copyFile, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CommandLine, type RunningGateway } from '../support/command-line.ts';
import { createSecret, newSecret } from '../support/graphql.ts';

const names = '{ secrets(first: 1000) { totalCount nodes { name version maskedValue } } }';

let shell: CommandLine;
beforeEach(async () => {
  shell = await CommandLine.open();
});
afterEach(() => shell.close());

const inDirectory = (...path: string[]) => join(shell.directory, ...path);

async function create(gateway: RunningGateway): Promise<void> {
  const { errors } = await gateway.run(createSecret('id'), { input: newSecret() });
  expect(errors).toBeUndefined();
}

async function refusal(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await shell.run(args);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  expect((await readdir(shell.directory)).filter((name) => name.includes('partial'))).toEqual([]);
  return stderr;
}

describe('secrets-gateway backup', () => {
  it('copies the database as it was at one moment, while a gateway writes, and restore brings all of it back', async () => {
    const gateway = await shell.serve({ RATE_LIMIT: 'off' });
    for (let made = 0; made < 20; made += 1) await create(gateway);
    let isDone = false;
    const writing = (async () => {
      while (!isDone) await create(gateway);
    })();
    const made = await shell.run(['backup', 'copy.db']);
    isDone = true;
    await writing;
    expect(made).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('secrets are in copy.db. The keyring is not'),
    });
    expect((await stat(inDirectory('copy.db'))).mode & 0o777).toBe(0o600);
    expect(await readdir(shell.directory)).toEqual(['.data', 'copy.db']);

    const copy = new DatabaseSync(inDirectory('copy.db'), { readOnly: true });
    const { secrets, counted, events } = copy
      .prepare(
        'SELECT (SELECT count(*) FROM secrets) AS secrets, (SELECT sum(count) FROM owners) AS counted, (SELECT count(*) FROM audit) AS events',
      )
      .get() as Record<string, number>;
    copy.close();
    expect(secrets).toBeGreaterThanOrEqual(20);
    expect([counted, events]).toEqual([secrets, secrets]);
    expect(made.stdout).toContain(`${secrets} secrets`);

    const before = (await gateway.run(names)).data.secrets;
    await gateway.stop();
    await rm(inDirectory('.data/secrets.db'));
    const restored = await shell.run(['restore', 'copy.db']);
    expect(restored).toMatchObject({ code: 0, stderr: '', stdout: expect.not.stringContaining('from before') });
    expect((await stat(inDirectory('.data/secrets.db'))).mode & 0o777).toBe(0o600);
    const again = await shell.serve();
    const { totalCount, nodes } = (await again.run(names)).data.secrets;
    expect(totalCount).toBe(secrets);
    expect(before.nodes).toEqual(expect.arrayContaining(nodes));
    await create(again);
  });

  it('overwrites nothing, and says what it cannot back up', async () => {
    expect(await refusal('backup', 'copy.db')).toContain('DATABASE_URL: there is no such SQLite database');
    await (await shell.serve()).stop();
    await writeFile(inDirectory('copy.db'), 'mine');
    expect(await refusal('backup', 'copy.db')).toContain('is there already');
    expect(await readFile(inDirectory('copy.db'), 'utf8')).toBe('mine');
    expect(await refusal('backup', '.data/secrets.db')).toContain('is there already');
    expect(await refusal('backup', 'none/copy.db')).toContain('The directory of the backup is not there');
    for (const [url, fix] of [
      ['mongodb://u:hunter22@h/d', /names a MongoDB.*mongodump/],
      ['sqlite::memory:', /in memory/],
    ] as const) {
      const { code, stderr } = await shell.run(['backup', 'other.db'], { DATABASE_URL: url });
      expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(fix) });
      expect(stderr).not.toContain('hunter22');
    }
  });

  it('shows a progress bar on a terminal', async () => {
    await (await shell.serve()).stop();
    const command = ['node_modules/.bin/node', 'bin/secrets-gateway.js'].map((path) =>
      join(import.meta.dirname, '../..', path),
    );
    const program = `import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)`;
    for (const [args, what] of [
      [['backup', 'copy.db'], 'backing up'],
      [['restore', 'copy.db'], 'restoring'],
    ] as const) {
      const options = { cwd: shell.directory, encoding: 'utf8' } as const;
      const { stdout, status } = spawnSync('python3', ['-c', program, ...command, ...args], options);
      expect(status).toBe(0);
      expect(stdout).toMatch(new RegExp(`\\r${what} {2}█{30} {2}100 % {2}\\d+ of \\d+`));
    }
  });
});

describe('secrets-gateway restore', () => {
  it('refuses while a gateway has the database open, and keeps the database from before', async () => {
    const gateway = await shell.serve();
    await create(gateway);
    await shell.run(['backup', 'copy.db']);
    await create(gateway);
    expect(await refusal('restore', 'copy.db')).toMatch(
      /a gateway, or another program, has the database open. Stop it/,
    );
    expect((await gateway.run(names)).data.secrets.totalCount).toBe(2);
    await create(gateway);
    await gateway.stop();
    const { code, stdout } = await shell.run(['restore', 'copy.db']);
    expect(code).toBe(0);
    const [, before = ''] = /The database from before is (\S+)\.\n/.exec(stdout) ?? [];
    expect((await readdir(inDirectory('.data'))).toSorted()).toEqual(
      ['development-issuer.json', 'keyring.json', 'secrets.db', before.replace('.data/', '')].sort(),
    );
    const again = await shell.serve();
    expect((await again.run(names)).data.secrets.totalCount).toBe(1);
    await again.stop();
    expect((await shell.run(['restore', before])).code).toBe(0);
    expect((await (await shell.serve()).run(names)).data.secrets.totalCount).toBe(3);
  });

  it('replaces a database that is damaged', async () => {
    await (await shell.serve()).stop();
    await shell.run(['backup', 'copy.db']);
    await writeFile(inDirectory('.data/secrets.db'), 'no database at all'.repeat(1000));
    expect(await shell.run(['serve'], { PORT: '0' })).toMatchObject({ code: 1 });
    expect((await shell.run(['restore', 'copy.db'])).code).toBe(0);
    await (await shell.serve()).stop();
  });

  it('refuses what is no backup, and leaves the database as it is', async () => {
    const gateway = await shell.serve();
    await create(gateway);
    await gateway.stop();
    await shell.run(['backup', 'copy.db']);
    const database = await readFile(inDirectory('.data/secrets.db'));
    await writeFile(inDirectory('text.db'), 'hunter22'.repeat(1000));
    await writeFile(inDirectory('empty.db'), '');
    const foreign = new DatabaseSync(inDirectory('foreign.db'));
    foreign.exec('CREATE TABLE secrets (id TEXT); PRAGMA user_version = 2');
    foreign.close();
    await copyFile(inDirectory('copy.db'), inDirectory('newer.db'));
    const newer = new DatabaseSync(inDirectory('newer.db'));
    newer.exec('PRAGMA user_version = 99');
    newer.close();
    await copyFile(inDirectory('copy.db'), inDirectory('cut.db'));
    await truncate(inDirectory('cut.db'), 40_000);
    for (const [file, what] of [
      ['none.db', /is not there/],
      ['.data', /is not a regular file/],
      ['text.db', /is no SQLite database/],
      ['empty.db', /is no database of a gateway/],
      ['foreign.db', /is no database of a gateway/],
      ['newer.db', /has schema version 99, and this gateway knows versions/],
      ['cut.db', /damaged/],
      ['.data/secrets.db', /is the database itself/],
    ] as const) {
      expect(await refusal('restore', file)).toMatch(what);
    }
    expect(await readFile(inDirectory('.data/secrets.db'))).toEqual(database);
    expect((await readdir(inDirectory('.data'))).toSorted()).toEqual([
      'development-issuer.json',
      'keyring.json',
      'secrets.db',
    ]);
  });
});
