import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { macOfEvent } from '../../src/crypto/event-mac.ts';
import { ownerKey } from '../../src/model/owner.ts';
import type { ChainWatch } from '../../src/store/audit.ts';
import { watchOwners } from '../../src/store/mongodb/watch-owners.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { Store } from '../../src/store/store.ts';
import type { StoreOptions } from '../../src/store/store-options.ts';
import { insert, newOwner, newRecord } from '../contract/fixtures.ts';
import { newDatabaseUrl, storeNames } from '../support/gateway.ts';
import { testKeyring } from '../support/keyring.ts';

describe.each(storeNames)('the watch of chains on %s', (name) => {
  let directory: string;
  let here: Store;
  let other: Store;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'watch-'));
    const url = newDatabaseUrl(name, directory);
    const options: StoreOptions = { macOfEvent: (of, event) => macOfEvent(of, event, testKeyring) };
    here = await openStore(url, options);
    other = await openStore(url, options);
  });
  afterAll(async () => {
    await here?.close();
    await other?.close();
    await rm(directory, { recursive: true, force: true });
  });

  /** Watches until this owner's chain has so many events. */
  function untilHead(store: Store, owner: string, sequence: number) {
    const { promise, resolve } = Promise.withResolvers<void>();
    const watch: ChainWatch = store.audit.watch({
      onGrown(of, head) {
        if (of === owner && head >= sequence) resolve();
      },
      async onUnknown() {
        const [found] = await store.audit.headsOf([owner]);
        if (found && found[1].sequence >= sequence) resolve();
      },
    });
    return { promise, watch };
  }

  it('tells what another process commits, and nothing once it is closed', async () => {
    const owner = newOwner();
    const first = untilHead(here, ownerKey(owner), 1);
    await other.commit([insert(newRecord(owner))]);
    await first.promise;
    await first.watch.close();
    const second = untilHead(here, ownerKey(owner), 3);
    await other.commit([insert(newRecord(owner)), insert(newRecord(owner))]);
    await second.promise;
    await second.watch.close();
  });

  it('reads the heads of some owners, without those that have no chain', async () => {
    const owners = [newOwner(), newOwner(), newOwner()];
    for (const owner of owners.slice(0, 2)) await here.commit([insert(newRecord(owner))]);
    const heads = await here.audit.headsOf(owners.map(ownerKey));
    expect(new Set(heads.map(([owner, { sequence }]) => `${owner} ${sequence}`))).toEqual(
      new Set(owners.slice(0, 2).map((owner) => `${ownerKey(owner)} 1`)),
    );
    expect(await here.audit.headsOf([])).toEqual([]);
  });
});

describe.skipIf(!inject('mongodbUri'))('without a change stream', () => {
  it('the watch asks for the heads again and again, until there is one', async () => {
    const client = new MongoClient(newDatabaseUrl('mongodb', ''));
    try {
      const owners = client.db().collection('owners');
      let refusals = 3;
      const refusing = new Proxy(owners, {
        get(target, property) {
          // What the server says to a user without the privilege, and it has no stage of this name.
          if (property === 'watch' && refusals-- > 0) return () => target.watch([{ $noStage: {} }]);
          const member = Reflect.get(target, property, target);
          return typeof member === 'function' ? member.bind(target) : member;
        },
      });
      let looks = 0;
      const grown = Promise.withResolvers<string>();
      const onUnknown = () => {
        looks += 1;
      };
      const watch = watchOwners(refusing as never, { onGrown: grown.resolve, onUnknown });
      while (refusals >= 0) await new Promise((resolve) => setTimeout(resolve, 10));
      expect(looks).toBeGreaterThan(0);
      let isTold = false;
      const write = async () => {
        while (!isTold) {
          await owners.updateOne({ _id: 'user:ada' as never }, { $inc: { auditSequence: 1 } }, { upsert: true });
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
      };
      const writing = write();
      expect(await grown.promise).toBe('user:ada');
      isTold = true;
      await writing;
      await watch.close();
    } finally {
      await client.close();
    }
  });
});
