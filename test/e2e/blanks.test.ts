import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { storeNames, TestGateway } from '../support/gateway.ts';
import { createSecret } from '../support/graphql.ts';

describe.each(storeNames)(
  'what a client does not have, and sends as empty text, counts as left out, on %s',
  (store) => {
    let gateway: TestGateway;
    beforeAll(async () => {
      gateway = await TestGateway.start(store);
      const input = { owner: { teamId: 'red' }, name: 'one', provider: 'openai', tags: ['a'] };
      expect((await gateway.run(createSecret(), { input })).errors).toEqual([]);
    });
    afterAll(() => gateway.close());

    const list = `query List($filter: SecretFilter, $after: String, $before: String) {
    secrets(owner: { teamId: "red" }, filter: $filter, after: $after, before: $before) { nodes { name } } }`;

    it.each<[string, object]>([
      ['operationName', { query: list, operationName: '' }],
      ['documentId', { query: list, documentId: '' }],
      ['variables', { query: list, variables: '' }],
      ['extensions', { query: list, extensions: '' }],
      ['all of them', { query: list, operationName: '', documentId: '', variables: '', extensions: '' }],
    ])('%s, in a body, in an array and in a URL', async (_what, body) => {
      const data = { secrets: { nodes: [{ name: 'one' }] } };
      expect((await gateway.send({ body: JSON.stringify(body) })).data).toEqual(data);
      const { text } = await gateway.send({ body: JSON.stringify([body]) });
      expect(JSON.parse(text)).toEqual([{ data }]);
      const url = `?${new URLSearchParams({ ...body } as Record<string, string>)}`;
      expect((await gateway.send({ method: 'GET' }, {}, url)).data).toEqual(data);
    });

    it.each<[string, object]>([
      ['after', { after: '' }],
      ['before', { before: '' }],
      ['name', { filter: { name: '' } }],
      ['nameStartsWith', { filter: { nameStartsWith: '' } }],
      ['provider', { filter: { provider: '' } }],
      ['placeholder', { filter: { placeholder: '' } }],
      ['tags', { filter: { tags: [''] } }],
      ['one tag of two', { filter: { tags: ['', 'a'] } }],
      [
        'all fields of a form',
        { after: '', before: '', filter: { name: '', provider: '', placeholder: '', tags: [] } },
      ],
    ])('%s of a list', async (_what, variables) => {
      const { data, errors } = await gateway.run(list, { ...variables });
      expect(errors).toEqual([]);
      expect(data).toEqual({ secrets: { nodes: [{ name: 'one' }] } });
    });

    it('an Accept header', async () => {
      const { status, headers } = await gateway.run(list, {}, { headers: { accept: '' } });
      expect([status, headers.get('content-type')]).toEqual([200, 'application/json; charset=utf-8']);
    });

    it('but not the owner: a secret that was meant for a team or a connector must not become another one’s', async () => {
      for (const owner of [{ teamId: '' }, { teamId: '', connectorId: '' }, { teamId: 'red', connectorId: '' }]) {
        const { errors } = await gateway.run(createSecret(), {
          input: { owner, name: 'NAME', provider: 'p', value: 'v' },
        });
        expect(errors).toHaveLength(1);
      }
    });

    it('a byte order mark before a body or in a document is ignored', async () => {
      const body = JSON.stringify({ query: `\uFEFF${list}` });
      const { data } = await gateway.send({ body: `\uFEFF${body}` });
      expect(data).toEqual({ secrets: { nodes: [{ name: 'one' }] } });
    });
  },
);
