import { afterAll, beforeAll, describe, it } from 'vitest';
import { type RequestOptions, TestGateway } from '../../support/gateway.ts';
import { expectAllowed, expectRefused, times } from '../../support/limits.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await TestGateway.start('sqlite', { RATE_LIMIT: 'off' });
});
afterAll(() => gateway.close());

const run = (query: string, variables: Record<string, unknown> = {}, options: RequestOptions = {}) =>
  gateway.run(query, variables, options);

describe('fragments', () => {
  const nestedSpread = (name: string, ...spreads: string[]) =>
    `fragment ${name} on Secret { owner { ... on Team { secrets { nodes { ${spreads.map((s) => `...${s}`)} } } } } }`;
  it.each([
    ['directly', '{ ...F } fragment F on Query { ...F }'],
    ['through another', '{ ...F } fragment F on Query { ...G } fragment G on Query { __typename ...F }'],
    [
      'below a field',
      '{ viewer { ...F } } fragment F on Viewer { teams { team { ...T } } } fragment T on Team { secrets { nodes { owner { ...T } } } }',
    ],
    ['where no operation spreads them', '{ __typename } fragment F on Query { ...G } fragment G on Query { ...F }'],
    // The validation of graphql-js overflows the stack here.
    [
      'in pairs',
      `{ secrets(first: 1) { nodes { ...F0 ...F1 } } } ${times(70, (i) => nestedSpread(`F${i}`, `F${(i + 1) % 70}`, `F${(i + 2) % 70}`))}`,
    ],
    [
      'in pairs where no operation spreads them',
      `{ __typename } ${times(70, (i) => nestedSpread(`F${i}`, `F${(i + 1) % 70}`, `F${(i + 2) % 70}`))}`,
    ],
  ])('that spread themselves %s are refused', async (_how, query) => {
    await expectRefused(run(query), 'fragment_cycle_error', /spread/);
  });

  const doubling = (type: string, last: string) =>
    `${times(100, (i) => `fragment F${i} on ${type} { ...F${i + 1} ...F${i + 1} }`)} fragment F100 on ${type} { ${last} }`;

  it('that spread the next one twice, 100 levels deep, are counted without a walk through every spread', async () => {
    // Such a walk would take 2^100 steps.
    await expectRefused(run(`{ ...F0 } ${doubling('Query', '__typename')}`), 'root_fields_limit_error', /20/);
    await expectRefused(run(`{ viewer { ...F0 } } ${doubling('Viewer', 'a: subject')}`), 'aliases_limit_error', /30/);
    await expectRefused(
      run(`{ viewer { ...F0 } } ${doubling('Viewer', 'subject @skip(if: false)')}`),
      'directives_limit_error',
      /30/,
    );
    await expectRefused(
      run(`{ secrets(first: 1000) { nodes { ...F0 } } } ${doubling('Secret', 'owner { __typename }')}`),
      'objects_limit_error',
      /150,000/,
    );
    await expectAllowed(run(`{ viewer { ...F0 } } ${doubling('Viewer', 'subject')}`));
  });
});
