import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { MongoClient } from 'mongodb';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { openStore } from '../../src/store/open-store.ts';
import { keyringOf, TestGateway } from '../support/gateway.ts';
import { Members } from '../support/members.ts';
import { mongodPath, withDatabase } from '../support/mongod.ts';
import { nothingFound, WriteLoad } from '../support/write-load.ts';

/** How often each fault happens. The long run is FAULTS=20 (CONTRIBUTING.md). */
const times = Number(process.env.FAULTS ?? 1);
const canRun = inject('mongodbUri') !== null && !process.env.MONGODB_URI && (await mongodPath()) !== undefined;

describe.skipIf(!canRun)('a gateway on three MongoDB members, while clients write', () => {
  let members: Members;
  let gateway: TestGateway;
  let databaseUrl: string;
  const sockets = new Set<Socket>();
  const watch = (message: unknown) => {
    const { socket } = message as { socket: Socket };
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  };

  beforeAll(async () => {
    members = await Members.start(3);
    databaseUrl = withDatabase(members.uri, 'faults');
    subscribe('net.client.socket', watch);
    gateway = await TestGateway.start('mongodb', { DATABASE_URL: databaseUrl, RATE_LIMIT: 'off', LOG_LEVEL: 'silent' });
  }, 120_000);
  afterAll(async () => {
    unsubscribe('net.client.socket', watch);
    await gateway?.close();
    await members?.close();
  });
  afterEach(async () => void (await members.primary()));

  const faults: Record<string, () => Promise<void>> = {
    async 'the primary steps down'() {
      await members.admin(await members.primary(), { replSetStepDown: 5, force: true }).catch(() => {});
    },
    async 'the primary is killed'() {
      const port = await members.primary();
      await members.kill(port);
      await members.primary();
      await members.restart(port);
    },
    async 'the primary stops, and is replaced before it goes on'() {
      const port = await members.primary();
      members.signal(port, 'SIGSTOP');
      await setTimeout(3000);
      members.signal(port, 'SIGCONT');
    },
    async 'a secondary is killed'() {
      const primary = await members.primary();
      const port = members.ports.find((one) => one !== primary) ?? 0;
      await members.kill(port);
      await members.restart(port);
    },
    async 'every connection is cut, ten times'() {
      for (let cut = 0; cut < 10; cut += 1) {
        for (const socket of sockets) if (members.ports.includes(socket.remotePort ?? 0)) socket.destroy();
        await setTimeout(50 * Math.random());
      }
    },
    async 'the replies to commits are lost'() {
      const port = await members.primary();
      const data = { appName: 'secrets-gateway', failCommands: ['commitTransaction'], closeConnection: true };
      await members.admin(port, { configureFailPoint: 'failCommand', mode: { times: 5 }, data });
    },
  };

  it.each(Object.keys(faults))(
    '%s: nothing is lost, doubled or half-written, and it heals',
    async (fault) => {
      for (let time = 0; time < times; time += 1) {
        const load = new WriteLoad((query, variables) => gateway.run(query, variables));
        load.start();
        await acknowledged(load, 40);
        await faults[fault]?.();
        await members.primary();
        // What comes after the fault is written by the same gateway.
        await acknowledged(load, load.acknowledged + 40);
        await load.stop();
        await expect
          .poll(async () => (await fetch(new URL('/readyz', gateway.url))).status, { timeout: 15_000 })
          .toBe(200);
        const store = await openStore(databaseUrl);
        expect(await load.findings(store, await keyringOf(gateway))).toMatchObject(nothingFound);
        await store.close();
      }
    },
    60_000 * times + 60_000,
  );

  it('the checker finds a write that is lost, doubled, or half there, and an error that is not promised', async () => {
    const load = new WriteLoad((query, variables) => gateway.run(query, variables), 1);
    load.start(2);
    await acknowledged(load, 20);
    await load.stop();
    const client = new MongoClient(databaseUrl);
    const [secrets, audit] = [client.db().collection('secrets'), client.db().collection('audit')];
    const owner = { owner: new RegExp(load.connectors[0] ?? '') };
    const store = await openStore(databaseUrl);
    const found = async () => load.findings(store, await keyringOf(gateway));
    expect(await found()).toMatchObject(nothingFound);
    const gone = await secrets.findOneAndDelete({ ...owner, version: 3 });
    expect(await found()).toMatchObject({ lost: [`${gone?._id}: create`], halfWritten: [expect.anything()] });
    const event = await audit.findOne({ ...owner, type: 'secret.created', secretId: { $ne: gone?._id } });
    await audit.insertOne({ ...event, _id: undefined, sequence: 1_000_000 } as object);
    expect((await found()).doubled).toEqual([`${event?.secretId}: create`]);
    await secrets.updateOne({ ...owner, version: 2 }, { $set: { version: 9 } });
    expect((await found()).halfWritten.length).toBeGreaterThan(1);
    await store.close();
    await client.close();
    const other = new WriteLoad((query) => gateway.run(query.replace('createSecret', 'makeSecret'), {}), 1);
    other.start(1);
    await other.stop();
    expect(other.untyped).toEqual([expect.stringContaining('400 BAD_REQUEST')]);
  });
});

function acknowledged(load: WriteLoad, count: number): Promise<void> {
  if (load.acknowledged >= count) return Promise.resolve();
  return new Promise((resolve) => {
    load.onAcknowledged = () => {
      if (load.acknowledged >= count) resolve();
    };
  });
}
