import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestGateway } from '../../support/gateway.ts';
import { expectRefused } from '../../support/limits.ts';

describe('with PERSISTED_OPERATIONS', () => {
  const hash = 'ecf4edb46db40b5132295c0291d62fb65d6759a9eedfa4d5d612dd5ec54a6b38';
  let directory: string;
  let known: TestGateway;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'operations-'));
    const operations = {
      Subject: 'query Subject { viewer { subject } }',
      [hash]:
        'query Page($first: Int) { secrets(first: $first) { nodes { owner { ... on User { secrets(first: $first) { nodes { id } } } } } } }',
      Delete: 'mutation Delete($id: ID!) { deleteSecret(input: { id: $id }) { id } }',
    };
    await writeFile(join(directory, 'operations.json'), JSON.stringify(operations), { mode: 0o644 });
    known = await TestGateway.start('sqlite', { PERSISTED_OPERATIONS: join(directory, 'operations.json') });
  });
  afterAll(async () => {
    await known.close();
    await rm(directory, { recursive: true });
  });

  const post = (body: unknown) => known.send({ body: JSON.stringify(body) });
  const get = (parameters: Record<string, string>) =>
    known.send({ method: 'GET' }, {}, `?${new URLSearchParams(parameters)}`);
  const persistedQuery = (sha256Hash: string) => ({ persistedQuery: { version: 1, sha256Hash } });

  it('runs the operation of a documentId', async () => {
    expect((await post({ documentId: 'Subject' })).data).toEqual({ viewer: { subject: 'ada' } });
    expect((await get({ documentId: 'Subject' })).data).toEqual({ viewer: { subject: 'ada' } });
  });

  it('runs the operation of a hash, as Apollo clients send it, with its variables', async () => {
    const extensions = persistedQuery(hash);
    const variables = { first: 1 };
    expect((await post({ extensions, variables })).data).toEqual({ secrets: { nodes: [] } });
    const inUrl = { extensions: JSON.stringify(extensions), variables: JSON.stringify(variables) };
    expect((await get(inUrl)).data).toEqual({ secrets: { nodes: [] } });
  });

  it('runs them in a batch', async () => {
    const { text } = await post([{ documentId: 'Subject' }, { documentId: 'Other' }]);
    expect(JSON.parse(text)).toMatchObject([
      { data: { viewer: { subject: 'ada' } } },
      { errors: [{ extensions: { type: 'unknown_operation_error' } }] },
    ]);
  });

  it.each<[string, unknown]>([
    ['an unknown documentId', { documentId: 'Other' }],
    ['an unknown hash', { extensions: persistedQuery('0'.repeat(64)) }],
    ['a name that every object has', { documentId: 'constructor' }],
  ])('refuses %s with the code and the message that clients look for', async (_what, body) => {
    const { status, errors } = await post(body);
    expect(status).toBe(400);
    expect(errors[0]?.message).toBe('PersistedQueryNotFound');
    expect(errors[0]?.extensions).toMatchObject({ code: 'PersistedQueryNotFound', type: 'unknown_operation_error' });
  });

  it.each<[string, unknown]>([
    ['an id that is not a string', { documentId: ['Subject'] }],
    ['the text of an operation', { query: '{ __typename }' }],
    ['the text of a known operation', { query: 'query Subject { viewer { subject } }' }],
    ['text beside a known id', { documentId: 'Subject', query: '{ __typename }' }],
    ['text beside a known hash', { extensions: persistedQuery(hash), query: '{ __typename }' }],
    ['nothing', {}],
  ])('refuses %s', async (_what, body) => {
    const { status, errors } = await post(body);
    expect(status).toBe(400);
    expect(errors[0]?.extensions).toMatchObject({ code: 'BAD_REQUEST', status: 400, type: 'unknown_operation_error' });
    expect(errors[0]?.message).toBe('Only known operations are accepted.');
  });

  it('applies the limits and the allowed methods to them too', async () => {
    await expectRefused(post({ documentId: hash, variables: { first: 1000 } }), 'objects_limit_error', /150,000/);
    const variables = JSON.stringify({ id: crypto.randomUUID() });
    expect((await get({ documentId: 'Delete', variables })).status).toBe(405);
  });

  it.each([
    ['does not exist', undefined, /no such file/],
    ['is not JSON', '{', /is not JSON/],
    ['is null', 'null', /is not a JSON object/],
    ['is text', '"{ __typename }"', /is not a JSON object/],
    ['is a list', '["{ __typename }"]', /is not a JSON object/],
    ['has a string that is not GraphQL', '{"Broken":"query {"}', /"Broken" is not GraphQL/],
    ['has an item that is not a string', '{"Number":1}', /"Number" is not GraphQL/],
    ['is a manifest of another format', '{"format":"other","version":1,"operations":[]}', /"format" is not/],
    [
      'is a manifest of another version',
      '{"format":"apollo-persisted-query-manifest","version":2,"operations":[]}',
      /"version" is not 1/,
    ],
    [
      'is a manifest without operations',
      '{"format":"apollo-persisted-query-manifest","version":1}',
      /"operations" are not a list/,
    ],
    [
      'is a manifest with an operation without id',
      '{"format":"apollo-persisted-query-manifest","version":1,"operations":[{"body":"{ __typename }"}]}',
      /operation 1 has no "id"/,
    ],
    [
      'is a manifest with two documents of one id',
      '{"format":"apollo-persisted-query-manifest","version":1,"operations":[{"id":"a","body":"{ __typename }"},{"id":"a","body":"{ viewer { subject } }"}]}',
      /"a" is there twice/,
    ],
  ])('a file that %s is refused at start', async (_what, content, message) => {
    const path = join(directory, `${crypto.randomUUID()}.json`);
    if (content !== undefined) await writeFile(path, content, { mode: 0o644 });
    const start = TestGateway.start('sqlite', { PERSISTED_OPERATIONS: path });
    await expect(start).rejects.toThrow(/^PERSISTED_OPERATIONS\b/);
    await expect(start).rejects.toThrow(message);
  });
});

