import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RequestOptions, TestGateway } from '../../support/gateway.ts';
import { expectAllowed, expectRefused, times } from '../../support/limits.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await TestGateway.start('sqlite', { RATE_LIMIT: 'off' });
});
afterAll(() => gateway.close());

const run = (query: string, variables: Record<string, unknown> = {}, options: RequestOptions = {}) =>
  gateway.run(query, variables, options);

/** A document with this many levels, with lists of one secret each. */
function nested(levels: number): string {
  const fields = ['secrets(first: 1)', 'nodes', 'owner'];
  const leaf = { secrets: 'totalCount', nodes: 'id', owner: '__typename' };
  let document = '';
  let close = '';
  for (let level = 1; level < levels; level += 1) {
    const field = fields[(level - 1) % 3] ?? '';
    const cast = field === 'owner' && level < levels - 1 ? ' { ... on User {' : ' {';
    document += `${field}${cast} `;
    close += cast.replaceAll(/[^{]/g, '').replaceAll('{', ' }');
  }
  const last = (fields[(levels - 2) % 3] ?? '').replace(/\(.*/, '') as keyof typeof leaf;
  return `{ ${document}${leaf[last]}${close} }`;
}

describe('an operation may have at most', () => {
  it('16 levels of fields', async () => {
    await expectAllowed(run(nested(16)));
    await expectRefused(run(nested(17)), 'depth_limit_error', /16 levels/);
  });

  it('16 levels of fields, through fragments', async () => {
    const through = (leaf: string) => `
      { viewer { teams { team { ...Four } } } }
      fragment Four on Team { secrets(first: 1) { nodes { owner { ... on Team { ...Eight } } } } }
      fragment Eight on Team { secrets(first: 1) { nodes { owner { ... on Team { ...Twelve } } } } }
      fragment Twelve on Team { secrets(first: 1) { nodes { owner { ... on Team { secrets(first: 1) { ${leaf} } } } } } }`;
    await expectAllowed(run(through('totalCount')));
    await expectRefused(
      run(through('nodes { owner { ... on Team { secrets { totalCount } } } }')),
      'depth_limit_error',
      /16 levels/,
    );
  });

  it('20 fields at the root', async () => {
    const roots = (count: number) => times(count, (index) => `r${index}: viewer { subject }`);
    await expectAllowed(run(`{ ${roots(20)} }`));
    await expectRefused(run(`{ ${roots(21)} }`), 'root_fields_limit_error', /20 fields at the root/);
    await expectRefused(
      run(`{ ${roots(15)} ...F ... on Query { __typename } } fragment F on Query { ${roots(5)} }`),
      'root_fields_limit_error',
      /20 fields at the root/,
    );
  });

  it.each(['subject', '__typename'])('30 aliases of %s', async (field) => {
    const aliases = (count: number) => times(count, (index) => `a${index}: ${field}`);
    await expectAllowed(run(`{ viewer { ${aliases(30)} } }`));
    await expectRefused(run(`{ viewer { ${aliases(31)} } }`), 'aliases_limit_error', /30 aliases/);
  });

  it('30 aliases, each counted as often as its fragment is spread', async () => {
    const fragment = `fragment F on User { ${times(10, (index) => `a${index}: id`)} }`;
    const spreads = (count: number) => times(count, () => 'owner { ...F }');
    await expectAllowed(run(`{ secrets { nodes { ${spreads(3)} } } } ${fragment}`));
    await expectRefused(
      run(`{ secrets { nodes { ${spreads(4)} } } } ${fragment}`),
      'aliases_limit_error',
      /30 aliases/,
    );
  });

  it('30 directives', async () => {
    const directives = (count: number) => times(count, () => '... @include(if: true) { subject }');
    await expectAllowed(run(`{ viewer { ${directives(30)} } }`));
    await expectRefused(run(`{ viewer { ${directives(31)} } }`), 'directives_limit_error', /30 directives/);
    const onField = times(40, () => '@skip(if: false)');
    await expectRefused(run(`{ viewer { subject ${onField} } }`), 'directives_limit_error', /30 directives/);
    await expectRefused(run(`query ${onField} { __typename }`), 'directives_limit_error', /30 directives/);
  });

  it('50 fields that repeat one beside them', async () => {
    await expectAllowed(run(`{ viewer { ${'subject '.repeat(51)} } }`));
    await expectRefused(run(`{ viewer { ${'subject '.repeat(52)} } }`), 'repetitions_limit_error', /50 fields/);
    await expectRefused(
      run(`{ viewer { ${'... on Viewer { subject } '.repeat(52)} } }`),
      'repetitions_limit_error',
      /50 fields/,
    );
  });

  it('1,000 representations', async () => {
    const entities = 'query ($r: [_Any!]!) { _entities(representations: $r) { __typename } }';
    const r = (count: number) => Array(count).fill({ __typename: 'User', id: 'ada' });
    await expectAllowed(run(entities, { r: r(1000) }));
    await expectRefused(
      run(entities, { r: r(1001) }).then((answer) => ({ ...answer, text: '' })),
      'representations_limit_error',
      /1,?000 representations/,
    );
  });
});

it.each([
  '{ then: viewer { subject } }',
  '{ viewer { then: subject } }',
  '{ ...F } fragment F on Query { then: __typename }',
])('an alias that would make an object look like a promise is refused: %s', async (query) => {
  const { status, errors } = await run(query);
  expect([status, errors[0]?.extensions.type]).toEqual([400, 'invalid_request_error']);
  expect(errors[0]?.message).toMatch(/alias/);
});
