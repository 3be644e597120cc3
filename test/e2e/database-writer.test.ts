import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type VerifyOptions, verifyChain } from '../../src/audit/verify-chain.ts';
import type { Keyring } from '../../src/crypto/keyring.ts';
import { openRecord, RecordRejected } from '../../src/crypto/record.ts';
import { rotateKeyring } from '../../src/keyring/change.ts';
import type { ChainHead } from '../../src/model/audit-event.ts';
import { type Owner, ownerKey } from '../../src/model/owner.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { Store } from '../../src/store/store.ts';
import {
  type DatabaseWriter,
  eventParts,
  openDatabaseWriter,
  type Row,
  recordParts,
} from '../support/database-writer.ts';
import { keyringOf, storeNames, TestGateway } from '../support/gateway.ts';
import { createSecret, updateSecret } from '../support/graphql.ts';

/** Each alone, and each with each other. */
function alonePairs<Part>(parts: readonly Part[]): Part[][] {
  return parts.flatMap((one, index) => [[one], ...parts.slice(index + 1).map((other) => [one, other])]);
}

/** The name alone: each pair takes long, and the hash has the name in one place with a label of its own. */
const eventExchanges = [...alonePairs(eventParts.filter((part) => part !== 'secret_name')), ['secret_name']];

/** Both rows with these parts exchanged between them. */
function exchanged([one = {}, other = {}]: readonly Row[], parts: readonly string[]): Row[] {
  const of = (row: Row) => Object.fromEntries(parts.map((part) => [part, row[part]]));
  return [
    { ...one, ...of(other) },
    { ...other, ...of(one) },
  ];
}