describe('with a manifest of Apollo’s tools', () => {
  it('runs the operation of its id, also after a byte order mark', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'operations-'));
    const body = 'query Subject { viewer { subject } }';
    const manifest = {
      format: 'apollo-persisted-query-manifest',
      version: 1,
      operations: [{ id: 'f00d', name: 'Subject', type: 'query', body }],
    };
    const path = join(directory, 'persisted-query-manifest.json');
    await writeFile(path, `\uFEFF${JSON.stringify(manifest)}`, { mode: 0o644 });
    const gateway = await TestGateway.start('sqlite', { PERSISTED_OPERATIONS: path });
    try {
      const extensions = { persistedQuery: { version: 1, sha256Hash: 'f00d' } };
      const { data } = await gateway.send({ body: JSON.stringify({ operationName: 'Subject', extensions }) });
      expect(data).toEqual({ viewer: { subject: 'ada' } });
    } finally {
      await gateway.close();
      await rm(directory, { recursive: true });
    }
  });
});

describe('without PERSISTED_OPERATIONS', () => {
  const extensions = { persistedQuery: { version: 1, sha256Hash: '0'.repeat(64) } };
  const query = '{ viewer { subject } }';
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await TestGateway.start();
  });
  afterAll(() => gateway.close());

  it.each<[string, RequestInit, string]>([
    ['a hash', { body: JSON.stringify({ extensions }) }, ''],
    ['a hash beside an empty document', { body: JSON.stringify({ query: '', extensions }) }, ''],
    ['a documentId', { body: JSON.stringify({ documentId: 'Subject' }) }, ''],
    ['a hash in the URL', { method: 'GET' }, `?${new URLSearchParams({ extensions: JSON.stringify(extensions) })}`],
  ])(
    '%s without its document is PersistedQueryNotSupported, so that clients send the document',
    async (_what, init, path) => {
      for (const [accept, status] of [
        ['application/graphql-response+json', 400],
        ['application/json', 200],
      ] as const) {
        const answer = await gateway.send(init, { headers: { accept } }, path);
        expect(answer.status).toBe(status);
        expect(answer.errors[0]?.message).toBe('PersistedQueryNotSupported');
        expect(answer.errors[0]?.extensions).toMatchObject({ code: 'PersistedQueryNotSupported', status: 400 });
      }
    },
  );

  it('a document runs whatever hash comes with it', async () => {
    const { data } = await gateway.send({ body: JSON.stringify({ query, extensions }) });
    expect(data).toEqual({ viewer: { subject: 'ada' } });
  });
});
