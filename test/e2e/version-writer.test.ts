import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DatabaseWriter, openDatabaseWriter, type Row, versionParts } from '../support/database-writer.ts';
import { storeNames, TestGateway } from '../support/gateway.ts';
import { createSecret, updateSecret } from '../support/graphql.ts';

const rollback = 'mutation ($input: RollbackSecretInput!) { rollbackSecret(input: $input) { secret { id version } } }';

describe.each(storeNames)('somebody who writes earlier values to the database, on %s', (name) => {
  let gateway: TestGateway;
  let writer: DatabaseWriter;
  let ids: string[];
  /** Version 1 of the first secret, and versions 1 and 3 of the second. */
  let rows: Row[];

  beforeAll(async () => {
    gateway = await TestGateway.start(name, { LOG_LEVEL: 'debug', RATE_LIMIT: 'off' });
    writer = openDatabaseWriter(gateway.databaseUrl);
    const bob = await gateway.issuer.token({ sub: 'bob' });
    const run = async (query: string, input: object, token?: string) => {
      const answer = await gateway.run(query, { input }, token === undefined ? {} : { token });
      expect(answer.errors).toEqual([]);
      return answer.data;
    };
    // A version of each secret has a destination that no other version has.
    const to = (of: string) => ({ destination: { origin: `https://${of}.example` } });
    const create = async (owner: object, value: string, token?: string): Promise<string> =>
      (await run(createSecret(), { owner, name: 'n', value, ...to('first') }, token)).createSecret.secret.id;
    const first = await create({ teamId: 'red', connectorId: 'one' }, 'MARKER-first-value-of-one');
    await run(updateSecret(), { id: first, value: 'MARKER-second-value-of-one', ...to('second') });
    const second = await create({ teamId: 'red', connectorId: 'two' }, 'MARKER-1', bob);
    await run(updateSecret(), { id: second, notes: 'n' }, bob);
    await run(updateSecret(), { id: second, value: 'TOKEN-MARKER-third-version-of-two', ...to('third') }, bob);
    await run(updateSecret(), { id: second, value: 'MARKER-fourth-version-of-two', destination: null });
    ids = [first, second];
    rows = (await writer.versions()).toSorted((a, b) => key(a).localeCompare(key(b)));
    expect(
      rows.map(({ secret_id, sealed_version }) => [ids.indexOf(String(secret_id)), sealed_version]).sort(),
    ).toEqual([
      [0, 1],
      [1, 1],
      [1, 3],
    ]);
  });
  afterAll(async () => {
    await writer?.close();
    await gateway?.close();
  });

  const key = ({ secret_id, sealed_version }: Row) => `${ids.indexOf(String(secret_id))} ${sealed_version}`;
  const rowAt = (at: readonly number[]) => rows.find((row) => key(row) === at.join(' ')) ?? {};

  /** What rollbacks to each version that was ever there come to. */
  async function outcomes(): Promise<unknown[]> {
    const codes: unknown[] = [];
    for (const [id, toVersion] of [
      [ids[0], 1],
      [ids[0], 3],
      [ids[1], 1],
      [ids[1], 3],
    ] as const) {
      const { errors } = await gateway.run(rollback, { input: { id, toVersion } });
      codes.push(errors[0]?.extensions.code ?? 'rolled back');
    }
    return codes;
  }

  function exchanged(one: Row, other: Row, parts: readonly string[]): Row[] {
    const of = (row: Row) => Object.fromEntries(parts.map((part) => [part, row[part]]));
    const left = rows.filter((row) => row !== one && row !== other);
    return [...left, { ...one, ...of(other) }, { ...other, ...of(one) }];
  }

  const valueParts = versionParts.filter((part) => part.startsWith('sealed_') || part === 'envelope');
  const ways: string[][] = [
    ...versionParts.map((part) => [part]),
    ['sealed_tag', 'envelope'],
    [...valueParts],
    [...valueParts, 'masked_value'],
    [...valueParts.filter((part) => part !== 'sealed_version'), 'mac_kid', 'mac_tag'],
    [...valueParts.filter((part) => part !== 'sealed_version'), 'masked_value', 'mac_kid', 'mac_tag'],
    ['owner', 'secret_id'],
    ['owner', 'secret_id', 'mac_tag'],
  ];

  it.each([
    { whose: 'of two secrets', one: [0, 1], other: [1, 3] },
    { whose: 'of one secret', one: [1, 1], other: [1, 3] },
  ] as const)(
    'exchanges any part of two earlier values, $whose: neither is rolled back to, the secret stays as it was, and the log names it',
    async ({ one, other }) => {
      const [a, b] = [rowAt(one), rowAt(other)];
      const before = await writer.records(ids);
      let tried = 0;
      for (const parts of ways) {
        if (parts.every((part) => a[part] === b[part])) continue;
        await writer.replaceVersions(exchanged(a, b, parts));
        const logged = gateway.log.length;
        const codes = await outcomes();
        // The value that was left alone is rolled back to; the others are not.
        const left = one[0] === 0 ? [2] : [0, 1];
        const touched = codes.filter((_code, index) => !left.includes(index));
        expect({ parts, touched: touched.filter((code) => code === 'rolled back') }).toEqual({ parts, touched: [] });
        const isFound = codes.includes('INTERNAL_SERVER_ERROR');
        // One that has become another's need not be found.
        if (!parts.includes('owner') && !parts.includes('secret_id'))
          expect({ parts, isFound }).toEqual({ parts, isFound: true });
        expect(gateway.log.slice(logged).some((line) => line.includes('RecordRejected'))).toBe(isFound);
        await writer.replaceRecords(ids, before);
        tried += 1;
      }
      expect(tried).toBeGreaterThan(10);
      await writer.replaceVersions(rows);
      expect(await outcomes()).toEqual(Array(4).fill('rolled back'));
      await writer.replaceRecords(ids, before);
      await writer.replaceVersions(rows);
    },
  );

  it('moves earlier values to the places of another secret of the same owner: it gets no value but its own', async () => {
    const create = async (of: string) => {
      const owner = { teamId: 'red', connectorId: 'moved' };
      const { data } = await gateway.run(createSecret(), {
        input: { owner, name: of, value: `MARKER-earlier-of-${of}` },
      });
      const { id } = data.createSecret.secret;
      expect((await gateway.run(updateSecret(), { input: { id, value: `MARKER-later-of-${of}` } })).errors).toEqual([]);
      return String(id);
    };
    const [a, b] = [await create('a'), await create('b')];
    const place = name === 'sqlite' ? 'id' : '_id';
    const all = await writer.versions();
    const rowOf = (id: string) => all.find((row) => row.secret_id === id) ?? {};
    const moved = [
      { ...rowOf(a), [place]: rowOf(b)[place] },
      { ...rowOf(b), [place]: rowOf(a)[place] },
    ];
    await writer.replaceVersions([...all.filter((row) => row !== rowOf(a) && row !== rowOf(b)), ...moved]);
    for (const [id, of] of [[a, 'a'] as const, [b, 'b'] as const]) {
      await gateway.run(rollback, { input: { id, toVersion: 1 } });
      expect((await gateway.openValue(id)).value).toMatch(new RegExp(`^MARKER-(earlier|later)-of-${of}$`));
    }
    await writer.replaceVersions(rows);
  });

  it('finds no value in the database, the answers and the log', async () => {
    expect(await outcomes()).toEqual(Array(4).fill('rolled back'));
    const list = await gateway.run('query ($id: ID!) { secret(id: $id) { versions { version maskedValue } } }', {
      id: ids[1],
    });
    expect(list.errors).toEqual([]);
    const database = JSON.stringify([await writer.versions(), await writer.records(ids), await writer.events()]);
    const files = (await readdir(gateway.directory)).filter((file) => file.includes('.db'));
    const contents = await Promise.all(files.map((file) => readFile(join(gateway.directory, file), 'latin1')));
    for (const text of [list.text, database, gateway.log.join('\n'), ...contents]) {
      expect(text).not.toContain('MARKER-');
      expect(text).not.toContain(Buffer.from('MARKER-first-value').toString('base64url').slice(0, 10));
    }
  });
});