describe.each(storeNames)('somebody who writes to the database, on %s', (name) => {
  const owners: Owner[] = ['one', 'two'].map((connectorId) => ({ type: 'connector', teamId: 'red', connectorId }));
  let gateway: TestGateway;
  let writer: DatabaseWriter;
  let store: Store;
  let keyring: Keyring;
  /** Two secrets that differ in everything, in the key of their MACs too. */
  let ids: string[];
  let records: Row[];
  let events: Row[];
  let heads: Row[];

  beforeAll(async () => {
    gateway = await TestGateway.start(name);
    const run = async (query: string, input: object, token?: string) => {
      const answer = await gateway.run(query, { input }, token === undefined ? {} : { token });
      expect(answer.errors).toEqual([]);
      return answer.data;
    };
    const bob = await gateway.issuer.token({ sub: 'bob' });
    const create = async (connectorId: string, provider: string, token?: string) => {
      const owner = { teamId: 'red', connectorId };
      const input = { owner, name: `name of ${connectorId}`, value: `the value of ${connectorId}`, provider };
      return (await run(createSecret(), input, token)).createSecret.secret.id as string;
    };
    const first = await create('one', 'aws');
    await run(updateSecret(), { id: first, notes: 'the second version' });
    await rotateKeyring(join(gateway.directory, 'keyring.json'), 'mac');
    // The gateway reads the file again for this.
    expect((await fetch(new URL('/readyz', gateway.url))).status).toBe(200);
    const second = await create('two', 'openai', bob);
    await run(updateSecret(), { id: second, value: 'another value of two', expiresAt: '2031-01-01T00:00:00Z' }, bob);
    await run(updateSecret(), { id: second, notes: 'the third version' }, bob);

    ids = [first, second];
    writer = openDatabaseWriter(gateway.databaseUrl);
    store = await openStore(gateway.databaseUrl);
    keyring = await keyringOf(gateway);
    records = await writer.records(ids);
    events = await writer.events();
    heads = await writer.heads();
  });
  afterAll(async () => {
    await store.close();
    await writer.close();
    await gateway.close();
  });

  /** What a way out of the store meets at these two: a value, or a rejection. */
  async function opened(): Promise<unknown[]> {
    return Promise.all(
      ids.map(async (id) => {
        const record = await store.findRecord(id);
        return record && openRecord(record, keyring).catch((error: unknown) => error);
      }),
    );
  }

  const verdicts = (options: VerifyOptions[] = []) =>
    Promise.all(owners.map((owner, index) => verifyChain(store, owner, keyring, options[index])));
  const isFound = async () => (await verdicts()).some(({ valid }) => !valid);

  async function restore(): Promise<void> {
    await writer.replaceRecords(ids, records);
    await writer.replaceEvents(events);
    await writer.replaceHeads(heads);
  }

  async function expectSound(): Promise<void> {
    expect(await opened()).toEqual(['the value of one', 'another value of two']);
    expect(await isFound()).toBe(false);
  }

  it('changes nothing by putting back what was there', async () => {
    for (const part of recordParts)
      expect({ part, value: records[0]?.[part] }).not.toEqual({ part, value: records[1]?.[part] });
    await expectSound();
    await restore();
    await expectSound();
  });

  it('exchanges any part of two records, or any two: both are rejected before a value leaves', async () => {
    const missed: string[][] = [];
    for (const parts of alonePairs(recordParts)) {
      await writer.replaceRecords(ids, exchanged(records, parts));
      const isRejected = (outcome: unknown, index: number) =>
        outcome instanceof RecordRejected && outcome.secretId === ids[index];
      if (!(await opened()).every(isRejected)) missed.push(parts);
    }
    expect(missed).toEqual([]);
    await restore();
    await expectSound();
  });

  it('exchanges any part of two audit events, or any two, of one chain or of two: the chain shows it', async () => {
    const ofFirst = events.filter(({ owner }) => owner === ownerKey(owners[0] ?? { type: 'user', userId: '' }));
    const ofSecond = events.filter((event) => !ofFirst.includes(event));
    const between: [Row, Row][] = [
      // Different in everything.
      [ofFirst[0] ?? {}, ofSecond[1] ?? {}],
      [ofSecond[0] ?? {}, ofSecond[2] ?? {}],
    ];
    const missed: unknown[] = [];
    let tried = 0;
    for (const [one, other] of between) {
      for (const parts of eventExchanges) {
        if (parts.every((part) => one[part] === other[part])) continue;
        const forged = exchanged([one, other], parts);
        // An event that stands where one is moved to is overwritten.
        const isLeft = (event: Row) => event !== one && event !== other && !forged.some((to) => isAt(event, to));
        await writer.replaceEvents([...events.filter(isLeft), ...forged]);
        if (!(await isFound())) missed.push(parts);
        tried += 1;
      }
    }
    expect(missed).toEqual([]);
    expect(tried).toBeGreaterThan(130);
    await restore();
    await expectSound();
  });

  it('exchanges parts of two records and of their audit events: the records are rejected, and the chain shows it', async () => {
    const whose = events.map((event) => {
      const to = ids[1 - ids.indexOf(String(event.secret_id))];
      return { ...event, secret_id: to };
    });
    for (const part of recordParts) {
      await writer.replaceRecords(ids, exchanged(records, [part]));
      await writer.replaceEvents(whose);
      expect({ part, opened: await opened() }).toEqual({
        part,
        opened: [expect.any(RecordRejected), expect.any(RecordRejected)],
      });
      expect(await isFound()).toBe(true);
    }
    await restore();
    await expectSound();
  });

  it('cannot make what was exchanged valid by a change of it: that is an internal error, logged with its id, and writes nothing', async () => {
    for (const part of recordParts.filter((one) => one !== 'envelope')) {
      await writer.replaceRecords(ids, exchanged(records, [part]));
      for (const input of [
        { id: ids[0], notes: 'n' },
        { id: ids[1], value: 'yet another value', name: 'new' },
      ]) {
        const logged = gateway.log.length;
        const { errors, text } = await gateway.run(updateSecret(), { input });
        expect([part, errors[0]?.extensions.code]).toEqual([part, 'INTERNAL_SERVER_ERROR']);
        expect(text).not.toContain('MAC');
        const line = gateway.log.slice(logged).find((one) => one.includes('operation failed')) ?? '';
        expect(line).toContain(`"secretId":"${input.id}"`);
        expect(line).toContain('RecordRejected');
      }
      expect((await writer.events()).length).toBe(events.length);
    }
    await restore();
    await expectSound();
  });

  it('can delete, and the owner can delete what was exchanged', async () => {
    await writer.replaceRecords(ids, exchanged(records, ['placeholder']));
    const remove = 'mutation ($input: DeleteSecretInput!) { deleteSecret(input: $input) { id } }';
    expect((await gateway.run(remove, { input: { id: ids[0] } })).errors).toEqual([]);
    expect(await isFound()).toBe(false);
    await restore();
    await expectSound();
  });

  it('puts a whole older record back: it opens to the older value, and its last event has the MAC of another', async () => {
    const [first = ''] = ids;
    const { errors } = await gateway.run(updateSecret(), { input: { id: first, value: 'a newer value of one' } });
    expect(errors).toEqual([]);
    await writer.replaceRecords([first], records.slice(0, 1));
    expect((await opened())[0]).toBe('the value of one');
    const [owner] = owners;
    const last = owner && (await store.auditEvents(owner, 0, 100)).at(-1);
    expect(last?.secretId).toBe(first);
    expect(last?.recordMac).not.toBe((await store.findRecord(first))?.mac.tag);
  });

  it('puts the older chain and its head back as well: the heads that were logged show it', async () => {
    await writer.replaceEvents(events);
    await writer.replaceHeads(heads);
    await expectSound();
    // What was not logged within the last minute is logged when the gateway ends.
    await gateway.stop();
    const logged = owners.map((owner) => ({ heads: headsOf(gateway.log, ownerKey(owner)) }));
    expect(await verdicts(logged)).toEqual([
      { valid: false, sequence: 3, broken: 'missing' },
      { valid: true, head: logged[1]?.heads.at(-1) },
    ]);
  });
});

function isAt(event: Row, to: Row): boolean {
  return event.owner === to.owner && event.sequence === to.sequence;
}

/** The heads of this owner in the log of a gateway. */
function headsOf(log: readonly string[], owner: string): ChainHead[] {
  return log
    .filter((line) => line.includes('"msg":"audit heads"'))
    .flatMap((line) => (JSON.parse(line) as { heads: (ChainHead & { owner: string })[] }).heads)
    .filter((head) => head.owner === owner)
    .map(({ sequence, hash }) => ({ sequence, hash }));
}
