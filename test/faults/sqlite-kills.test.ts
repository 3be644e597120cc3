import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { readKeyring } from '../../src/keyring/file.ts';
import { openStore } from '../../src/store/open-store.ts';
import { CommandLine } from '../support/command-line.ts';
import { type GraphQLAnswer, keyringOf, TestGateway } from '../support/gateway.ts';
import { nothingFound, WriteLoad } from '../support/write-load.ts';

/** The long run is FAULTS=20 (CONTRIBUTING.md). */
const kills = 4 * Number(process.env.FAULTS ?? 1);

describe('a gateway on SQLite that is killed while it writes', () => {
  let terminal: CommandLine;
  beforeAll(async () => {
    terminal = await CommandLine.open();
  });
  afterAll(() => terminal.close());

  it(
    `has lost, doubled and half-written nothing when it is started again: ${kills} times`,
    async () => {
      for (let kill = 0; kill < kills; kill += 1) {
        const gateway = await terminal.serve({ RATE_LIMIT: 'off', LOG_LEVEL: 'info' });
        const load = new WriteLoad((query, variables) => ask(gateway.url, gateway.token, query, variables), 4, 'demo');
        const last = randomInt(5, 60);
        const reached = new Promise<void>((resolve) => {
          load.onAcknowledged = () => load.acknowledged >= last && resolve();
        });
        load.start();
        await reached;
        await gateway.stop('SIGKILL');
        await load.stop();
        // As the next gateway opens it, which first takes back what was not committed.
        const store = await openStore(`sqlite:${join(terminal.directory, '.data/secrets.db')}`, { mayBeBlank: false });
        const findings = await load.findings(store, await readKeyring(join(terminal.directory, '.data/keyring.json')));
        await store.close();
        expect(findings).toMatchObject({ lost: [], doubled: [], halfWritten: [] });
        expect(findings.made).toBeGreaterThanOrEqual(last);
      }
    },
    20_000 * kills,
  );

  async function ask(url: string, token: string, query: string, variables: object): Promise<GraphQLAnswer> {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ query, variables }),
    });
    const text = await response.text();
    const { data, errors = [] } = JSON.parse(text);
    return { status: response.status, headers: response.headers, text, data, errors };
  }
});

describe('a gateway on SQLite whose disk is full while it writes', () => {
  let gateway: TestGateway;
  const opened = new Set<DatabaseSync>();
  beforeEach(async () => {
    const { exec } = DatabaseSync.prototype;
    vi.spyOn(DatabaseSync.prototype, 'exec').mockImplementation(function (this: DatabaseSync, sql) {
      opened.add(this);
      return exec.call(this, sql);
    });
    gateway = await TestGateway.start('sqlite', { RATE_LIMIT: 'off', LOG_LEVEL: 'silent' });
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    await gateway.close();
  });

  it('refuses writes as SERVICE_UNAVAILABLE, goes on reading, and writes again when there is space', {
    timeout: 60_000,
  }, async () => {
    const [database] = opened;
    const load = new WriteLoad((query, variables) => gateway.run(query, variables));
    const refused: GraphQLAnswer[] = [];
    const watched = new WriteLoad(async (query, variables) => {
      const answer = await gateway.run(query, variables);
      if (answer.status !== 200) refused.push(answer);
      return answer;
    });
    load.start(4);
    watched.start(4);
    await expect.poll(() => load.acknowledged, { timeout: 15_000 }).toBeGreaterThan(20);
    const { page_count: pages } = database?.prepare('PRAGMA page_count').get() ?? {};
    database?.exec(`PRAGMA max_page_count = ${Number(pages) + 2}`);
    await expect.poll(() => refused.length, { timeout: 15_000 }).toBeGreaterThan(10);
    expect((await gateway.run('{ secrets(owner: { teamId: "red" }) { totalCount } }')).status).toBe(200);
    for (const { status, headers } of refused) expect([status, headers.get('retry-after')]).toEqual([503, '1']);
    database?.exec('PRAGMA max_page_count = 1000000');
    const before = load.acknowledged;
    await expect.poll(() => load.acknowledged, { timeout: 15_000 }).toBeGreaterThan(before + 20);
    await load.stop();
    await watched.stop();
    const store = await openStore(gateway.databaseUrl);
    const keyring = await keyringOf(gateway);
    expect(await load.findings(store, keyring)).toMatchObject(nothingFound);
    expect(await watched.findings(store, keyring)).toMatchObject(nothingFound);
    await store.close();
  });
});
