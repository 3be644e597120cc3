import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore } from '../../src/store/open-store.ts';
import type { Store } from '../../src/store/store.ts';
import { type DatabaseWriter, openDatabaseWriter } from '../support/database-writer.ts';
import { type GraphQLAnswer, storeNames } from '../support/gateway.ts';
import { createSecret, deleteSecret, updateSecret } from '../support/graphql.ts';
import { newName, Sealing } from '../support/sealing.ts';

const document = `query ($owner: OwnerInput! = {}, $value: String, $sealedValue: String) {
  matchesSecret(owner: $owner, value: $value, sealedValue: $sealedValue) { id name }
}`;
const scope = 'secrets:read secrets:write secrets:match keys:manage';
const mutation = (field: string) =>
  `mutation ($input: ${field[0]?.toUpperCase()}${field.slice(1)}Input!) { ${field}(input: $input) { secret { id } } }`;

describe.each(storeNames)('matchesSecret, on %s', (name) => {
  let sealing: Sealing;
  let store: Store;
  let writer: DatabaseWriter;

  beforeAll(async () => {
    sealing = await Sealing.start(name);
    store = await openStore(sealing.gateway.databaseUrl);
    writer = openDatabaseWriter(sealing.gateway.databaseUrl);
  });
  afterAll(async () => {
    await writer?.close();
    await store?.close();
    await sealing?.gateway.close();
  });

  /** Somebody with secrets and a budget of their own. */
  class Somebody {
    readonly subject = randomUUID();
    #token = '';

    static async new(claims: Record<string, unknown> = {}): Promise<Somebody> {
      const somebody = new Somebody();
      somebody.#token = await sealing.gateway.issuer.token({ sub: somebody.subject, scope, ...claims });
      return somebody;
    }

    run(query: string, variables: Record<string, unknown>): Promise<GraphQLAnswer> {
      return sealing.gateway.run(query, variables, { token: this.#token });
    }

    async create(value: string | null, input: Record<string, unknown> = {}): Promise<string> {
      const sent = { name: newName(), provider: 'aws', ...(value !== null && { value }), ...input };
      const { data, text } = await this.run(createSecret(), { input: sent });
      if (!data) throw new Error(text);
      return data.createSecret.secret.id;
    }

    async change(field: string, input: Record<string, unknown>): Promise<void> {
      const query =
        field === 'updateSecret' ? updateSecret() : field === 'deleteSecret' ? deleteSecret : mutation(field);
      expect((await this.run(query, { input })).errors).toEqual([]);
    }

    /** The ids of what matches, sorted. */
    async matches(value: string, owner: Record<string, unknown> = {}): Promise<string[]> {
      const { data, errors } = await this.run(document, { owner, value });
      expect(errors).toEqual([]);
      return data.matchesSecret.map(({ id }: { id: string }) => id).sort();
    }
  }

  it('finds the secrets that have the value now, in the order of their names', async () => {
    const ada = await Somebody.new();
    const [second, first] = [await ada.create('leaked', { name: 'B' }), await ada.create('leaked', { name: 'A' })];
    await ada.create('Leaked');
    await ada.create('leaked\n');
    const { data } = await ada.run(document, { value: 'leaked' });
    expect(data.matchesSecret).toEqual([
      { id: first, name: 'A' },
      { id: second, name: 'B' },
    ]);
    expect(await ada.matches('never seen')).toEqual([]);
  });

  it('follows updates, renames, rollbacks, deletions and restorations', async () => {
    const ada = await Somebody.new();
    const id = await ada.create('one');
    const expectValue = async (value: string | null) => {
      for (const each of ['one', 'two']) expect(await ada.matches(each)).toEqual(each === value ? [id] : []);
    };
    await expectValue('one');
    await ada.change('updateSecret', { id, value: 'two' });
    await expectValue('two');
    await ada.change('updateSecret', { id, name: newName(), notes: 'renamed' });
    await expectValue('two');
    await ada.change('rollbackSecret', { id, toVersion: 1 });
    await expectValue('one');
    await ada.change('deleteSecret', { id });
    await expectValue(null);
    await ada.change('restoreSecret', { id });
    await expectValue('one');
    const deleted = await sealing.gateway.run(
      mutation('purgeSecret').replace('secret { id }', 'id'),
      { input: { id } },
      { token: await sealing.gateway.issuer.token({ sub: ada.subject, scope }) },
    );
    expect(deleted.errors).toEqual([]);
    await expectValue(null);
  });

  it('finds a value whatever it is, to the byte', async () => {
    const ada = await Somebody.new();
    for (const value of ['é', 'e\u0301', '🙂', ' ', 'x'.repeat(65_536), 'a\u0000b', '["a",1]']) {
      const id = await ada.create(value);
      expect(await ada.matches(value)).toEqual([id]);
    }
  });

  it('tells nothing across owners: equal values of others are not found, and have nothing in common at rest', async () => {
    const teamId = randomUUID();
    const claims = { teams: [{ id: teamId, role: 'admin' }] };
    const [ada, bob] = [await Somebody.new(claims), await Somebody.new(claims)];
    const team = { teamId };
    const connector = { teamId, connectorId: 'c' };
    const ids = [
      await ada.create('shared'),
      await bob.create('shared'),
      await ada.create('shared', { owner: team }),
      await ada.create('shared', { owner: connector }),
    ];
    expect(await Promise.all([{}, team, connector].map((owner) => ada.matches('shared', owner)))).toEqual(
      [ids[0], ids[2], ids[3]].map((id) => [id]),
    );
    expect(await bob.matches('shared')).toEqual([ids[1]]);
    const digests = await Promise.all(ids.map((id) => digestOf(id)));
    expect(new Set(digests.map(({ digest }) => digest)).size).toBe(4);
    const { errors } = await bob.run(document, { owner: { teamId: 'blue' }, value: 'shared' });
    expect(errors[0]?.extensions.code).toBe('FORBIDDEN');
  });

  /** As the database has it. */
  async function digestOf(id: string) {
    const record = await store.find(id);
    const digest = record && (await store.digests.of(record.owner, [id])).get(id);
    if (!digest) throw new Error('it has no digest');
    return digest;
  }

  it('opens a value that was sealed for it, again too, and nothing that was sealed for a secret', async () => {
    const ada = await Somebody.new();
    const id = await ada.create('sealed one');
    const subject = ada.subject;
    const sealedValue = await sealing.seal('sealed one', { subject, use: 'match' });
    for (let times = 0; times < 2; times += 1) {
      expect((await ada.run(document, { sealedValue })).data.matchesSecret).toMatchObject([{ id }]);
    }
    for (const [header, type, told] of [
      [{ name: 'A' }, 'invalid_header', 'use'],
      [{ id }, 'invalid_header', 'use'],
      [{ use: 'match', owner: { teamId: 'red' } }, 'wrong_owner', 'owner'],
      [{ use: 'match', subject: 'bob' }, 'wrong_subject', 'subject'],
    ] as const) {
      const { errors } = await ada.run(document, {
        sealedValue: await sealing.seal('sealed one', { subject, ...header }),
      });
      expect(errors[0]?.extensions).toMatchObject({
        code: 'UNPROCESSABLE_CONTENT',
        errors: [{ field: 'sealedValue', loc: ['sealedValue'], type, message: expect.stringContaining(told) }],
      });
    }
    const { errors } = await ada.run(createSecret(), { input: { name: newName(), provider: 'p', sealedValue } });
    expect(errors[0]?.extensions).toMatchObject({ code: 'UNPROCESSABLE_CONTENT', errors: [{ type: 'wrong_name' }] });
  });

  it('takes exactly one value, which keeps the rules of values, and repeats none', async () => {
    const ada = await Somebody.new();
    const marker = randomUUID();
    for (const [variables, expected] of [
      [{}, [['value', 'required']]],
      [{ value: null, sealedValue: null }, [['value', 'required']]],
      [
        { value: marker, sealedValue: marker },
        [
          ['value', 'exclusive'],
          ['sealedValue', 'exclusive'],
        ],
      ],
      [{ value: '' }, [['value', 'required']]],
      [{ value: `\uD800${marker}` }, [['value', 'ill_formed']]],
      [{ value: marker.repeat(2000) }, [['value', 'too_long']]],
    ] as const) {
      const { text, errors } = await ada.run(document, variables);
      expect(errors[0]?.extensions.code).toBe('UNPROCESSABLE_ENTITY');
      expect(errors[0]?.extensions.errors?.map(({ field, type }) => [field, type])).toEqual(expected);
      expect(text).not.toContain(marker);
    }
    const bad = await ada.run(document, { sealedValue: marker });
    expect([bad.errors[0]?.extensions.code, bad.text.includes(marker)]).toEqual(['UNPROCESSABLE_CONTENT', false]);
  });

  it('needs both scopes, which is told before anything else, and comes by POST', async () => {
    for (const scope of ['secrets:read secrets:write', 'secrets:match', 'secrets:read secrets:resolve keys:manage']) {
      const caller = await Somebody.new({ scope });
      for (const variables of [{ value: 'v' }, {}, { value: 'v', sealedValue: 'v' }]) {
        const { errors, data } = await caller.run(document, variables);
        expect([errors[0]?.extensions.code, data ?? null]).toEqual(['PERMISSION_ERROR', null]);
      }
    }
    const url = (query: string) => `?query=${encodeURIComponent(query)}`;
    const token = await sealing.gateway.issuer.token({ scope });
    for (const query of [
      '{ matchesSecret(value: "v") { id } }',
      '{ __typename ...F } fragment F on Query { ... { m: matchesSecret(value: "v") { id } } }',
    ]) {
      const { status, headers, errors } = await sealing.gateway.send({ method: 'GET' }, { token }, url(query));
      expect([status, headers.get('allow'), errors[0]?.extensions.code]).toEqual([405, 'POST', 'METHOD_NOT_ALLOWED']);
      expect((await sealing.gateway.run(query, {}, { token })).errors).toEqual([]);
    }
    const known = await sealing.gateway.send(
      { method: 'GET' },
      { token },
      `${url(document)}&variables=${encodeURIComponent('{"value":"v"}')}`,
    );
    expect(known.status).toBe(405);
  });

  it('works 30 times a minute for each caller, whatever RATE_LIMIT says', async () => {
    const [ada, bob] = [await Somebody.new(), await Somebody.new()];
    const id = await ada.create('rare');
    for (let times = 0; times < 15; times += 1) await ada.matches('a guess');
    const both = document.replace(/\) \{$/m, ') {\n a: matchesSecret(value: $value) { id }');
    for (let times = 0; times < 7; times += 1) expect((await ada.run(both, { value: 'a guess' })).errors).toEqual([]);
    // What breaks a rule is compared with nothing.
    expect((await ada.run(document, {})).errors[0]?.extensions.code).toBe('UNPROCESSABLE_ENTITY');
    expect(await ada.matches('rare')).toEqual([id]);
    const { errors, text } = await ada.run(document, { value: 'rare' });
    expect(errors[0]?.extensions).toMatchObject({ code: 'TOO_MANY_REQUESTS', status: 429 });
    expect(errors[0]?.extensions.retryAfter).toBeGreaterThan(0);
    expect(text).not.toContain(id);
    expect(await bob.matches('rare')).toEqual([]);
  });

  it('believes no digest that something else wrote to the database', async () => {
    const ada = await Somebody.new();
    const [one, two] = [await ada.create('value one'), await ada.create('value two')];
    const digests = [await digestOf(one), await digestOf(two)];
    const expectBelieved = async (expected: [one: string[], two: string[]]) =>
      expect([await ada.matches('value one'), await ada.matches('value two')]).toEqual(expected);
    await expectBelieved([[one], [two]]);
    const [first, second] = digests;
    if (!first || !second) throw new Error('both have one');
    // Whole, and only what is compared.
    await writer.replaceDigests([one, two], [second, first]);
    await expectBelieved([[], []]);
    await writer.replaceDigests([two], [{ ...second, digest: first.digest }]);
    await writer.replaceDigests([one], [first]);
    await expectBelieved([[one], []]);
    await writer.replaceDigests([one, two], digests);
    await expectBelieved([[one], [two]]);
    // Under a key that is not there.
    await writer.replaceDigests([two], [{ ...second, kid: 'equality-of-somebody' }]);
    await expectBelieved([[one], []]);
    // The digest of an earlier value of the same secret, beside the record of today, and with the mark that it was for.
    await ada.change('updateSecret', { id: one, value: 'value three' });
    await writer.replaceDigests([one], [first]);
    await expectBelieved([[], []]);
    expect((await ada.run('query ($id: ID!) { secret(id: $id) { version } }', { id: one })).data.secret.version).toBe(
      2,
    );
  });

  it('leaves no digest in answers, logs, audit events and metrics', async () => {
    const ada = await Somebody.new();
    const id = await ada.create('hunted');
    const { digest, mac } = await digestOf(id);
    const everything = `{ secrets { nodes { id name maskedValue versions { maskedValue } } } auditEvents { nodes { hash purpose } } }`;
    const answers = [
      (await ada.run(document, { value: 'hunted' })).text,
      (await ada.run(everything, {})).text,
      await (await fetch(new URL('/metrics', sealing.gateway.url))).text(),
      sealing.gateway.log.join(''),
    ];
    for (const text of answers) for (const marker of [digest, mac]) expect(text).not.toContain(marker);
  });
});
