import { getIntrospectionQuery } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RequestOptions, TestGateway } from '../../support/gateway.ts';
import { expectAllowed } from '../../support/limits.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await TestGateway.start('sqlite', { RATE_LIMIT: 'off' });
});
afterAll(() => gateway.close());

const run = (query: string, variables: Record<string, unknown> = {}, options: RequestOptions = {}) =>
  gateway.run(query, variables, options);

describe('introspection', () => {
  it('with the query of GraphiQL is answered', async () => {
    const query = getIntrospectionQuery({
      descriptions: true,
      specifiedByUrl: true,
      directiveIsRepeatable: true,
      schemaDescription: true,
      inputValueDeprecation: true,
      oneOf: true,
    });
    await expectAllowed(run(query));
    await expectAllowed(run(query, {}, { token: null }));
  });

  it.each([
    ['fields', '{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }'],
    [
      'fragments',
      '{ __schema { types { ...F } } } fragment F on __Type { fields { type { ...G } } } fragment G on __Type { fields { type { possibleTypes { fields { name } } } } }',
    ],
  ])('that is circular through %s is refused', async (_how, query) => {
    for (const token of [undefined, null]) {
      const { status, errors } = await run(query, {}, token === null ? { token } : {});
      expect(status).toBe(400);
      expect(errors[0]?.message).toBe('Maximum introspection depth exceeded');
      expect(errors[0]?.extensions.code).toBe('BAD_REQUEST');
    }
  });

  describe('in production', () => {
    let production: TestGateway;
    beforeAll(async () => {
      production = await TestGateway.start('sqlite', { NODE_ENV: 'production' });
    });
    afterAll(() => production.close());

    it.each([
      '{ __schema { queryType { name } } }',
      '{ __type(name: "Secret") { name } }',
      '{ ...F } fragment F on Query { a: __schema { types { name } } }',
    ])('is off: %s', async (query) => {
      const { status, errors, text } = await production.run(query);
      expect(status).toBe(400);
      expect(errors[0]?.message).toMatch(/^GraphQL introspection has been disabled/);
      expect(errors[0]?.extensions.code).toBe('BAD_REQUEST');
      expect(text).not.toContain('"data"');
    });

    it('off still allows __typename and _service, which other gateways need', async () => {
      const { data } = await production.run('{ __typename _service { sdl } }', {}, { token: null });
      expect(data.__typename).toBe('Query');
      expect(data._service.sdl).toContain('type Secret');
    });
  });
});
