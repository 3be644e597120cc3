// biome-ignore-all lint/style/noExcessiveLinesPerFile: one table of every kind of bad request.
import { Agent, request } from 'node:http';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { errorTable } from '../../src/errors.ts';
import { TestGateway } from '../support/gateway.ts';
import { createSecret, deleteSecret, updateSecret } from '../support/graphql.ts';

interface BadRequest {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: string | Uint8Array;
}

interface Answer {
  status: number;
  requestId: string | undefined;
  text: string;
}

const total = 10_000;
const atOnce = 16;

// Documents: names of the schema, near misses and nonsense, in valid and invalid combinations.
const word = fc.constantFrom(
  ...'secrets secret viewer createSecret updateSecret deleteSecret nodes edges node owner id name value tags __typename __schema'.split(
    ' ',
  ),
  ...'__type types fields first last after before filter input subject teams team nmae frist on true null constructor __proto__ é'.split(
    ' ',
  ),
);
const typeName = fc.constantFrom(
  'ID!',
  'String',
  'Int',
  '[String!]!',
  'OwnerInput',
  'CreateSecretInput!',
  'Secret',
  'Nonsense',
  'DateTime',
  'TeamRole',
);
const literal: fc.Arbitrary<string> = fc.letrec<{ any: string; one: string }>((tie) => ({
  any: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    tie('one'),
    fc.array(tie('any'), { maxLength: 3 }).map((all) => `[${all}]`),
    fc
      .array(fc.tuple(word, tie('any')), { maxLength: 3 })
      .map((all) => `{${all.map(([key, value]) => `${key}: ${value}`)}}`),
  ),
  one: fc.oneof(
    fc.constantFrom(
      'null',
      'true',
      '1',
      '-0',
      '00',
      '1e999',
      '1.',
      '9'.repeat(400),
      '$v',
      '$input',
      'ENUM',
      '"',
      '"""',
      '"""x"""',
      '"\\q"',
      '"\\ud800"',
    ),
    fc.string({ unit: 'binary', maxLength: 20 }).map((text) => JSON.stringify(text)),
    fc.maxSafeInteger().map(String),
    fc.double().map(String),
  ),
})).any;
const args = fc.oneof(
  { weight: 2, arbitrary: fc.constant('') },
  {
    weight: 1,
    arbitrary: fc
      .array(fc.tuple(word, literal), { minLength: 1, maxLength: 3 })
      .map((all) => `(${all.map(([name, value]) => `${name}: ${value}`).join(', ')})`),
  },
);
const directive = fc.oneof(
  { weight: 6, arbitrary: fc.constant('') },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom('@skip', '@include', '@deprecated', '@nonsense', '@defer', '@stream'), args)
      .map((all) => all.join('')),
  },
);
const selection: fc.Arbitrary<string> = fc.letrec<{ set: string; one: string }>((tie) => ({
  set: fc.array(tie('one'), { minLength: 1, maxLength: 4 }).map((all) => `{ ${all.join(' ')} }`),
  one: fc.oneof(
    { depthSize: 'small' },
    fc.tuple(word, args, directive).map((all) => all.join(' ')),
    fc.tuple(word, args, directive, tie('set')).map((all) => all.join(' ')),
    fc.tuple(word, fc.constant(':'), word, args).map((all) => all.join(' ')),
    fc
      .tuple(fc.constantFrom('...', '... on Secret', '... on Query', '... on Nonsense'), tie('set'))
      .map((all) => all.join(' ')),
    fc.constantFrom('...F', '...G'),
  ),
})).set;
const definitions = fc.constantFrom(
  '',
  '',
  '',
  ' fragment F on Query { ...G } fragment G on Query { ...F }',
  ' fragment F on Secret { id }',
  ' type T { a: Int }',
  ' { a }',
  ' query A { a }',
  '\u0000',
);
const generated = fc
  .tuple(
    fc.constantFrom('', 'query', 'mutation', 'subscription', 'query A', 'query ($v: Int = 1)', 'fragment F on Query'),
    fc.option(fc.tuple(word, typeName)),
    directive,
    selection,
    definitions,
  )
  .map(
    ([kind, variable, on, set, more]) =>
      `${kind}${kind && variable ? ` ($${variable[0]}: ${variable[1]})` : ''} ${on} ${set}${more}`,
  );
