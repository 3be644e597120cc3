import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AttackedGateway, typeOf } from '../../support/attacked-gateway.ts';
import { createSecret } from '../../support/graphql.ts';

let gateway: AttackedGateway;
beforeAll(async () => {
  gateway = await AttackedGateway.start();
});
afterAll(() => gateway.close());

const operators = [
  { $where: 'sleep(10000)' },
  { $ne: null },
  { $gt: '' },
  { $regex: '.*' },
  { $in: ['ada'] },
  JSON.parse('{"__proto__":{"polluted":true}}'),
  { constructor: { prototype: { polluted: true } } },
  { toString: 'x', valueOf: 'x', hasOwnProperty: 'x' },
];
const positions: [string, string, (operator: unknown) => unknown][] = [
  ['an id', 'query ($id: ID!) { secret(id: $id) { id } }', (id) => ({ id })],
  [
    'a team',
    'query ($owner: OwnerInput!) { secrets(owner: $owner) { totalCount } }',
    (teamId) => ({ owner: { teamId } }),
  ],
  ['an owner', 'query ($owner: OwnerInput!) { secrets(owner: $owner) { totalCount } }', (owner) => ({ owner })],
  [
    'a name to look for',
    'query ($f: SecretFilter) { secrets(filter: $f) { totalCount } }',
    (name) => ({ f: { name } }),
  ],
  [
    'tags to look for',
    'query ($f: SecretFilter) { secrets(filter: $f) { totalCount } }',
    (tag) => ({ f: { tags: [tag] } }),
  ],
  ['a cursor', 'query ($after: String) { secrets(after: $after) { totalCount } }', (after) => ({ after })],
  ['a size', 'query ($first: Int) { secrets(first: $first) { totalCount } }', (first) => ({ first })],
  ['a new name', createSecret(), (name) => ({ input: { name, provider: 'openai', value: 'v' } })],
  ['an input', createSecret(), (input) => ({ input })],
];

describe('operators and prototypes in variables', () => {
  it.each(positions)('as %s are refused as values of the wrong type', async (position, query, variables) => {
    const send = () => Promise.all(operators.map((operator) => gateway.run(query, variables(operator))));
    const check = (answers: Awaited<ReturnType<typeof send>>) => {
      for (const answer of answers) expect(typeOf(answer)).toBe('invalid_request_error');
    };
    await gateway.attack(`operators as ${position}`, send, check, operators.length);
  });

  it('as additional keys beside valid ones change nothing', async () => {
    const query = 'query ($first: Int) { secrets(first: $first) { totalCount nodes { name } } }';
    const before = await gateway.run(query, { first: 1 });
    for (const poison of [
      '"__proto__":{"first":1000,"polluted":true}',
      '"constructor":{"prototype":{"first":1000}}',
      '"$where":"1"',
    ]) {
      const body = `{"query":${JSON.stringify(query)},"variables":{"first":1,${poison}},"extensions":{${poison}}}`;
      expect((await gateway.post(body)).text).toBe(before.text);
    }
    expect((await gateway.run(query, { first: 1 })).text).toBe(before.text);
  });

  it('in a representation are not resolved as an entity', async () => {
    const query = 'query ($r: [_Any!]!) { _entities(representations: $r) { ... on Secret { name } } }';
    for (const operator of operators) {
      for (const r of [operator, { __typename: 'Secret', id: operator }, { __typename: operator, id: 'x' }]) {
        const { text } = await gateway.run(query, { r: [r] });
        const { data, errors } = JSON.parse(text);
        expect(data).toEqual({ _entities: [null] });
        expect(errors[0].extensions.code).toBe('BAD_REQUEST');
      }
    }
  });
});
