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

describe('an operation may have at most', () => {
  it('2,000 tokens', async () => {
    const operations = (count: number) => times(count, (index) => `query Q${index} { __typename }`);
    const answer = (count: number, more = '') =>
      gateway.send({ body: JSON.stringify({ query: operations(count) + more, operationName: 'Q1' }) });
    await expectAllowed(answer(400));
    await expectRefused(answer(399, ' query Q { viewer __typename }'), 'tokens_limit_error', /2,000 tokens/);
  });

  it('524,288 characters', async () => {
    const document = (length: number) => '{ __typename } #'.padEnd(length, '.');
    await expectAllowed(run(document(524_288)));
    await expectRefused(run(document(524_289)), 'length_limit_error', /524,288 characters/);
  });

  it('255 characters in a name', async () => {
    const named = (length: number) => run(`query ${'Q'.repeat(length)} { viewer { ${'a'.repeat(length)}: subject } }`);
    await expectAllowed(named(255));
    await expectRefused(named(256), 'name_length_limit_error', /255 characters in a name/);
    await expectRefused(run(`{ viewer { subject @${'a'.repeat(256)} } }`), 'name_length_limit_error', /255/);
  });

  it('64 levels of brackets of any kind', async () => {
    const lists = (levels: number) => `{ secret(id: ${'['.repeat(levels)}${']'.repeat(levels)}) { id } }`;
    const { errors } = await run(lists(62));
    expect(errors[0]?.extensions.type).toBe('invalid_request_error');
    await expectRefused(run(lists(63)), 'depth_limit_error', /64 levels of brackets/);
    await expectRefused(run(`{ secret(id: ${'{ a: '.repeat(63)}`), 'depth_limit_error', /64 levels of brackets/);
    // Brackets in a string or in a comment do not count.
    await expectAllowed(run(`{ secrets(filter: { name: "${'['.repeat(100)}" }) { totalCount } } # ${'['.repeat(100)}`));
  });

  it('64 levels of arrays and objects in the body', async () => {
    const nested = (levels: number, text = '') => {
      const list = `${'['.repeat(levels)}${text}${']'.repeat(levels)}`;
      return gateway.send({ body: `{ "query": "query ($v: Int) { __typename }", "variables": { "v": ${list} } }` });
    };
    const { errors } = await nested(62);
    expect(errors[0]?.extensions.type).toBe('invalid_request_error');
    await expectRefused(nested(63), 'depth_limit_error', /64 levels of arrays and objects/);
    // Brackets in a string do not count, even behind an escaped quote.
    const text = JSON.stringify(`"${'['.repeat(100)}\\"\\\\`);
    expect((await nested(62, `${text},${text}`)).errors[0]?.extensions.type).toBe('invalid_request_error');
    await expectRefused(nested(62, `${text},[${text}]`), 'depth_limit_error', /64 levels/);
  });

  it('30,000 keys and items in its variables, on all levels together', async () => {
    const variables = (items: number) => ({ a: Array(items - 1).fill(null) });
    expect((await run('{ __typename }', variables(30_000))).data).toEqual({ __typename: 'Query' });
    await expectRefused(run('{ __typename }', variables(30_001)), 'variables_limit_error', /30,000 keys and items/);
    const nested = { a: { b: Array(15_000).fill({ c: 1 }) } };
    await expectRefused(run('{ __typename }', nested), 'variables_limit_error', /30,000 keys and items/);
  });
});