const create = createSecret('id maskedValue', 'secrets { totalCount }');
const update = updateSecret('id version');
const remove = deleteSecret;
const list =
  'query ($owner: OwnerInput! = {}, $filter: SecretFilter, $first: Int, $after: String) { secrets(owner: $owner, filter: $filter, first: $first, after: $after) { totalCount nodes { id } } }';
const entities =
  'query ($r: [_Any!]!) { _entities(representations: $r) { ... on Secret { id } ... on User { secrets { totalCount } } ... on Connector { secrets { totalCount } } } }';
const good = fc.constantFrom(
  create,
  update,
  remove,
  list,
  '{ viewer { subject teams { id role } } }',
  '{ secrets(first: 2) { totalCount nodes { id name tags owner { ... on Team { id } } } pageInfo { endCursor } } }',
  'query ($id: ID!) { secret(id: $id) { id owner { __typename } } }',
);
const damaged = fc
  .tuple(
    fc.oneof(good, generated),
    fc.nat(),
    fc.nat({ max: 9 }),
    fc.oneof(fc.string({ maxLength: 3 }), fc.constantFrom('{', '}', '"', '\\', '$', '#', '\n', '\ufeff')),
  )
  .map(
    ([text, at, cut, put]) => text.slice(0, at % (text.length + 1)) + put + text.slice((at % (text.length + 1)) + cut),
  );
const nested = fc
  .tuple(
    fc.constantFrom(
      ['{a', '}'],
      ['{secrets{nodes', '}}'],
      ['{secret(id:[', '])}'],
      ['{...', '}'],
      ['query($v:[', '])'],
      ['{ ...on Query', '}'],
    ),
    fc.integer({ min: 5, max: 3000 }),
    fc.boolean(),
  )
  .map(([[open, close], depth, closed]) => `${open?.repeat(depth)}${closed ? close?.repeat(depth) : ''}`);
const wide = fc
  .tuple(word, fc.integer({ min: 100, max: 4000 }))
  .map(([name, times]) => `{ ${`${name} `.repeat(times)}}`);
const document = fc.oneof(
  { weight: 5, arbitrary: generated },
  { weight: 3, arbitrary: good },
  { weight: 4, arbitrary: damaged },
  { weight: 1, arbitrary: nested },
  { weight: 1, arbitrary: wide },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 200 }) },
);

// Variables, and the other members of a body.
const key = fc.oneof(
  word,
  fc.string({ unit: 'binary', maxLength: 8 }),
  fc.constantFrom('input', 'owner', 'teamId', 'connectorId', 'expectedVersion', 'notes', 'provider', 'v'),
);
const value: fc.Arbitrary<unknown> = fc.oneof(
  fc.jsonValue({ maxDepth: 4, stringUnit: 'binary' }),
  fc.dictionary(key, fc.jsonValue({ maxDepth: 2, stringUnit: 'binary' }), { maxKeys: 6 }),
  fc.constantFrom<unknown[]>(
    null,
    '\ud800',
    '\u0000',
    '\ufeff',
    'red',
    crypto.randomUUID(),
    2 ** 53,
    -1,
    0.1,
    1e308,
    'x'.repeat(70_000),
    Array(2000).fill('a'),
  ),
);
const input = fc.record(
  {
    id: fc.oneof(value, fc.uuid()),
    owner: fc.oneof(
      value,
      fc.constantFrom({}, { teamId: 'red' }, { teamId: 'blue' }, { connectorId: 'c' }),
      fc.record({ teamId: fc.constant('red'), connectorId: value }),
    ),
    name: fc.oneof(value, fc.string({ unit: 'binary' }), fc.constantFrom('A', 'B')),
    value: fc.oneof(value, fc.string({ unit: 'binary' })),
    provider: fc.oneof(value, fc.constant('p')),
    notes: value,
    tags: fc.oneof(value, fc.array(fc.string({ unit: 'binary' }))),
    expectedVersion: value,
  },
  { requiredKeys: [] },
);
const variables = fc.oneof(
  value,
  fc.record({ input: fc.oneof(input, value) }),
  fc.record({ id: value, owner: value, filter: value, first: value, after: value, v: value }, { requiredKeys: [] }),
);
const parameters = fc.record(
  {
    query: fc.oneof({ weight: 9, arbitrary: document }, { weight: 1, arbitrary: value }),
    variables,
    operationName: fc.oneof(word, value),
    extensions: value,
    id: value,
  },
  { requiredKeys: ['query'] },
);

