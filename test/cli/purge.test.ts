import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CommandLine } from '../support/command-line.ts';
import { openDatabaseWriter } from '../support/database-writer.ts';
import { storeNames, TestGateway } from '../support/gateway.ts';
import { createSecret, deleteSecret, newSecret, updateSecret } from '../support/graphql.ts';
import { hasPty, onTerminal } from '../support/pseudo-terminal.ts';

const root = join(import.meta.dirname, '../..');
const counts = '{ secrets { totalCount } deletedSecrets { totalCount } }';

describe.each(storeNames)('secrets-gateway purge --user, on %s', (store) => {
  let gateway: TestGateway;
  let shell: CommandLine;
  let env: Record<string, string>;

  beforeAll(async () => {
    gateway = await TestGateway.start(store, { RATE_LIMIT: 'off' });
    shell = await CommandLine.open();
    env = { DATABASE_URL: gateway.databaseUrl, KEYRING_FILE: join(gateway.directory, 'keyring.json') };
  });
  afterAll(async () => {
    await shell?.close();
    await gateway?.close();
  });

  const purge = (user: string, ...more: string[]) => shell.run(['purge', '--user', user, ...more], env);
  async function run(query: string, variables: Record<string, unknown>, token: string) {
    const answer = await gateway.run(query, variables, { token });
    expect(answer.errors).toEqual([]);
    return answer.data;
  }
  async function create(token: string, more: object = {}): Promise<string> {
    return (await run(createSecret(), { input: { ...newSecret(), ...more } }, token)).createSecret.secret.id;
  }
  async function leftOf(token: string): Promise<readonly number[]> {
    const { secrets, deletedSecrets } = await run(counts, {}, token);
    return [secrets.totalCount, deletedSecrets.totalCount];
  }

  it('purges what is theirs beside a running gateway, and nothing of anybody else', async () => {
    // As an issuer with a subjectPrefix makes it.
    const subject = 'corp|ada lovelace/1';
    const [ada, other] = await Promise.all([
      gateway.issuer.token({ sub: subject }),
      gateway.issuer.token({ sub: 'ada lovelace/1' }),
    ]);
    const ids: string[] = [];
    for (let made = 0; made < 45; made += 1) ids.push(await create(ada));
    for (const id of ids.slice(0, 25)) await run(deleteSecret, { input: { id } }, ada);
    await run(updateSecret(), { input: { id: ids[30], value: 'another value of it' } }, ada);
    const idempotencyKey = 'a key that others have, too';
    const first = await create(other, { name: 'KEPT', value: 'a', idempotencyKey });
    await create(ada, { name: 'KEPT', value: 'a', idempotencyKey });
    const ofTeam = await create(ada, { owner: { teamId: 'red' } });

    expect(await purge(subject, '--yes')).toEqual({
      code: 0,
      stdout: '46 secrets purged. The audit events stay.\n',
      stderr: '',
    });
    expect(await leftOf(ada)).toEqual([0, 0]);
    expect(await leftOf(other)).toEqual([1, 0]);
    expect(await create(other, { name: 'KEPT', value: 'a', idempotencyKey })).toBe(first);
    expect((await run(`{ secret(id: "${ofTeam}") { id } }`, {}, ada)).secret).toEqual({ id: ofTeam });
    const events =
      '{ auditEvents(filter: { types: ["secret.purged"] }) { totalCount nodes { secretId actor { kind id } } } }';
    const { totalCount, nodes } = (await run(events, {}, ada)).auditEvents;
    expect(totalCount).toBe(46);
    expect(nodes[0].actor).toEqual({ kind: 'SYSTEM', id: 'operator' });
    expect(await shell.run(['audit', 'verify'], env)).toMatchObject({ code: 0 });
    const exported = await shell.run(['audit', 'export', '--user', subject], env);
    expect(JSON.parse(exported.stdout.trim().split('\n').at(-1) ?? '')).toMatchObject({
      type: 'secret.purged',
      actor: { kind: 'SYSTEM', id: 'operator' },
    });
    const writer = openDatabaseWriter(gateway.databaseUrl);
    try {
      const principals = new Set((await writer.keptResults()).map(({ principal }) => principal));
      expect([...principals]).toEqual(['user:ada lovelace/1']);
    } finally {
      await writer.close();
    }
  });

  it('purges what the user creates, deletes and restores meanwhile, or says that something is left', async () => {
    const token = await gateway.issuer.token({ sub: 'busy' });
    await Promise.all(Array.from({ length: 60 }, () => create(token)));
    let isPurged = false;
    const writing = (async () => {
      while (!isPurged) {
        const id = await create(token);
        await gateway.run(updateSecret(), { input: { id, value: 'another value of it' } }, { token });
        await gateway.run(deleteSecret, { input: { id } }, { token });
      }
    })();
    const { code, stdout } = await purge('busy', '--yes').finally(() => {
      isPurged = true;
    });
    await writing;
    expect([0, 1]).toContain(code);
    expect(stdout).toMatch(/^\d+ secrets purged\./);
    // Nobody writes now.
    expect(await purge('busy', '--yes')).toMatchObject({ code: 0 });
    expect(await leftOf(token)).toEqual([0, 0]);
    expect(await shell.run(['audit', 'verify'], env)).toMatchObject({ code: 0 });
  });

  it('stopped by a signal says what is left, and goes on when it is run again', async () => {
    const token = await gateway.issuer.token({ sub: 'stopped' });
    await Promise.all(Array.from({ length: 200 }, () => create(token)));
    const running = shell.start(['purge', '--user', 'stopped', '--yes'], env);
    await expect.poll(async () => (await leftOf(token))[0], { timeout: 30_000, interval: 10 }).toBeLessThan(200);
    running.child.kill('SIGINT');
    const { code, stdout, stderr } = await running.exit;
    const [left = 0] = await leftOf(token);
    expect(code).toBe(left > 0 ? 1 : 0);
    if (left > 0) expect(stderr).toBe(`Stopped: ${left} secrets are left. Run it again to continue from here.\n`);
    expect(stdout).toContain(`${200 - left} secrets purged`);
    await purge('stopped', '--yes');
    expect(await leftOf(token)).toEqual([0, 0]);
  });

  it.skipIf(!hasPty)('at a terminal says how many there are and asks, and shows a bar', async () => {
    const token = await gateway.issuer.token({ sub: 'asked' });
    const id = await create(token);
    await create(token);
    await run(deleteSecret, { input: { id } }, token);
    const type = (typed: string) =>
      onTerminal(
        [join(root, 'node_modules/.bin/node'), join(root, 'bin/secrets-gateway.js'), 'purge', '--user', 'asked'],
        {
          cwd: shell.directory,
          env: { PATH: process.env.PATH ?? '', HOME: shell.directory, TERM: 'xterm', ...env },
          script: [['Purge 2 secrets of asked for good, with all earlier values? [y/N]', typed]],
        },
      );
    expect(await type('n\r')).toMatchObject({ code: 1, text: expect.stringContaining('Nothing was purged.') });
    expect((await type('\u0003')).code).toBe(130);
    expect(await leftOf(token)).toEqual([1, 1]);
    const { code, text } = await type('y\r');
    expect({ code, text }).toEqual({ code: 0, text: expect.stringMatching(/█.*2 of 2[\s\S]*2 secrets purged\./) });
    expect(await leftOf(token)).toEqual([0, 0]);
  });
});
