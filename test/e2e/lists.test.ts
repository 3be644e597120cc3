import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { storeNames, TestGateway } from '../support/gateway.ts';
import { createSecret } from '../support/graphql.ts';

const list = `
  query ($owner: OwnerInput!, $filter: SecretFilter, $first: Int, $after: String, $last: Int, $before: String) {
    secrets(owner: $owner, filter: $filter, first: $first, after: $after, last: $last, before: $before) {
      totalCount
      nodes { name }
      edges { cursor node { name } }
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    }
  }`;

const red = { teamId: 'red' };
const connector = { teamId: 'red', connectorId: 'c' };
const letters = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];

describe.each(storeNames)('a list on %s', (store) => {
  let gateway: TestGateway;
  let placeholder: string;

  beforeAll(async () => {
    gateway = await TestGateway.start(store, { RATE_LIMIT: 'off' });
    for (const owner of [red, connector]) {
      for (const name of letters.toReversed()) {
        const tags = ['all', ...(name < 'd' ? ['early'] : [])];
        const input = { owner, name: `n ${name}`, value: 'v', provider: name === 'a' ? 'one' : 'other', tags };
        const { data } = await gateway.run(createSecret('placeholder'), { input });
        if (name === 'b' && owner === red) placeholder = data.createSecret.secret.placeholder;
      }
    }
  });
  afterAll(() => gateway.close());

  const run = (variables: Record<string, unknown>) => gateway.run(list, { owner: red, ...variables });
  async function page(variables: Record<string, unknown>) {
    const { data, errors } = await run(variables);
    expect(errors).toEqual([]);
    const { nodes, edges, pageInfo, totalCount } = data.secrets;
    const names: string[] = nodes.map(({ name }: { name: string }) => name.slice(2));
    expect(edges.map((edge: { node: object }) => edge.node)).toEqual(nodes);
    expect(pageInfo.startCursor).toBe(edges.at(0)?.cursor ?? null);
    expect(pageInfo.endCursor).toBe(edges.at(-1)?.cursor ?? null);
    return {
      names,
      cursors: edges.map(({ cursor }: { cursor: string }) => cursor) as string[],
      ...pageInfo,
      totalCount,
    };
  }

  it('is in the order of names, and complete in one page', async () => {
    expect(await page({})).toMatchObject({
      names: letters,
      totalCount: 7,
      hasNextPage: false,
      hasPreviousPage: false,
    });
  });

  it.each([1, 2, 3, 6, 7, 8])('returns each secret once in forward pages of %i', async (first) => {
    const pages: string[][] = [];
    for (let after: string | null = null, more = true; more; ) {
      const { names, endCursor, hasNextPage, hasPreviousPage, totalCount } = await page({ first, after });
      expect([hasPreviousPage, totalCount]).toEqual([after !== null, 7]);
      pages.push(names);
      after = endCursor;
      more = hasNextPage;
    }
    expect(pages).toHaveLength(Math.ceil(7 / first));
    expect(pages.flat()).toEqual(letters);
  });

  it.each([1, 2, 3, 6, 7, 8])('returns each secret once in backward pages of %i', async (last) => {
    const pages: string[][] = [];
    for (let before: string | null = null, more = true; more; ) {
      const { names, startCursor, hasNextPage, hasPreviousPage, totalCount } = await page({ last, before });
      expect([hasNextPage, totalCount]).toEqual([before !== null, 7]);
      pages.unshift(names);
      before = startCursor;
      more = hasPreviousPage;
    }
    expect(pages).toHaveLength(Math.ceil(7 / last));
    expect(pages.flat()).toEqual(letters);
  });

  it('between two cursors leaves both out', async () => {
    const { cursors } = await page({});
    const between = { after: cursors[1], before: cursors[5] };
    expect((await page(between)).names).toEqual(['c', 'd', 'e']);
    expect(await page({ ...between, first: 2 })).toMatchObject({ names: ['c', 'd'], hasNextPage: true });
    expect(await page({ ...between, last: 2 })).toMatchObject({ names: ['d', 'e'], hasPreviousPage: true });
  });

  it('with an empty page has no cursors, and still says whether there are more secrets', async () => {
    const { cursors } = await page({});
    const none = { names: [], startCursor: null, endCursor: null, totalCount: 7 };
    expect(await page({ first: 0 })).toMatchObject({ ...none, hasNextPage: true, hasPreviousPage: false });
    expect(await page({ last: 0 })).toMatchObject({ ...none, hasNextPage: false, hasPreviousPage: true });
    expect(await page({ first: 0, after: cursors[6] })).toMatchObject({ ...none, hasNextPage: false });
    expect(await page({ first: 0, after: cursors[5] })).toMatchObject({ ...none, hasNextPage: true });
  });

  it('continues from a cursor after its secret was deleted', async () => {
    const input = { owner: red, name: 'n bb', value: 'v', tags: ['passing'] };
    await gateway.run(createSecret('placeholder'), { input });
    const found = await gateway.run('{ secrets(owner: { teamId: "red" }, filter: { name: "n bb" }) { nodes { id } } }');
    const { endCursor } = await page({ first: 3 });
    const { id } = found.data.secrets.nodes[0];
    await gateway.run('mutation ($id: ID!) { deleteSecret(input: { id: $id }) { id } }', { id });
    expect((await page({ first: 2, after: endCursor })).names).toEqual(['c', 'd']);
  });

  it('is filtered by each field, also in pages', async () => {
    const filtered = async (filter: object) => {
      const { names, totalCount } = await page({ filter });
      expect(totalCount).toBe(names.length);
      return names.join('');
    };
    expect(await filtered({ name: 'n d' })).toBe('d');
    expect(await filtered({ nameStartsWith: 'n ' })).toBe('abcdefg');
    expect(await filtered({ nameStartsWith: 'n g' })).toBe('g');
    expect(await filtered({ provider: 'one' })).toBe('a');
    expect(await filtered({ tags: ['early', 'all'] })).toBe('abc');
    expect(await filtered({ placeholder })).toBe('b');
    expect(await filtered({ tags: ['early'], provider: 'other' })).toBe('bc');
    expect(await filtered({ name: null, nameStartsWith: null, provider: null, tags: null, placeholder: null })).toBe(
      letters.join(''),
    );
    const filter = { tags: ['early'] };
    const first = await page({ filter, first: 2 });
    expect(first).toMatchObject({ names: ['a', 'b'], totalCount: 3, hasNextPage: true });
    const rest = await page({ filter, first: 2, after: first.endCursor });
    expect(rest).toMatchObject({ names: ['c'], totalCount: 3, hasNextPage: false });
  });

  it('refuses a cursor of another list: of another owner, of another filter, or without a filter', async () => {
    const filter = { tags: ['all'], provider: 'other', nameStartsWith: 'n', placeholder };
    const { endCursor } = await page({ filter });
    const token = await gateway.issuer.token({ sub: 'bob', teams: ['red'] });
    const foreign = await gateway.run(list, { owner: red, filter, after: endCursor }, { token });
    expect(foreign.errors).toEqual([]);
    const others = [
      { owner: connector, filter },
      { owner: {}, filter },
      {},
      { filter: { ...filter, tags: ['all', 'early'] } },
      { filter: { ...filter, tags: [] } },
      { filter: { ...filter, provider: 'one' } },
      { filter: { ...filter, provider: null } },
      { filter: { ...filter, nameStartsWith: 'n ' } },
      { filter: { ...filter, name: 'n b' } },
      { filter: { ...filter, placeholder: null } },
    ];
    for (const other of others) {
      for (const cursor of [{ after: endCursor }, { before: endCursor }]) {
        const { status, data, errors } = await run({ ...other, ...cursor });
        expect([status, data]).toEqual([400, null]);
        expect(errors).toMatchObject([
          { path: ['secrets'], extensions: { code: 'BAD_REQUEST', description: expect.stringContaining('cursor') } },
        ]);
      }
    }
  });

  it.each([
    [{ first: -1 }, 'first', 'range'],
    [{ first: 1001 }, 'first', 'range'],
    [{ last: -1 }, 'last', 'range'],
    [{ last: 1001 }, 'last', 'range'],
    [{ first: 1, last: 1 }, 'last', 'exclusive'],
    [{ filter: { tags: Array(51).fill('t') } }, 'tags', 'too_many'],
    [{ filter: { name: 'x'.repeat(8 * 255 + 1) } }, 'name', 'too_long'],
    [{ filter: { tags: ['\ud800'] } }, 'tags', 'ill_formed'],
    [{ owner: { connectorId: 'c' } }, 'teamId', 'required'],
  ])('422: %j', async (variables, field, type) => {
    const { status, errors } = await run(variables);
    expect(status).toBe(422);
    expect(errors[0]?.extensions.errors).toMatchObject([{ field, type }]);
  });

  it('accepts pages of up to 1,000, and filters of up to 50 tags', async () => {
    expect((await page({ first: 1000 })).names).toEqual(letters);
    expect((await page({ last: 1000 })).names).toEqual(letters);
    expect((await page({ filter: { tags: Array(50).fill('all') } })).names).toEqual(letters);
  });

  it('has 100 secrets in a page by default', async () => {
    const owner = { teamId: 'red', connectorId: 'many' };
    const createMany = (names: string[]) =>
      `mutation ($owner: OwnerInput!) { ${names
        .map((name) => `${name}: createSecret(input: { owner: $owner, name: "${name}", value: "v" }) { secret { id } }`)
        .join(' ')} }`;
    for (let n = 0; n < 101; n += 20) {
      const names = Array.from({ length: Math.min(20, 101 - n) }, (_, k) => `s${n + k}`);
      expect((await gateway.run(createMany(names), { owner })).errors).toEqual([]);
    }
    const { data } = await gateway.run(list, { owner });
    expect(data.secrets).toMatchObject({ totalCount: 101, nodes: { length: 100 }, pageInfo: { hasNextPage: true } });
  });
});
