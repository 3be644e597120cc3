import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRecord } from '../../../src/crypto/record.ts';
import { readKeyring } from '../../../src/keyring/file.ts';
import { openStore } from '../../../src/store/open-store.ts';
import { type AttackAnswer, AttackedGateway, typeOf } from '../../support/attacked-gateway.ts';
import { createSecret } from '../../support/graphql.ts';
import { naughtyStrings } from '../naughty-strings.ts';

let gateway: AttackedGateway;
beforeAll(async () => {
  gateway = await AttackedGateway.start();
});
afterAll(() => gateway.close());

const create = createSecret('id name notes tags provider');

describe('naughty strings', () => {
  const input = (index: number) => ({ owner: { teamId: 'red' }, name: `name ${index} ${crypto.randomUUID()}` });
  /** Sends each string, eight at a time, and expects that none does harm. @returns the answer to each */
  async function each(
    what: string,
    send: (text: string, index: number) => Promise<AttackAnswer>,
  ): Promise<AttackAnswer[]> {
    const answers: AttackAnswer[] = [];
    await gateway.take();
    for (let at = 0; at < naughtyStrings.length; at += 8) {
      answers.push(...(await Promise.all(naughtyStrings.slice(at, at + 8).map((text, i) => send(text, at + i)))));
    }
    gateway.expectHarmless(`a naughty string ${what}`, await gateway.take(), naughtyStrings.length);
    return answers;
  }
  const created = ({ text }: AttackAnswer) => JSON.parse(text).data?.createSecret.secret;

  it.each<[string, (text: string) => object, (secret: Record<string, unknown>) => unknown, number]>([
    ['a name', (name) => ({ name }), ({ name }) => name, 60],
    ['a tag', (tag) => ({ tags: [tag] }), ({ tags }) => (tags as string[])[0], 60],
    ['a note', (notes) => ({ notes }), ({ notes }) => notes, 100],
    ['a provider', (provider) => ({ provider }), ({ provider }) => provider, 60],
  ])('as %s are stored unchanged in NFC, or refused by a rule', async (what, field, kept, atLeast) => {
    const answers = await each(`as ${what}`, (text, index) =>
      gateway.run(create, { input: { ...input(index), ...field(text) } }),
    );
    let accepted = 0;
    for (const [index, answer] of answers.entries()) {
      const secret = created(answer);
      if (!secret) expect(['validation_error', 'invalid_request_error', 'conflict_error']).toContain(typeOf(answer));
      else {
        accepted += 1;
        const text = naughtyStrings[index] ?? '';
        expect([text, text.normalize('NFC')]).toContain(kept(secret));
      }
    }
    expect(accepted).toBeGreaterThan(atLeast);
  });

  it('as values are sealed and opened unchanged, or refused by a rule', async () => {
    const answers = await each('as a value', (value, index) =>
      gateway.run(create, { input: { ...input(index), value } }),
    );
    const store = await openStore(`sqlite:${join(gateway.shell.directory, '.data/secrets.db')}`);
    const keyring = await readKeyring(join(gateway.shell.directory, '.data/keyring.json'));
    const refused: string[] = [];
    try {
      for (const [index, answer] of answers.entries()) {
        const secret = created(answer);
        if (secret) {
          const record = await store.findRecord(secret.id);
          if (!record) throw new Error('the store holds no value');
          expect(await openRecord(record, keyring)).toBe(naughtyStrings[index]);
        } else {
          expect(typeOf(answer)).toBe('validation_error');
          refused.push(naughtyStrings[index] ?? '');
        }
      }
    } finally {
      await store.close();
    }
    // Only the empty value, ill-formed values and the mask are refused.
    expect(refused).toEqual(naughtyStrings.filter((text) => text === '' || !text.isWellFormed() || text.includes('•')));
  });

  it.each<[string, string, (text: string) => unknown, string[]]>([
    ['an id', 'query ($id: ID!) { secret(id: $id) { name } }', (id) => ({ id }), ['validation_error']],
    [
      'a cursor',
      'query ($after: String) { secrets(after: $after) { totalCount } }',
      (after) => ({ after }),
      ['invalid_request_error'],
    ],
    [
      'a team',
      'query ($teamId: ID) { secrets(owner: { teamId: $teamId }) { totalCount } }',
      (teamId) => ({ teamId }),
      ['access_denied_error', 'validation_error'],
    ],
    [
      'a connector',
      'query ($connectorId: ID) { secrets(owner: { teamId: "red", connectorId: $connectorId }) { totalCount } }',
      (connectorId) => ({ connectorId }),
      ['validation_error'],
    ],
    [
      'a filter',
      'query ($t: String!) { secrets(filter: { name: $t, nameStartsWith: $t, provider: $t, tags: [$t], placeholder: $t }) { totalCount } }',
      (t) => ({ t }),
      ['validation_error'],
    ],
    [
      'a type of an entity',
      'query ($t: _Any!) { _entities(representations: [$t]) { __typename } }',
      (t) => ({ t: { __typename: t, id: t } }),
      [],
    ],
    [
      'an id of an entity',
      'query ($t: _Any!) { _entities(representations: [$t]) { ... on Secret { id } } }',
      (t) => ({ t: { __typename: 'Secret', id: t } }),
      [],
    ],
  ])('as %s find nothing, or are refused by a rule', async (what, query, variables, types) => {
    const answers = await each(`as ${what}`, (text) => gateway.run(query, variables(text)));
    for (const [index, answer] of answers.entries()) {
      // Empty text counts as left out there.
      if (naughtyStrings[index] === '' && (what === 'a cursor' || what === 'a filter')) continue;
      const { data } = JSON.parse(answer.text);
      const found = data && Object.values(data)[0];
      if (!found) {
        if (answer.status !== 200) expect(types).toContain(typeOf(answer));
        continue;
      }
      if (Array.isArray(found)) expect(found).toEqual([null]);
      else expect(found).toEqual({ totalCount: 0 });
    }
  });

  it.each(['operationName', 'query', 'variables', 'extensions'])('as %s are refused', async (parameter) => {
    const body = { query: '{ __typename }' };
    for (const answer of await each(`as ${parameter}`, (text) =>
      gateway.post(JSON.stringify({ ...body, [parameter]: text })),
    )) {
      if (answer.status !== 200) expect(typeOf(answer)).toMatch(/^(invalid_request|name_length_limit)_error$/);
      else expect(JSON.parse(answer.text)).toHaveProperty('data');
    }
  });
});
