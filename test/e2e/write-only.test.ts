import {
  type GraphQLNamedType,
  type GraphQLOutputType,
  getNamedType,
  isLeafType,
  isObjectType,
  isUnionType,
} from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { schema } from '../../src/graphql/schema/schema.ts';
import { storeNames, TestGateway } from '../support/gateway.ts';
import { deleteSecret, updateSecret } from '../support/graphql.ts';

const inputs = {
  createSecret: (_id: string, name: string) => ({
    owner: { teamId: 'red' },
    name,
    notes: 'the notes',
    tags: ['a tag'],
  }),
  createSecrets: (_id: string, name: string) => ({
    owner: { teamId: 'red' },
    secrets: [{ name, notes: 'the notes', tags: ['a tag'] }],
  }),
  updateSecret: (id: string, name: string) => ({ id, name }),
  deleteSecret: (id: string) => ({ id }),
  rollbackSecret: (id: string) => ({ id, toVersion: 1 }),
  restoreSecret: (id: string) => ({ id }),
} as const;
type Mutation = keyof typeof inputs;
const mutations = Object.keys(inputs) as Mutation[];

/** Selections of a payload, and fragments that stand behind the operation. */
interface Selected {
  readonly payload: string;
  readonly fragments?: string;
  readonly of?: Mutation;
}
const secret = (selection: string, fragments = ''): Selected => ({ payload: `secret { ${selection} }`, fragments });

const forWriters: Record<string, Selected> = {
  'each field that it covers': secret('id placeholder name version createdAt updatedAt owner { __typename }'),
  'the ids of the owner': secret('owner { ... on User { id } ... on Team { id } ... on Connector { teamId id } }'),
  '__typename, wherever it is': {
    payload: '__typename secret { __typename owner { __typename ... on Team { __typename } } }',
  },
  'nothing of the secret': { payload: '__typename' },
  'the id of what was deleted': { payload: 'id', of: 'deleteSecret' },
  'warnings about what was sent': { payload: 'warnings { field type message }', of: 'createSecret' },
  'warnings about a change': { payload: 'warnings { type }', of: 'updateSecret' },
  'an alias with the name of a field for readers': secret('notes: name tags: id maskedValue: version'),
  'fragments of what it covers': secret(
    '...A',
    'fragment A on Secret { name ...B } fragment B on Secret { ... { id } }',
  ),
  'a literal that leaves the rest out': secret(
    'id notes @skip(if: true) tags @include(if: false) ... @include(if: false) { maskedValue } ...A @skip(if: true)',
    'fragment A on Secret { provider }',
  ),
};

const list = 'secrets { totalCount }';
const forReaders: Record<string, Selected> = {
  'a field under another name': secret('id: notes'),
  'a field in an inline fragment': secret('id ... { notes }'),
  'a field in an inline fragment on its type': secret('id ... on Secret { ... on Secret { notes } }'),
  'a field in a fragment': secret('id ...A', 'fragment A on Secret { notes }'),
  'a field in a fragment of a fragment': secret(
    'id ...A ...A',
    'fragment A on Secret { id ...B } fragment B on Secret { id ... @include(if: true) { id ...C } } fragment C on Secret { tags }',
  ),
  'a field in a fragment that is left out at first': secret(
    '...A @skip(if: true) ...A',
    'fragment A on Secret { notes }',
  ),
  'a field in the second of two equal selections': { payload: 'secret { id } secret { notes }' },
  'a secret under another name': { payload: 'id: secret { id } __typename x: secret { notes }' },
  'a field that literals let through': secret('notes @skip(if: false) @include(if: true)'),
  'a field that is left out in one place, and not in the other': secret('notes @skip(if: true) notes'),
  'a field that a variable lets through': secret('notes @include(if: $yes)'),
  'a field that a variable does not leave out': secret('notes @skip(if: $no)'),
  'a list of the owner': secret(`owner { ... on Team { ${list} } }`),
  'a list of the owner, beside what is covered': secret(`id owner { __typename ... on Team { id ${list} } }`),
  'a list of an owner of another kind': secret(`owner { ... on User { ${list} } }`),
  'a list that shows nothing': secret('owner { ... on Team { secrets(first: 0) { __typename } } }'),
  'a list of the owner in a fragment': secret(
    'owner { ...A }',
    `fragment A on Team { ...B } fragment B on Team { x: ${list} }`,
  ),
  'the list of the payload': { payload: list, of: 'createSecret' },
  'the list of the payload, under another name': { payload: `secret { id } secret2: ${list}`, of: 'createSecret' },
  'the list of the payload in a fragment': {
    payload: '...A',
    fragments: 'fragment A on CreateSecretPayload { secret { id } secrets { nodes { id } } }',
    of: 'createSecret',
  },
  'a payload in a fragment': {
    payload: '...A',
    fragments: 'fragment A on UpdateSecretPayload { ... on UpdateSecretPayload { secret { maskedValue } } }',
    of: 'updateSecret',
  },
};
// Fields that are added to the type later are for readers, unless somebody decides otherwise.
const covered = ['id', 'placeholder', 'name', 'owner', 'version', 'createdAt', 'updatedAt'];
const secretType = schema.getType('Secret');
for (const { name, type } of isObjectType(secretType) ? Object.values(secretType.getFields()) : []) {
  if (covered.includes(name)) continue;
  forReaders[`the field ${name}`] = secret(isLeafType(getNamedType(type)) ? name : `${name} { __typename }`);
}

const cases = (selections: Record<string, Selected>) =>
  Object.entries(selections).flatMap(([what, selected]) =>
    mutations
      .filter((mutation) => selected.of === undefined || selected.of === mutation)
      .map((mutation) => [mutation, what, selected] as const),
  );