// Inputs of the right types, which break the rules of fields.
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('', 'A', 'x'.repeat(300), '••••', '\ud800', '\u0000'),
);
const ownerInput = fc.record(
  { teamId: fc.constantFrom('red', 'red', 'blue', ''), connectorId: text },
  { requiredKeys: [] },
);
const textInput = { value: text, provider: text, notes: text, tags: fc.array(text), name: text };
const rules = fc.oneof(
  fc.record({
    query: fc.constant(entities),
    variables: fc.record({
      r: fc.array(
        fc.record(
          {
            __typename: fc.constantFrom('Secret', 'User', 'Team', 'Connector', 'Connector', 'Query', ''),
            id: fc.oneof(text, fc.uuid(), fc.constant('ada')),
            teamId: fc.constantFrom('red', 'red', 'blue'),
          },
          { requiredKeys: ['__typename'] },
        ),
        { maxLength: 5 },
      ),
    }),
  }),
  fc.record({
    query: fc.constant(create),
    variables: fc.record({
      input: fc.record({ ...textInput, id: fc.oneof(fc.uuid(), text), owner: ownerInput }, { requiredKeys: ['name'] }),
    }),
  }),
  fc.record({
    query: fc.constant(update),
    variables: fc.record({
      input: fc.record(
        { ...textInput, id: fc.oneof(fc.uuid(), text), expectedVersion: fc.integer() },
        { requiredKeys: ['id'] },
      ),
    }),
  }),
  fc.record({
    query: fc.constant(remove),
    variables: fc.record({ input: fc.record({ id: fc.oneof(fc.uuid(), text), expectedVersion: fc.integer() }) }),
  }),
  fc.record({
    query: fc.constant(list),
    variables: fc.record(
      {
        owner: ownerInput,
        filter: fc.record(
          { name: text, nameStartsWith: text, provider: text, tags: fc.array(text), placeholder: text },
          { requiredKeys: [] },
        ),
        first: fc.integer(),
        after: text,
      },
      { requiredKeys: [] },
    ),
  }),
);
const deep = fc
  .tuple(fc.constantFrom(['[', ']'], ['{"a":', '}'], ['{"input":[', ']}']), fc.integer({ min: 10, max: 20_000 }))
  .map(([[open, close], depth]) => `${open?.repeat(depth)}1${close?.repeat(depth)}`);
const json = fc.oneof(
  { weight: 12, arbitrary: parameters.map((one) => JSON.stringify(one)) },
  { weight: 4, arbitrary: rules.map((one) => JSON.stringify(one)) },
  { weight: 2, arbitrary: fc.array(fc.oneof(parameters, value), { maxLength: 12 }).map((all) => JSON.stringify(all)) },
  { weight: 1, arbitrary: value.map((one) => JSON.stringify(one)) },
  { weight: 1, arbitrary: deep },
  {
    weight: 1,
    arbitrary: fc
      .tuple(document, deep)
      .map(([query, text]) => `{"query":${JSON.stringify(query)},"variables":${text}}`),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(
        good,
        fc.constantFrom(
          '1e999',
          '-1e999',
          '9'.repeat(5000),
          `0.${'1'.repeat(5000)}`,
          '{"__proto__":{"a":1}}',
          '{"constructor":{"prototype":1}}',
          '{"toString":1,"hasOwnProperty":2}',
          '{"a":1,"a":2}',
        ),
      )
      .map(
        ([query, text]) =>
          `{"query":${JSON.stringify(query)},"variables":{"input":${text},"owner":${text},"id":${text},"first":${text},"__proto__":${text}},"__proto__":${text}}`,
      ),
  },
);
const body = fc.oneof(
  { weight: 10, arbitrary: json },
  { weight: 1, arbitrary: fc.tuple(json, fc.nat()).map(([text, at]) => text.slice(0, at % (text.length + 1))) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(json, fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 4 }))
      .map(([text, at, bytes]) =>
        Buffer.concat([
          Buffer.from(text).subarray(0, at % text.length),
          bytes,
          Buffer.from(text).subarray(at % text.length),
        ]),
      ),
  },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 100 }) },
);

