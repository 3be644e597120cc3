import { DatabaseSync } from 'node:sqlite';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { openStore } from '../../src/store/open-store.ts';
import { keyringOf, TestGateway } from '../support/gateway.ts';
import { LoadClient } from '../support/load-client.ts';
import { nothingFound, WriteLoad } from '../support/write-load.ts';
import { SqliteWay } from './load/sqlite-way.ts';
import { nothingWrong } from './load/way.ts';

describe('a gateway on SQLite, while clients write and read', () => {
  let way: SqliteWay;
  beforeAll(async () => {
    way = await SqliteWay.open();
  });
  afterAll(() => way.close());

  // The disk cannot be filled everywhere: see the test below.
  it.each(SqliteWay.kinds)(
    '%s: nothing is lost, doubled or half-written, and it goes on',
    async (kind) => {
      if (way.kinds.includes(kind)) expect(await way.inject(kind)).toMatchObject(nothingWrong);
    },
    60_000,
  );
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
    const client = { url: gateway.url, token: await gateway.issuer.token() };
    const load = new WriteLoad({ runs: Array.from({ length: 10 }, () => new LoadClient(client).run) });
    load.start();
    await load.until(({ acknowledged }) => acknowledged > 20);
    const { page_count: pages } = database?.prepare('PRAGMA page_count').get() ?? {};
    database?.exec(`PRAGMA max_page_count = ${Number(pages) + 2}`);
    await load.until(({ refused }) => refused > 10);
    expect((await gateway.run('{ secrets(owner: { teamId: "red" }) { totalCount } }')).status).toBe(200);
    database?.exec('PRAGMA max_page_count = 1000000');
    const last = load.acknowledged + 20;
    await load.until(({ acknowledged }) => acknowledged >= last);
    await load.stop();
    const store = await openStore(gateway.databaseUrl);
    // That a refusal is SERVICE_UNAVAILABLE with Retry-After is among it.
    expect(await load.findings(store, await keyringOf(gateway))).toMatchObject(nothingFound);
    await store.close();
  });
});