/** Whether a selection of this type may get to a secret. */
function reachesSecret(type: GraphQLOutputType, seen = new Set<GraphQLNamedType>()): boolean {
  const named = getNamedType(type);
  if (seen.has(named)) return false;
  seen.add(named);
  if (named.name === 'Secret') return true;
  if (isUnionType(named)) return named.getTypes().some((one) => reachesSecret(one, seen));
  return isObjectType(named) && Object.values(named.getFields()).some((field) => reachesSecret(field.type, seen));
}

it('all mutations that answer with a secret, or with its id, are here', () => {
  const fields = Object.entries(schema.getMutationType()?.getFields() ?? {});
  // The scope of the first includes seeing what is delivered. The second has a scope of its own, and shows an id alone. The third
  // needs secrets:read. The last one needs secrets:use, and writes nothing of the secret: check-secret.test.ts.
  const others = ['resolveSecrets', 'purgeSecret', 'duplicateSecrets', 'checkSecret'];
  const all = fields.filter(([name]) => !others.includes(name));
  const ofSecrets = all.filter(([name, { type }]) => name.endsWith('Secret') || reachesSecret(type));
  expect(mutations.sort()).toEqual(ofSecrets.map(([name]) => name).sort());
  expect(ofSecrets.length).toBeLessThan(all.length);
});

describe.each(storeNames)('secrets:write without secrets:read, on %s', (store) => {
  let gateway: TestGateway;
  let count = 0;
  const tokens = new Map<string, string>();
  beforeAll(async () => {
    gateway = await TestGateway.start(store, { RATE_LIMIT: 'off' });
    for (const scope of ['secrets:write', 'secrets:read', 'secrets:read secrets:write', 'secrets:write keys:manage']) {
      tokens.set(scope, await gateway.issuer.token({ scope }));
    }
  });
  afterAll(() => gateway.close());

  /** A secret to change, and a mutation of it. */
  async function prepared(mutation: Mutation, { payload, fragments = '' }: Selected) {
    count += 1;
    const create = `mutation ($input: CreateSecretInput!) { createSecret(input: $input) { secret { id } } }`;
    const value = mutation === 'rollbackSecret' ? { value: 'the first value' } : {};
    const made = await gateway.run(create, { input: { ...inputs.createSecret('', `made ${count}`), ...value } });
    const { id } = made.data.createSecret.secret;
    if (mutation === 'rollbackSecret') await gateway.run(updateSecret(), { input: { id, value: 'the second value' } });
    if (mutation === 'restoreSecret') await gateway.run(deleteSecret, { input: { id } });
    const type = `${mutation.replace(/^./, (first) => first.toUpperCase())}Input`;
    const variables = ['yes', 'no']
      .filter((name) => payload.includes(`$${name}`))
      .map((name) => `, $${name}: Boolean!`);
    const selection = mutation === 'createSecrets' ? `items { ${payload} }` : payload;
    const query = `mutation ($input: ${type}!${variables.join('')}) { ${mutation}(input: $input) { ${selection} } } ${fragments}`;
    return (scope: string, input: object = inputs[mutation](id, `changed ${count}`)) =>
      gateway.run(query, { input, yes: true, no: false }, { token: tokens.get(scope) ?? '' });
  }

  async function allSecrets() {
    const query = '{ secrets(owner: { teamId: "red" }, first: 1000) { nodes { id name version notes updatedAt } } }';
    return (await gateway.run(query)).data.secrets.nodes;
  }

  it.each(cases(forWriters))('%s shows %s', async (mutation, _what, selected) => {
    const run = await prepared(mutation, selected);
    const before = await allSecrets();
    expect((await run('secrets:read')).errors[0]?.extensions.code).toBe('PERMISSION_ERROR');
    expect(await allSecrets()).toEqual(before);
    expect((await run('secrets:write')).errors).toEqual([]);
    expect(await allSecrets()).not.toEqual(before);
  });

  it.each(cases(forReaders))('%s does not show %s, and writes nothing', async (mutation, _what, selected) => {
    const run = await prepared(mutation, selected);
    const before = await allSecrets();
    for (const scope of ['secrets:write', 'secrets:write keys:manage', 'secrets:read']) {
      const { status, text, errors } = await run(scope);
      expect({ status, code: errors[0]?.extensions.code }).toEqual({ status: 403, code: 'PERMISSION_ERROR' });
      expect(text).not.toContain('the notes');
      if (scope !== 'secrets:read') expect(errors[0]?.extensions.description).toContain('secrets:read');
    }
    expect(await allSecrets()).toEqual(before);
    // With both scopes the same is answered, and is written.
    expect((await run('secrets:read secrets:write')).errors).toEqual([]);
    expect(await allSecrets()).not.toEqual(before);
  });

  it.each(mutations)(
    '%s is refused before it is told whether there is such a secret, and what is wrong with its input',
    async (mutation) => {
      const run = await prepared(mutation, secret('notes'));
      for (const id of ['0199f9a3-5bb0-7000-8000-000000000000', 'no id']) {
        const { errors } = await run('secrets:write', inputs[mutation](id, ''));
        expect(errors.map(({ extensions }) => extensions.code)).toEqual(['PERMISSION_ERROR']);
      }
    },
  );

  it('an update of nothing shows nothing', async () => {
    const run = await prepared('updateSecret', secret('notes tags maskedValue'));
    const [{ id }] = await allSecrets();
    const { text, data, errors } = await run('secrets:write', { id });
    expect(data ?? null).toBeNull();
    expect(errors[0]?.extensions.code).toBe('PERMISSION_ERROR');
    expect(text).not.toContain('the notes');
    expect((await run('secrets:read secrets:write', { id })).data.updateSecret.secret.notes).toBe('the notes');
  });
});
