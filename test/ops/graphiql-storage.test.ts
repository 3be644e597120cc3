import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { keptOf } from '../../src/ops/graphiql-storage.ts';

const comments = ['# An example.'];
const ofQuery = (text: string) => keptOf(text, 'query', comments);
const ofVariables = (text: string) => keptOf(text, 'variables', comments);

describe('what GraphiQL keeps of a document', () => {
  it.each([
    '{ secrets { totalCount nodes { id name } } }',
    'query Page($first: Int = 10, $after: String) { secrets(first: $first, after: $after) { ...Part @include(if: true) } }',
    'query Mine { secrets(owner: { teamId: "demo", connectorId: "mail" }, filter: { name: "OPENAI_API_KEY" }) { totalCount } }',
    'fragment Part on SecretConnection { nodes { alias: name ... on Secret { id } } }',
    'mutation { deleteSecret(input: { id: "0a0de1d2-5d3f-4f6e-9f5c-52d0c4f7b1aa", expectedVersion: 2 }) { id } }',
    '# An example.\n{ secrets { totalCount',
    '',
  ])('is all of %j', (text) => {
    expect(ofQuery(text)).toBe(text);
  });

  it.each([
    [
      'a string where a value belongs',
      'mutation { createSecret(input: { name: "A_KEY", value: "hunter22" }) { secret { id } } }',
    ],
    [
      'a string where a name belongs, if it does not look like a name',
      '{ secrets(filter: { name: "hunter22" }) { totalCount } }',
    ],
    ['a value without quotes', 'mutation { createSecret(input: { value: hunter22 }) { secret { id } } }'],
    ['a string that does not end', 'mutation { createSecret(input: { value: "hunter22'],
    ['a block string', 'mutation { createSecret(input: { value: """a "hunter22" b""" }) { secret { id } } }'],
    ['a block string that does not end', '{ secrets(after: """a "hunter22'],
    ['a list', 'mutation { createSecret(input: { tags: ["hunter22", hunter22] }) { secret { id } } }'],
    ['a comment', '{ viewer { subject } } # hunter22'],
    ['a default of a variable', 'query ($value: String = "hunter22") { viewer { subject } }'],
    ['a value where a field belongs', '{ viewer { hunter22hunter22 } }'],
    ['a name of a variable', 'query ($hunter222: ID) { viewer { subject } }'],
    ['a key with signs', '{ viewer { subject } } sk-proj-hunter22'],
    ['a long number', '{ secrets(first: 22222222hunter22) { totalCount } }'],
  ])('is without %s', (_what, text) => {
    expect(ofQuery(text) ?? '').not.toContain(text.includes('hunter222') ? 'hunter222' : 'unter22');
  });
});

describe('what GraphiQL keeps of variables', () => {
  it('is their shape, names that look like names, ids and short numbers', () => {
    const text = JSON.stringify(
      {
        input: {
          id: '0a0de1d2-5d3f-4f6e-9f5c-52d0c4f7b1aa',
          owner: { teamId: 'demo', connectorId: 'mail' },
          name: 'OPENAI_API_KEY',
          provider: 'openai',
          value: '',
          tags: [],
          expectedVersion: 2,
          verify: true,
          notes: null,
        },
      },
      null,
      2,
    );
    expect(ofVariables(text)).toBe(text);
  });

  it('is nothing while they are no JSON', () => {
    expect(ofVariables('{ "value": "hunter22')).toBeNull();
  });

  it('is no value, wherever it stands', () => {
    const key = fc.constantFrom(
      'value',
      'name',
      'notes',
      'tags',
      'provider',
      'id',
      'teamId',
      'input',
      'after',
      'hunter2222',
    );
    const secret = fc.constantFrom(
      'sk-proj-0123456789',
      'hunter2222',
      'AKIA0123456789ABCDEF',
      'p@ss w0rd',
      '•••• hunter2222',
    );
    const json = fc.letrec((tie) => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        secret,
        fc.array(tie('tree'), { maxLength: 3 }),
        fc.dictionary(key, tie('tree'), { maxKeys: 4 }),
      ),
    })).tree;
    fc.assert(
      fc.property(json, (tree) => {
        expect(ofVariables(JSON.stringify(tree))).not.toMatch(/sk-proj|hunter2222|AKIA|p@ss/);
      }),
    );
  });
});
