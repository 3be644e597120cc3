import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newUsable, newUser, refusedBy, type Usable, type User, userKinds, useSecret } from '../support/broker.ts';
import { type DatabaseWriter, openDatabaseWriter, type Row } from '../support/database-writer.ts';
import { newRecipient, resolveSecrets } from '../support/deliveries.ts';
import { storeNames, TestGateway } from '../support/gateway.ts';
import { updateSecret } from '../support/graphql.ts';
import { Upstream } from '../support/upstream.ts';

/** In the order in which a destination is stored. */
const parts = ['origin', 'header', 'format', 'paths', 'byHand'] as const;

describe.each(storeNames)('somebody who writes to the database of the broker, on %s', (store) => {
  let gateway: TestGateway;
  let upstream: Upstream;
  let evil: Upstream;
  let writer: DatabaseWriter;

  beforeAll(async () => {
    gateway = await TestGateway.start(store, { RATE_LIMIT: 'off' });
    [upstream, evil] = await Promise.all([Upstream.start(), Upstream.start()]);
    writer = openDatabaseWriter(gateway.databaseUrl);
  });
  afterAll(async () => {
    await writer.close();
    await gateway.close();
    await Promise.all([upstream.close(), evil.close()]);
  });

  describe.each(userKinds)('whose secrets are used with %s', (kind) => {
    let user: User;
    let secrets: Usable[];
    let ids: string[];
    let records: Row[];

    beforeAll(async () => {
      user = await newUser(gateway, kind, 'secrets:read secrets:write secrets:use secrets:resolve');
      secrets = [
        await newUsable(gateway, user, upstream, { paths: ['/v1'] }),
        await newUsable(gateway, user, upstream, { header: 'X-Token', format: '{value}', paths: ['/v1', '/v2'] }),
      ];
      ids = secrets.map(({ id }) => id);
      // So that they differ in the version of the value, too.
      const destination = { origin: upstream.origin, header: 'X-Token', format: 'key {value}', paths: ['/v2', '/v1'] };
      const input = { id: ids[1], value: `${secrets[1]?.value} anew`, destination };
      expect((await gateway.run(updateSecret(), { input }, user.options)).errors).toEqual([]);
      records = await writer.records(ids);
    });
    beforeEach(async () => {
      upstream.arrived.length = 0;
    });

    const use = (selector: string, path: string) =>
      useSecret(gateway, selector + path, { headers: { 'proxy-authorization': `Bearer ${user.credential}` } });

    /** The codes of uses of both, by id and by placeholder, at every path that any destination here allows. */
    async function usedNow(): Promise<(string | null)[]> {
      const selectors = secrets.flatMap(({ id, placeholder }) => [id, placeholder]);
      const paths = ['/v1/ok', '/v2/ok', '/ok'];
      return Promise.all(
        selectors.flatMap((selector) => paths.map(async (path) => refusedBy(await use(selector, path)))),
      );
    }

    async function deliveredNow(): Promise<string[]> {
      const { publicJwk } = await newRecipient();
      const answers = await Promise.all(
        ids.map((id) => gateway.run(resolveSecrets(), { input: { ids: [id], recipient: publicJwk } }, user.options)),
      );
      return answers.map(({ errors }) => errors[0]?.extensions.code ?? 'delivered');
    }

    /** Writes these, and expects that nothing is used or delivered of the secrets at these positions. */
    async function expectUseless(what: string, rows: Row[], at = [0, 1]): Promise<void> {
      await writer.replaceRecords(ids, rows);
      const used = await usedNow();
      const delivered = await deliveredNow();
      await writer.replaceRecords(ids, records);
      const ofThese = at.flatMap((index) => used.slice(index * 6, index * 6 + 6));
      // A path may be refused before the record is opened: then nothing of it was used either.
      const codes = ['INTERNAL_SERVER_ERROR', 'UNPROCESSABLE_ENTITY'];
      expect([what, ofThese.filter((code) => !codes.includes(String(code)))]).toEqual([what, []]);
      expect([what, ofThese.includes('INTERNAL_SERVER_ERROR')]).toEqual([what, true]);
      expect([what, at.map((index) => delivered[index])]).toEqual([what, at.map(() => 'INTERNAL_SERVER_ERROR')]);
      const values = secrets.filter((_, index) => at.includes(index)).map(({ value }) => value);
      const heads = upstream.arrived.map(({ head }) => head);
      expect([what, heads.filter((head) => values.some((value) => head.includes(value)))]).toEqual([what, []]);
      expect([what, evil.connections]).toEqual([what, 0]);
    }

    const changed = (part: (typeof parts)[number], to: unknown): Row[] => {
      const [first = {}, ...others] = records;
      const stored = JSON.parse(String(first.destination)) as unknown[];
      expect(stored[parts.indexOf(part)]).not.toEqual(to);
      return [{ ...first, destination: JSON.stringify(stored.with(parts.indexOf(part), to)) }, ...others];
    };

    it('both are used before, and after what was there is put back', async () => {
      const both = [null, 'UNPROCESSABLE_ENTITY', 'UNPROCESSABLE_ENTITY'];
      const second = [null, null, 'UNPROCESSABLE_ENTITY'];
      const expected = [...both, ...both, ...second, ...second];
      expect(await usedNow()).toEqual(expected);
      await writer.replaceRecords(ids, records);
      expect(await usedNow()).toEqual(expected);
      expect(await deliveredNow()).toEqual(['delivered', 'delivered']);
    });

    it('changes one part of a destination: nothing is used or delivered, and the upstream sees nothing', async () => {
      for (const [part, to] of [
        ['origin', evil.origin],
        ['origin', upstream.origin.replace('http:', 'https:')],
        ['header', 'X-Other'],
        ['header', 'authorization'],
        ['format', '{value}'],
        ['format', 'Bearer {value} '],
        ['paths', null],
        ['paths', []],
        ['paths', ['/v1', '/v2']],
        ['paths', ['/']],
        ['byHand', false],
      ] as const) {
        await expectUseless(`${part} ${JSON.stringify(to)}`, changed(part, to), [0]);
      }
    });

    it('writes what is no destination, or removes it: nothing is used or delivered', async () => {
      const [first = {}, ...others] = records;
      for (const destination of ['', '[]', 'null', `["${evil.origin}"]`, '{"origin":"x"}']) {
        await expectUseless(destination, [{ ...first, destination }, ...others], [0]);
      }
      const { destination: _, ...without } = first;
      await writer.replaceRecords(ids, [without, ...others]);
      const codes = (await usedNow()).slice(0, 6);
      await writer.replaceRecords(ids, records);
      expect(codes.filter((code) => code === null)).toEqual([]);
      expect(upstream.arrived.filter(({ head }) => head.includes(secrets[0]?.value ?? ''))).toEqual([]);
    });

    it('exchanges a part of two secrets, or some: nothing of either is used or delivered', async () => {
      const [first = {}, second = {}] = records;
      const value = ['sealed_version', 'sealed_number', 'sealed_tag', 'sealed_at', 'sealed_by', 'envelope'];
      for (const exchanged of [
        ['name'],
        ['placeholder'],
        ['destination'],
        ['envelope'],
        ['version'],
        value,
        [...value, 'destination'],
        [...value, 'masked_value'],
        [...value, 'masked_value', 'destination', 'version', 'mac_kid', 'mac_tag'],
        ['mac_kid', 'mac_tag'],
        ['name', 'placeholder', 'mac_kid', 'mac_tag'],
        ['destination', 'mac_kid', 'mac_tag'],
      ]) {
        const of = (row: Row) => Object.fromEntries(exchanged.map((part) => [part, row[part]]));
        await expectUseless(exchanged.join(', '), [
          { ...first, ...of(second) },
          { ...second, ...of(first) },
        ]);
      }
    });

    it.runIf(store === 'sqlite')('keeps audit events from being written: nothing is used', async () => {
      const other = new DatabaseSync(gateway.databaseUrl.slice('sqlite:'.length));
      other.exec('BEGIN IMMEDIATE');
      const code = refusedBy(await use(ids[0] ?? '', '/v1/ok'));
      other.exec('ROLLBACK');
      other.close();
      expect([code, upstream.arrived]).toEqual(['SERVICE_UNAVAILABLE', []]);
    });

    it('both are used at the end as they were at the beginning', async () => {
      expect((await usedNow()).filter((code) => code === null)).toHaveLength(6);
      expect(evil.arrived).toEqual([]);
    });
  });
});
