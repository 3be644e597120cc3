import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { FaultyLink } from '../support/faulty-link.ts';
import { newDatabaseUrl, storeNames, TestGateway } from '../support/gateway.ts';
import { get } from '../support/http.ts';
import { type ReplicaSet, startReplicaSet, withDatabase } from '../support/mongod.ts';

const list = '{ secrets { totalCount } }';

const readiness = async (gateway: { url: string }) => {
  const { status, text } = await get(gateway, '/readyz');
  return { http: status, ...JSON.parse(text) };
};

describe.each(storeNames)('health on %s', (store) => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await TestGateway.start(store, { RATE_LIMIT: '1/1h' });
  });
  afterAll(() => gateway.close());

  it('is answered without credentials and without a rate limit', async () => {
    for (let i = 0; i < 20; i += 1) {
      const live = await get(gateway, '/livez');
      expect({ status: live.status, body: JSON.parse(live.text) }).toEqual({ status: 200, body: { status: 'ok' } });
      expect(live.headers.get('cache-control')).toBe('no-store');
      expect(await readiness(gateway)).toEqual({
        http: 200,
        status: 'ok',
        checks: { store: 'ok', keyring: 'ok', issuer: 'ok' },
      });
    }
  });

  it('is alive but not ready without its keyring, and ready with it again', async () => {
    const keyring = join(gateway.directory, 'keyring.json');
    await rename(keyring, `${keyring}.away`);
    try {
      expect(await readiness(gateway)).toEqual({
        http: 503,
        status: 'failed',
        checks: { store: 'ok', keyring: 'failed', issuer: 'ok' },
      });
      expect((await get(gateway, '/livez')).status).toBe(200);
    } finally {
      await rename(`${keyring}.away`, keyring);
    }
    expect((await get(gateway, '/readyz')).status).toBe(200);
  });
});

describe.runIf(storeNames.includes('mongodb'))('a gateway whose MongoDB cannot be reached', () => {
  let link: FaultyLink;
  let gateway: TestGateway;
  beforeAll(async () => {
    const [, hostname = '', port = ''] = /^mongodb:\/\/([^/:,]+):(\d+)/.exec(inject('mongodbUri') ?? '') ?? [];
    link = await FaultyLink.open({ host: hostname, port: Number(port) });
    const { pathname } = new URL(newDatabaseUrl('mongodb', ''));
    const url = `mongodb://127.0.0.1:${link.port}${pathname}?directConnection=true`;
    gateway = await TestGateway.start('mongodb', { DATABASE_URL: url, RATE_LIMIT: 'off' });
  });
  afterAll(async () => {
    await gateway.close();
    await link.close();
  });

  it('is alive, not ready, and says with each refusal when to retry', async () => {
    expect((await get(gateway, '/readyz')).status).toBe(200);
    link.fail('cut');
    const startedAt = performance.now();
    expect(await readiness(gateway)).toEqual({
      http: 503,
      status: 'failed',
      checks: { store: 'failed', keyring: 'ok', issuer: 'ok' },
      reasons: { store: 'unreachable' },
    });
    expect(performance.now() - startedAt).toBeLessThan(4000);
    expect((await get(gateway, '/livez')).status).toBe(200);
    const { status, headers, errors } = await gateway.run(list);
    expect(status).toBe(503);
    expect(errors[0]?.extensions).toMatchObject({
      code: 'SERVICE_UNAVAILABLE',
      type: 'unavailable_error',
      retryAfter: 1,
    });
    expect(headers.get('retry-after')).toBe('1');
    // Operations that need no store still work.
    expect((await gateway.run('{ viewer { subject } }')).data).toEqual({ viewer: { subject: 'ada' } });
  });

  it('is ready again once MongoDB is back', async () => {
    link.restore();
    await expect.poll(async () => (await get(gateway, '/readyz')).status, { timeout: 15_000, interval: 200 }).toBe(200);
    expect((await gateway.run(list)).status).toBe(200);
  });
});

describe.runIf(storeNames.includes('mongodb') && !process.env.MONGODB_URI)(
  'a gateway whose MongoDB has no primary',
  () => {
    let replicaSet: ReplicaSet;
    let admin: MongoClient;
    let gateway: TestGateway;
    beforeAll(async () => {
      replicaSet = await startReplicaSet();
      admin = new MongoClient(replicaSet.uri, { directConnection: true });
      gateway = await TestGateway.start('mongodb', { DATABASE_URL: withDatabase(replicaSet.uri, 'readyz') });
    });
    afterAll(async () => {
      await gateway?.close();
      await admin?.close();
      await replicaSet?.stop();
    });

    it('says so, although the driver looks for one for longer than the check waits, and is ready again after the election', async () => {
      const command = (document: object) => admin.db('admin').command(document);
      // Alone in its set: nobody replaces it before it may be elected again.
      await command({ replSetStepDown: 600, force: true });
      const notReady = {
        status: 'failed',
        checks: { store: 'failed', keyring: 'ok', issuer: 'ok' },
        reasons: { store: 'no-primary' },
      };
      // At first the connections may be closed that the old primary had.
      await expect.poll(() => readiness(gateway), { timeout: 20_000 }).toEqual({ http: 503, ...notReady });
      await command({ replSetFreeze: 0 });
      await expect.poll(async () => (await readiness(gateway)).status, { timeout: 20_000 }).toBe('ok');
    });
  },
);