// The method, the URL and the headers of a request.
const headerText = fc.string({
  unit: fc
    .integer({ min: 0x20, max: 0xff })
    .filter((code) => code !== 0x7f)
    .map((code) => String.fromCharCode(code)),
  maxLength: 40,
});
const mostly = <T>(usual: T, ...others: fc.Arbitrary<T>[]) =>
  fc.oneof({ weight: 9 * others.length, arbitrary: fc.constant(usual) }, ...others);
const header = (usual: string, ...others: string[]) => mostly(usual, headerText, fc.constantFrom('', ...others));

const requests = (token: string): fc.Arbitrary<BadRequest> => {
  const [head, payload, signature] = token.split('.');
  return fc.record({
    method: mostly(
      'POST',
      fc.constant('GET'),
      fc.constantFrom('PUT', 'DELETE', 'OPTIONS', 'PATCH', 'HEAD', 'TRACE', 'PROPFIND', 'QUERY'),
    ),
    path: mostly(
      '/graphql',
      parameters.map((sent) =>
        `/graphql?${new URLSearchParams(Object.entries(sent).map(([name, one]) => [name, typeof one === 'string' ? one.toWellFormed() : JSON.stringify(one)]))}`.slice(
          0,
          8000,
        ),
      ),
      fc.webQueryParameters().map((query) => `/graphql?${query}`),
      fc.webPath().map((path) => path || '/'),
      fc.constantFrom(
        '/graphql?query={__typename}',
        '/graphql?query=%',
        '/graphql?query=%ff%fe',
        '//graphql',
        '/graphql/',
        '/graphql?variables={',
        '/graphql?query={a}&extensions=x',
        '*',
        'http://a/graphql',
      ),
    ),
    headers: fc
      .record({
        authorization: header(
          `Bearer ${token}`,
          'Bearer',
          `bearer  ${token} `,
          `Basic ${btoa('a:b')}`,
          `Bearer ${head}.${payload}.`,
          `Bearer ${head}.e30.${signature}`,
          `Bearer ${payload}.${payload}.${signature}`,
          `Bearer ${'.'.repeat(2000)}`,
        ),
        accept: header(
          'application/graphql-response+json',
          'application/json',
          '*/*',
          'text/html',
          'application/json;q=0',
          'application/graphql-response+json;q=x;q',
          ','.repeat(500),
          'multipart/mixed',
          'text/event-stream',
        ),
        'content-type': header(
          'application/json',
          'application/json; charset=utf-16',
          'text/plain',
          'multipart/form-data; boundary=a',
          'application/x-www-form-urlencoded',
          'application/graphql',
          'application/JSON ; charset="UTF-8"',
        ),
        'content-encoding': header('identity', 'gzip', 'br'),
        'x-request-id': header('an-id', 'a b', 'x'.repeat(200), '"', 'é'),
        'x-api-key': mostly('', headerText),
        cookie: mostly('', headerText),
        origin: mostly('', headerText, fc.constant('https://elsewhere.test')),
      })
      .map((all) => Object.fromEntries(Object.entries(all).filter(([, text]) => text !== ''))),
    body,
  });
};

const agent = new Agent({ keepAlive: true, maxSockets: atOnce });

function send(origin: string, { method, path, headers, body }: BadRequest): Promise<Answer> {
  const { hostname, port } = new URL(origin);
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  const sent = method === 'GET' || method === 'HEAD' || method === 'TRACE' ? {} : { 'content-length': bytes.length };
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { agent, hostname, port, method, path, headers: { ...headers, ...sent } },
      async (response) => {
        try {
          const chunks: Buffer[] = [];
          for await (const chunk of response) chunks.push(chunk);
          const requestId = response.headers['x-request-id'];
          resolve({
            status: response.statusCode ?? 0,
            requestId: String(requestId ?? ''),
            text: Buffer.concat(chunks).toString(),
          });
        } catch (error) {
          reject(error);
        }
      },
    );
    outgoing.on('error', reject);
    outgoing.end('content-length' in sent ? bytes : undefined);
  });
}

/** What is wrong with an answer; undefined if nothing is. */
function broken({ status, requestId, text }: Answer, method: string): string | undefined {
  if (!requestId) return 'no X-Request-Id';
  if (status >= 500) return `HTTP ${status}`;
  const refused = status >= 300;
  if (method === 'HEAD') return text === '' ? undefined : 'a body for HEAD';
  if (text === '' && !refused) return undefined;
  let results: { data?: unknown; errors?: { message?: unknown; extensions?: Record<string, unknown> }[] }[];
  try {
    const [, event] = /^event: next\ndata: (.*)\n\nevent: complete\ndata:\n\n$/.exec(text) ?? [];
    results = [JSON.parse(event ?? text)].flat();
  } catch {
    return 'no JSON';
  }
  const errors = results.flatMap((result) => result.errors ?? []);
  if (refused && !errors.some((error) => error.extensions?.status === status)) return 'no error of the HTTP status';
  for (const { message, extensions = {} } of errors) {
    const { code, type } = extensions;
    const row = Object.entries(errorTable).find(([name]) => name === code)?.[1];
    if (!row || code === 'INTERNAL_SERVER_ERROR') return `code ${code}`;
    if (extensions.status !== row.status) return 'a status that is not its code’s';
    // Limits on documents have types of their own.
    if (type !== row.type && !/_(limit|operation|cycle)_error$/.test(String(type))) return `type ${type}`;
    if (extensions.requestId !== requestId) return 'another request id';
    if (typeof message !== 'string' || message === '') return 'no message';
  }
  return undefined;
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function memory() {
  collectGarbage();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { held: heapUsed + external, rss };
}

describe(`${total.toLocaleString('en')} bad requests`, () => {
  const lost: unknown[] = [];
  const lose = (error: unknown) => lost.push(error);
  const statuses = new Map<number, number>();
  let gateway: TestGateway;
  let origin: string;
  let warm: ReturnType<typeof memory> | undefined;

  beforeAll(async () => {
    gateway = await TestGateway.start('sqlite', { RATE_LIMIT: 'off' });
    origin = new URL(gateway.url).origin;
    process.on('unhandledRejection', lose);
    process.on('uncaughtException', lose);
  });
  afterAll(async () => {
    process.off('unhandledRejection', lose);
    process.off('uncaughtException', lose);
    agent.destroy();
    await gateway.close();
  });

  it('are all answered with a request id and without 5xx, and each error has its code, status and type', async () => {
    const token = await gateway.issuer.token();
    const group = fc.array(requests(token), { minLength: atOnce, maxLength: atOnce });
    let sent = 0;
    await fc.assert(
      fc.asyncProperty(group, async (all) => {
        const answers = await Promise.all(all.map((one) => send(origin, one)));
        for (const [at, answer] of answers.entries()) {
          const wrong = broken(answer, all[at]?.method ?? '');
          if (wrong !== undefined)
            throw new Error(`${wrong}: ${JSON.stringify({ sent: all[at], answer }).slice(0, 3000)}`);
          statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
        }
        sent += all.length;
        // Logged lines are memory of the test, not of the gateway.
        gateway.log.length = 0;
        if (sent >= total / 4) warm ??= memory();
      }),
      {
        numRuns: Math.ceil(total / atOnce),
        timeout: 10_000,
        interruptAfterTimeLimit: 150_000,
        markInterruptAsFailure: true,
      },
    );
    expect(sent).toBeGreaterThanOrEqual(total);
  }, 180_000);

  it('reach code behind every refusal: the sample has answers of many kinds', () => {
    for (const status of [200, 400, 401, 404, 405, 406, 415, 422])
      expect(statuses.get(status), `HTTP ${status}`).toBeGreaterThan(10);
  });

  it('cause no unhandled rejection and no uncaught exception', () => {
    expect(lost).toEqual([]);
  });

  it('leak no memory', () => {
    if (!warm) throw new Error('too few requests to tell');
    const { held, rss } = memory();
    expect(held - warm.held).toBeLessThan(48 * 1024 * 1024);
    expect(rss - warm.rss).toBeLessThan(512 * 1024 * 1024);
  });

  it('leave the gateway working', async () => {
    const { status, data } = await gateway.run('{ viewer { subject } }');
    expect({ status, data }).toEqual({ status: 200, data: { viewer: { subject: 'ada' } } });
  });
});

describe('one bad request of the maximum size', () => {
  let gateway: TestGateway;

  beforeAll(async () => {
    gateway = await TestGateway.start('sqlite', { RATE_LIMIT: 'off' });
  });
  afterAll(() => gateway.close());

  const accents = `a${'\u0301\u0316'.repeat(150_000)}`;
  const numbered = (times: number, one: (index: number) => string) =>
    Array.from({ length: times }, (_, at) => one(at)).join(' ');
  const bodies: Record<string, unknown> = {
    'a name that is slow to normalise': {
      query: create,
      variables: { input: { name: accents, owner: { teamId: 'red' } } },
    },
    'a tag that is slow to normalise': { query: create, variables: { input: { name: 'A', tags: [accents] } } },
    'a connector that is slow to normalise': {
      query: create,
      variables: { input: { name: 'A', owner: { teamId: 'red', connectorId: accents } } },
    },
    'an operation name that would be in every message': {
      query: `query ${'N'.repeat(900_000)}(${numbered(180, (at) => `$v${at}: Int`)}) { __typename }`,
    },
    'a field of one long name': { query: `{ ${'a'.repeat(1_000_000)} }` },
    'many unknown arguments': { query: `{ secrets(${numbered(480, (at) => `x${at}: 1`)}) { totalCount } }` },
    'many tags': { query: create, variables: { input: { name: 'A', tags: Array(400_000).fill(1) } } },
    'an id': { query: remove, variables: { input: { id: 'a'.repeat(1_000_000) } } },
    'a cursor': { query: list, variables: { after: 'a'.repeat(1_000_000) } },
    'a batch': Array(200_000).fill({}),
    'a filter that is slow to normalise': { query: list, variables: { filter: { name: accents } } },
    'a prefix that is slow to normalise': { query: list, variables: { filter: { nameStartsWith: accents } } },
    'filter tags that are slow to normalise': { query: list, variables: { filter: { tags: [accents] } } },
    'an alias that every item would repeat': { query: `{ secrets { nodes { ${'a'.repeat(900_000)}: id } } }` },
    'many unknown keys of an input': {
      query: create,
      variables: { input: Object.fromEntries(Array.from({ length: 80_000 }, (_, at) => [`x${at}`, 1])) },
    },
  };

  it.each(Object.entries(bodies))('is refused quickly, and with a short answer: %s', async (_name, body) => {
    const startedAt = performance.now();
    const { status, text } = await gateway.send({ body: JSON.stringify(body) });
    expect(performance.now() - startedAt).toBeLessThan(2000);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
    expect(text.length).toBeLessThan(64 * 1024);
  });

  it('leaks no memory, even after a thousand different ones', async () => {
    const invalid = (number: number) => `{ viewer { ${numbered(100, (at) => `x${number}_${at}`)} } }`;
    const send = async (from: number, to: number) => {
      for (let number = from; number < to; number += 1) {
        expect((await gateway.run(invalid(number))).status).toBe(400);
      }
    };
    await send(0, 100);
    const before = memory().held;
    await send(100, 600);
    expect(memory().held - before).toBeLessThan(30 * 1024 * 1024);
  });
});
