import { Agent, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { open } from '../../src/crypto/envelope.ts';
import { errorTable } from '../../src/errors.ts';
import { readKeyring } from '../../src/keyring/file.ts';
import { ownerKey } from '../../src/model/owner.ts';
import { openStore } from '../../src/store/open-store.ts';
import { CommandLine, type RunningGateway } from '../support/command-line.ts';
import { Issuer } from '../support/issuer.ts';
import { percentile, type Sample, SteadyClient } from '../support/steady-client.ts';
import { naughtyStrings } from './naughty-strings.ts';

const mebibyte = 1024 * 1024;
/** An attack is answered within this. */
const boundMs = 2000;
/** What the process may grow by, whatever it is sent: what it held while answering, and the heap's own slack. */
const maxGrowth = 256 * mebibyte;
/** How often each attack comes. */
const rounds = 3;
/** How long after the one before: as fast as RATE_LIMIT lets one caller by default. */
const paceMs = 100;

interface Answer {
  status: number;
  text: string;
  milliseconds: number;
}

let commandLine: CommandLine;
let issuer: Issuer;
let gateway: RunningGateway;
let token: string;
let client: SteadyClient;
let memoryAtRest: number;
let mostMemory = 0;
let watching: NodeJS.Timeout;
// Without rate limits: each attack shall be harmless by itself, not only because there are few of it.
const env = () => ({
  JWT_ISSUER: issuer.issuer,
  JWT_AUDIENCE: issuer.audience,
  JWT_JWKS_URL: issuer.jwksUrl,
  RATE_LIMIT: 'off',
});

beforeAll(async () => {
  issuer = await Issuer.start();
  commandLine = await CommandLine.open();
  gateway = await commandLine.serve(env());
  token = await issuer.token();
  for (let i = 0; i < 20; i += 1) {
    await expectSuccess(run(create, { input: { name: `NAME_${i}`, provider: 'openai', value: 'a value' } }));
  }
  client = new SteadyClient({
    url: gateway.url,
    token: await issuer.token({ sub: 'ada' }),
    body: JSON.stringify({ query: '{ secrets(first: 20) { totalCount nodes { id name maskedValue } } }' }),
    intervalMs: 10,
  });
  // Compiled and warm before it counts.
  await sleep(3000);
  memoryAtRest = await memory();
  watching = setInterval(() => void memory().catch(() => {}), 100);
}, 60_000);

afterAll(async () => {
  clearInterval(watching);
  await client?.stop();
  const exit = await gateway?.stop();
  await commandLine.close();
  await issuer.close();
  expect(exit?.code).toBe(0);
});

afterEach(async () => {
  expect((await client.take()).filter(({ status }) => status !== 200)).toEqual([]);
});

const create = `mutation ($input: CreateSecretInput!) {
  createSecret(input: $input) { secret { id name notes tags provider } }
}`;
const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const times = (count: number, write: (index: number) => string) =>
  Array.from({ length: count }, (_, i) => write(i)).join(' ');

async function memory(): Promise<number> {
  const text = await (await fetch(new URL('/metrics', gateway.url))).text();
  const bytes = Number(/^secrets_gateway_resident_memory_bytes (\d+)/m.exec(text)?.[1]);
  mostMemory = Math.max(mostMemory, bytes);
  return bytes;
}

const agent = new Agent({ keepAlive: true, maxSockets: 400 });

async function post(body: string | Buffer, headers: Record<string, string | number> = {}): Promise<Answer> {
  const startedAt = performance.now();
  return new Promise((resolve, reject) => {
    const outgoing = request(
      gateway.url,
      {
        agent,
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: 'application/graphql-response+json',
          authorization: `Bearer ${token}`,
          ...headers,
        },
      },
      async (response) => {
        let text = '';
        for await (const chunk of response) text += chunk;
        resolve({ status: response.statusCode ?? 0, text, milliseconds: performance.now() - startedAt });
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

const run = (query: string, variables: unknown = {}) => post(JSON.stringify({ query, variables }));

async function expectSuccess(answer: Promise<Answer>): Promise<void> {
  const { status, text } = await answer;
  expect(text).not.toContain('"errors"');
  expect(status).toBe(200);
}

/** An error of the table, foreseen, in time. @returns its type */
function typeOf({ status, text, milliseconds }: Answer): string {
  const { extensions } = JSON.parse(text).errors[0];
  const row = errorTable[extensions.code as keyof typeof errorTable];
  expect(row, text).toBeDefined();
  expect(extensions.code).not.toBe('INTERNAL_SERVER_ERROR');
  expect(extensions.status).toBe(row.status);
  expect(status).toBe(row.status);
  expect(extensions.requestId).toMatch(/./);
  expect(milliseconds).toBeLessThan(boundMs);
  return extensions.type;
}

async function attack(send: () => Promise<Answer>, type: string): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    const answered = send();
    await sleep(paceMs);
    expect(typeOf(await answered)).toMatch(new RegExp(`^${type}$`));
  }
}

const cycle = (count: number) =>
  times(
    count,
    (i) =>
      `fragment F${i} on Secret { owner { ... on Team { secrets { nodes { ...F${(i + 1) % count} ...F${(i + 2) % count} } } } } }`,
  );
const doubling = (leaf: string) =>
  `${times(150, (i) => `fragment F${i} on Viewer { ...F${i + 1} ...F${i + 1} }`)} fragment F150 on Viewer { ${leaf} }`;
const documents: [string, string, string][] = [
  ['5,000 aliases', `{ ${times(5000, (i) => `a${i}: __typename`)} }`, 'tokens_limit_error'],
  ['600 aliases', `{ viewer { ${times(600, (i) => `a${i}: __typename`)} } }`, 'aliases_limit_error'],
  ['a depth of 3,000', '{ a '.repeat(3000) + '}'.repeat(3000), 'depth_limit_error'],
  ['a depth of 3,000, never closed', '{ a '.repeat(3000), 'depth_limit_error'],
  ['a depth of 600', `${'{ a '.repeat(600)}${'}'.repeat(600)}`, 'depth_limit_error'],
  ['a list of lists of lists', `{ secret(id: ${'['.repeat(3000)}`, 'depth_limit_error'],
  ['a fragment cycle', '{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }', 'fragment_cycle_error'],
  ['fragment cycles in pairs', `{ secrets { nodes { ...F0 ...F1 } } } ${cycle(70)}`, 'fragment_cycle_error'],
  ['fragments that double', `{ viewer { ...F0 } } ${doubling('a: subject')}`, 'aliases_limit_error'],
  [
    'circular introspection',
    `{ __schema { ${'types { fields { type { '.repeat(4)}name${' } } }'.repeat(4)} } }`,
    'invalid_request_error',
  ],
  ['5,000 directives', `{ __typename ${'@skip(if: false) '.repeat(5000)} }`, 'tokens_limit_error'],
  ['200 directives', `{ __typename ${'@skip(if: false) '.repeat(200)} }`, 'directives_limit_error'],
  ['1,000 unknown directives', `{ __typename ${'@a '.repeat(990)} }`, 'directives_limit_error'],
  [
    'fields repeated without end',
    `{ secrets { ${'nodes { owner { __typename } } '.repeat(280)} } }`,
    'repetitions_limit_error',
  ],
  [
    'lists of lists of secrets',
    '{ secrets { nodes { owner { ... on User { secrets { nodes { owner { ... on User { secrets { nodes { id } } } } } } } } } } }',
    'objects_limit_error',
  ],
  [
    'the subgraph’s schema twenty times',
    `{ ${times(20, (i) => `a${i}: _service { sdl }`)} }`,
    'introspections_limit_error',
  ],
  ['250,000 comments', `{ __typename } ${'#\n'.repeat(250_000)}`, 'comments_limit_error'],
  ['25,000 comments', `{ __typename } ${'#\n'.repeat(25_000)}`, 'comments_limit_error'],
  ['a name of a megabyte', `{ ${'a'.repeat(mebibyte - 1000)} }`, 'length_limit_error'],
  ['a name of half of that', `{ ${'a'.repeat(mebibyte / 2 - 1000)} }`, 'name_length_limit_error'],
  [
    '1,000 unknown arguments',
    `{ secrets(${times(600, (i) => `frist${i}: 1`)}) { totalCount } }`,
    'invalid_request_error',
  ],
];

const batchOf = (query: string) => JSON.stringify(Array(10).fill({ query }));
const fitsInBatch = ([, query]: readonly [string, string, string]) => query.length <= 90_000;
const batchOfThousand = JSON.stringify(Array(1000).fill({ query: '{ secrets { totalCount } }' }));
const nestedVariable = `{"query":"query ($v: Int) { __typename }","variables":{"v":${'['.repeat(100_000)}${']'.repeat(100_000)}}}`;
const manyVariables = JSON.stringify({
  query: 'query ($v: Int) { __typename }',
  variables: { v: Array(150_000).fill([]) },
});
const neverClosed = '['.repeat(500_000);
const manyQuotes = `{"query":"${'\\"'.repeat(500_000)}"}`;
const manyStrings = `{"query":"{ __typename }","variables":{"v":[${'"",'.repeat(340_000)}""]}}`;
const gzipBomb = gzipSync(Buffer.alloc(256 * mebibyte, 32));

/** Sends a piece over and over until it is stopped or all is sent. @returns the answer, and how much was taken */
async function flood(headers: string, piece: Buffer, bytes: number): Promise<{ text: string; sent: number }> {
  const { port } = new URL(gateway.url);
  return new Promise((resolve) => {
    let [text, sent, over] = ['', 0, false];
    const socket = connect(Number(port), '127.0.0.1');
    const send = () => {
      while (!over && sent < bytes) {
        sent += piece.length;
        if (!socket.write(piece)) return;
      }
    };
    socket.write(
      `POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAuthorization: Bearer ${token}\r\n${headers}\r\n\r\n`,
    );
    socket.on('drain', send).on('data', (data) => {
      text += data;
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      over = true;
      resolve({ text, sent });
    });
    send();
  });
}

const space = Buffer.alloc(65_536, 32);
const chunk = Buffer.concat([Buffer.from('10000\r\n'), space, Buffer.from('\r\n')]);

describe('an attack is answered by a typed error, in time', () => {
  it.each(documents)('%s', async (_what, query, type) => {
    await attack(() => run(query), type);
  });

  it.each(documents.filter(fitsInBatch))('%s, ten at once in a batch', async (_what, query, type) => {
    for (let round = 0; round < rounds; round += 1) {
      const answered = post(batchOf(query));
      await sleep(paceMs);
      const { status, text, milliseconds } = await answered;
      expect(status).toBe(200);
      const types = JSON.parse(text).map(
        (one: { errors: { extensions: { type: string } }[] }) => one.errors[0]?.extensions.type,
      );
      expect(types).toHaveLength(10);
      for (const one of types) expect(one).toMatch(new RegExp(`^${type}$`));
      expect(milliseconds).toBeLessThan(boundMs);
    }
  });

  it('a batch of 1,000', async () => {
    await attack(() => post(batchOfThousand), 'batch_limit_error');
  });

  it('JSON nested a hundred thousand levels deep', async () => {
    await attack(() => post(nestedVariable), 'depth_limit_error');
    await attack(() => post(neverClosed), 'depth_limit_error');
  });

  it('a list of a hundred and fifty thousand lists in a variable', async () => {
    await attack(() => post(manyVariables), 'variables_limit_error');
  });

  it('strings of quotes, and quotes of strings', async () => {
    await attack(() => post(manyQuotes), 'tokens_limit_error');
    await attack(() => post(manyStrings), 'variables_limit_error');
  });

  it('a gzip bomb', async () => {
    expect(gzipBomb.length).toBeLessThan(mebibyte);
    await attack(() => post(gzipBomb, { 'content-encoding': 'gzip' }), 'unsupported_media_type_error');
  });

  it.each([
    ['a body of 1 GiB in chunks', 'Transfer-Encoding: chunked', 1024],
    ['a variable of 100 MiB', `Content-Length: ${100 * mebibyte}`, 100],
  ])('%s, cut off early', async (_what, header, mebibytes) => {
    const piece = header.startsWith('Transfer') ? chunk : space;
    for (let round = 0; round < 4; round += 1) {
      const startedAt = performance.now();
      const floods = await Promise.all(Array.from({ length: 4 }, () => flood(header, piece, mebibytes * mebibyte)));
      for (const { text, sent } of floods) {
        expect(text).toMatch(/^HTTP\/1\.1 413 /);
        expect(text).toContain('"code":"PAYLOAD_TOO_LARGE"');
        // What the gateway read, and what was on its way in the buffers of both sockets.
        expect(sent).toBeLessThan(16 * mebibyte);
      }
      expect(performance.now() - startedAt).toBeLessThan(boundMs);
    }
  });

  it('a body without end for what takes none', async () => {
    const { text, sent } = await flood(`Transfer-Encoding: chunked\r\nX-Api-Key: sgk_wrong`, chunk, 1024 * mebibyte);
    expect(text).toMatch(/^HTTP\/1\.1 400 /);
    expect(sent).toBeLessThan(16 * mebibyte);
  });
});

const head = 'POST /graphql HTTP/1.1\r\nHost: localhost\r\n';
const dripping = new Set<Socket>();

/** Opens a connection, sends a beginning, and then a byte now and again. @returns what it was told, and when it was cut off */
async function drip(beginning: string, allowHalfOpen: boolean): Promise<{ text: string; seconds: number }> {
  const startedAt = performance.now();
  const { port } = new URL(gateway.url);
  return new Promise((resolve) => {
    const socket = connect({ port: Number(port), host: '127.0.0.1', allowHalfOpen });
    dripping.add(socket);
    let text = '';
    if (beginning) socket.write(beginning);
    const drops = setInterval(() => beginning && socket.writable && socket.write('a'), 500);
    socket.on('data', (data) => {
      text += data;
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      clearInterval(drops);
      dripping.delete(socket);
      resolve({ text, seconds: (performance.now() - startedAt) / 1000 });
    });
  });
}

describe('slow clients', () => {
  it('are told so, and cut off, also those who do not hang up in turn', { timeout: 60_000 }, async () => {
    const credentials = `Authorization: Bearer ${token}\r\n`;
    const length = 'Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n';
    const many = (beginning: string) => Promise.all(Array.from({ length: 40 }, (_, i) => drip(beginning, i % 2 === 1)));
    const [slowHeaders, slowBodies, silent] = await Promise.all([
      many(`${head}X-Slow: `),
      many(`${head}${credentials}${length}{"query":"`),
      Promise.all(Array.from({ length: 40 }, () => drip('', false))),
    ]);
    for (const { text, seconds } of [...slowHeaders, ...slowBodies]) {
      expect(seconds).toBeLessThan(36);
      expect(text).toMatch(/^HTTP\/1\.1 408 /);
      expect(text).toContain('"code":"REQUEST_TIMEOUT"');
    }
    for (const { seconds } of [...slowHeaders, ...silent]) expect(seconds).toBeLessThan(15);
  });
});

describe('clients that do not read', () => {
  const inFlight = async () =>
    Number(/in_flight (\d+)/.exec(await (await fetch(new URL('/metrics', gateway.url))).text())?.[1]);

  it('are cut off, and hold no place among those being answered', { timeout: 60_000 }, async () => {
    // More than the buffers of both sockets: 1,000 entities with 30 long aliases each.
    const aliases = times(30, (i) => `${'a'.repeat(250)}${i}: id`);
    const query = `query ($r: [_Any!]!) { _entities(representations: $r) { ... on User { ${aliases} } } }`;
    const r = Array(1000).fill({ __typename: 'User', id: 'ada' });
    const body = JSON.stringify({ query, variables: { r } });
    const { port } = new URL(gateway.url);
    const sockets = Array.from({ length: 3 }, () => {
      const socket = connect(Number(port), '127.0.0.1').pause();
      socket.on('error', () => {});
      socket.write(
        `POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAuthorization: Bearer ${token}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
      return socket;
    });
    await sleep(3000);
    expect(await inFlight()).toBeGreaterThanOrEqual(3);
    await expect.poll(inFlight, { timeout: 45_000, interval: 500 }).toBeLessThan(3);
    for (const socket of sockets) socket.destroy();
  });
});

const operators = [
  { $where: 'sleep(10000)' },
  { $ne: null },
  { $gt: '' },
  { $regex: '.*' },
  { $in: ['ada'] },
  JSON.parse('{"__proto__":{"polluted":true}}'),
  { constructor: { prototype: { polluted: true } } },
  { toString: 'x', valueOf: 'x', hasOwnProperty: 'x' },
];
const positions: [string, string, (operator: unknown) => unknown][] = [
  ['an id', 'query ($id: ID!) { secret(id: $id) { id } }', (id) => ({ id })],
  [
    'a team',
    'query ($owner: OwnerInput!) { secrets(owner: $owner) { totalCount } }',
    (teamId) => ({ owner: { teamId } }),
  ],
  ['an owner', 'query ($owner: OwnerInput!) { secrets(owner: $owner) { totalCount } }', (owner) => ({ owner })],
  [
    'a name to look for',
    'query ($f: SecretFilter) { secrets(filter: $f) { totalCount } }',
    (name) => ({ f: { name } }),
  ],
  [
    'tags to look for',
    'query ($f: SecretFilter) { secrets(filter: $f) { totalCount } }',
    (tag) => ({ f: { tags: [tag] } }),
  ],
  ['a cursor', 'query ($after: String) { secrets(after: $after) { totalCount } }', (after) => ({ after })],
  ['a size', 'query ($first: Int) { secrets(first: $first) { totalCount } }', (first) => ({ first })],
  ['a new name', create, (name) => ({ input: { name, provider: 'openai', value: 'v' } })],
  ['an input', create, (input) => ({ input })],
];

describe('more new documents than can wait', () => {
  let made = 0;
  const one = () => {
    made += 1;
    return { query: `{ secrets(${times(250, (i) => `no${made}x${i}: 1`)}) { totalCount } }` };
  };
  const errorOf = (answer: { errors: { extensions: { code: string; retryAfter?: number } }[] }) =>
    answer.errors[0]?.extensions;

  it.each(['application/json', 'application/graphql-response+json'])(
    'are told to come back, with 503 under %s, and those that wait are answered',
    async (accept) => {
      const bodies = Array.from({ length: 150 }, () => [
        JSON.stringify(Array.from({ length: 10 }, one)),
        JSON.stringify(one()),
      ]);
      const send = (body = '') => post(body, { accept });
      // Connected first, so that they then come all at once.
      await Promise.all(bodies.flat().map(() => send('{}')));
      const batches = bodies.map(([batch]) => send(batch));
      const singles = bodies.map(([, single]) => send(single));
      let refused = 0;
      for (const { status, text } of await Promise.all(singles)) {
        const error = errorOf(JSON.parse(text));
        if (error?.code === 'BAD_REQUEST') continue;
        expect([status, error?.code, error?.retryAfter]).toEqual([503, 'SERVICE_UNAVAILABLE', 1]);
        refused += 1;
      }
      expect(refused).toBeGreaterThan(0);
      for (const { status, text } of await Promise.all(batches)) {
        const codes = JSON.parse(text).map((answer: Parameters<typeof errorOf>[0]) => errorOf(answer)?.code);
        expect(codes).toHaveLength(10);
        for (const code of codes) expect(['BAD_REQUEST', 'SERVICE_UNAVAILABLE']).toContain(code);
        expect(status).toBe(codes.includes('BAD_REQUEST') ? 200 : 503);
      }
    },
  );
});

describe('operators and prototypes in variables', () => {
  it.each(positions)('as %s are refused as what they are not', async (_position, query, variables) => {
    for (const operator of operators) {
      expect(typeOf(await run(query, variables(operator)))).toBe('invalid_request_error');
    }
  });

  it('as keys beside good ones change nothing', async () => {
    const query = 'query ($first: Int) { secrets(first: $first) { totalCount nodes { name } } }';
    const before = await run(query, { first: 1 });
    for (const poison of [
      '"__proto__":{"first":1000,"polluted":true}',
      '"constructor":{"prototype":{"first":1000}}',
      '"$where":"1"',
    ]) {
      const body = `{"query":${JSON.stringify(query)},"variables":{"first":1,${poison}},"extensions":{${poison}}}`;
      expect((await post(body)).text).toBe(before.text);
    }
    expect((await run(query, { first: 1 })).text).toBe(before.text);
  });

  it('in a representation are no entity', async () => {
    const query = 'query ($r: [_Any!]!) { _entities(representations: $r) { ... on Secret { name } } }';
    for (const operator of operators) {
      for (const r of [operator, { __typename: 'Secret', id: operator }, { __typename: operator, id: 'x' }]) {
        const { text } = await run(query, { r: [r] });
        const { data, errors } = JSON.parse(text);
        expect(data).toEqual({ _entities: [null] });
        expect(errors[0].extensions.code).toBe('BAD_REQUEST');
      }
    }
  });
});

describe('naughty strings', () => {
  const input = (index: number) => ({ owner: { teamId: 'red' }, name: `name ${index} ${crypto.randomUUID()}` });
  /** Sends each, eight at a time. @returns of each what was answered */
  async function each(send: (text: string, index: number) => Promise<Answer>): Promise<Answer[]> {
    const answers: Answer[] = [];
    for (let at = 0; at < naughtyStrings.length; at += 8) {
      answers.push(...(await Promise.all(naughtyStrings.slice(at, at + 8).map((text, i) => send(text, at + i)))));
    }
    return answers;
  }
  const created = ({ text, milliseconds }: Answer) => {
    expect(milliseconds).toBeLessThan(boundMs);
    return JSON.parse(text).data?.createSecret.secret;
  };

  it.each<[string, (text: string) => object, (secret: Record<string, unknown>) => unknown, number]>([
    ['a name', (name) => ({ name }), ({ name }) => name, 60],
    ['a tag', (tag) => ({ tags: [tag] }), ({ tags }) => (tags as string[])[0], 60],
    ['a note', (notes) => ({ notes }), ({ notes }) => notes, 100],
    ['a provider', (provider) => ({ provider }), ({ provider }) => provider, 60],
  ])('as %s are kept as they are in NFC, or refused by a rule', async (_what, field, kept, atLeast) => {
    const answers = await each((text, index) => run(create, { input: { ...input(index), ...field(text) } }));
    let accepted = 0;
    for (const [index, answer] of answers.entries()) {
      const secret = created(answer);
      if (!secret) expect(['validation_error', 'invalid_request_error', 'conflict_error']).toContain(typeOf(answer));
      else {
        accepted += 1;
        const text = naughtyStrings[index] ?? '';
        expect([text, text.normalize('NFC')]).toContain(kept(secret));
      }
    }
    expect(accepted).toBeGreaterThan(atLeast);
  });

  it('as values come out of their envelopes exactly as they went in, or are refused by a rule', async () => {
    const answers = await each((value, index) => run(create, { input: { ...input(index), value } }));
    const store = await openStore(`sqlite:${join(commandLine.directory, '.data/secrets.db')}`);
    const keyring = await readKeyring(join(commandLine.directory, '.data/keyring.json'));
    const refused: string[] = [];
    try {
      for (const [index, answer] of answers.entries()) {
        const secret = created(answer);
        if (secret) {
          const record = await store.findRecord(secret.id);
          if (!record?.sealed) throw new Error('the store holds no value');
          const { version, envelope } = record.sealed;
          const binding = { owner: ownerKey(record.owner), secretId: record.id, version };
          expect(await open(envelope, binding, keyring)).toBe(naughtyStrings[index]);
        } else {
          expect(typeOf(answer)).toBe('validation_error');
          refused.push(naughtyStrings[index] ?? '');
        }
      }
    } finally {
      await store.close();
    }
    // Nothing but the empty value, the ill-formed and the mask.
    expect(refused).toEqual(naughtyStrings.filter((text) => text === '' || !text.isWellFormed() || text.includes('•')));
  });

  it.each<[string, string, (text: string) => unknown, string[]]>([
    ['an id', 'query ($id: ID!) { secret(id: $id) { name } }', (id) => ({ id }), ['validation_error']],
    [
      'a cursor',
      'query ($after: String) { secrets(after: $after) { totalCount } }',
      (after) => ({ after }),
      ['invalid_request_error'],
    ],
    [
      'a team',
      'query ($teamId: ID) { secrets(owner: { teamId: $teamId }) { totalCount } }',
      (teamId) => ({ teamId }),
      ['access_denied_error', 'validation_error'],
    ],
    [
      'a connector',
      'query ($connectorId: ID) { secrets(owner: { teamId: "red", connectorId: $connectorId }) { totalCount } }',
      (connectorId) => ({ connectorId }),
      ['validation_error'],
    ],
    [
      'a filter',
      'query ($t: String!) { secrets(filter: { name: $t, nameStartsWith: $t, provider: $t, tags: [$t], placeholder: $t }) { totalCount } }',
      (t) => ({ t }),
      ['validation_error'],
    ],
    [
      'a type of an entity',
      'query ($t: _Any!) { _entities(representations: [$t]) { __typename } }',
      (t) => ({ t: { __typename: t, id: t } }),
      [],
    ],
    [
      'an id of an entity',
      'query ($t: _Any!) { _entities(representations: [$t]) { ... on Secret { id } } }',
      (t) => ({ t: { __typename: 'Secret', id: t } }),
      [],
    ],
  ])('as %s find nothing, or are refused by a rule', async (_what, query, variables, types) => {
    for (const answer of await each((text) => run(query, variables(text)))) {
      const { data } = JSON.parse(answer.text);
      const found = data && Object.values(data)[0];
      if (!found) {
        if (answer.status !== 200) expect(types).toContain(typeOf(answer));
        continue;
      }
      expect(answer.milliseconds).toBeLessThan(boundMs);
      if (Array.isArray(found)) expect(found).toEqual([null]);
      else expect(found).toEqual({ totalCount: 0 });
    }
  });

  it.each(['operationName', 'query', 'variables', 'extensions'])('as %s are refused', async (parameter) => {
    const body = { query: '{ __typename }' };
    for (const answer of await each((text) => post(JSON.stringify({ ...body, [parameter]: text })))) {
      if (answer.status !== 200) expect(typeOf(answer)).toMatch(/^(invalid_request|name_length_limit)_error$/);
      else expect(JSON.parse(answer.text)).toHaveProperty('data');
    }
  });
});

describe('meanwhile', () => {
  /** One of them after another, far apart in their order, so that what is alike does not come all at once. */
  const inTurn = (sends: (() => Promise<unknown>)[]) => {
    const stride = 7919;
    let next = 0;
    return () => {
      next += stride;
      return sends[next % sends.length]?.();
    };
  };
  const naughtyUses: ((text: string) => Promise<unknown>)[] = [
    (value) => run(create, { input: { owner: { teamId: 'red' }, name: crypto.randomUUID(), value } }),
    (name) => run(create, { input: { owner: { teamId: 'red' }, name } }),
    (notes) => run(create, { input: { owner: { teamId: 'red' }, name: crypto.randomUUID(), notes, tags: [notes] } }),
    (id) => run('query ($id: ID!) { secret(id: $id) { name } }', { id }),
    (after) => run('query ($after: String) { secrets(after: $after) { totalCount } }', { after }),
    (query) => run(query),
  ];
  const kinds: [string, (() => Promise<unknown>)[]][] = [
    [
      'documents, alone and ten in a batch',
      documents.flatMap((one) => [() => run(one[1]), ...(fitsInBatch(one) ? [() => post(batchOf(one[1]))] : [])]),
    ],
    [
      'bodies',
      [
        () => post(batchOfThousand),
        () => post(nestedVariable),
        () => post(manyVariables),
        () => post(neverClosed),
        () => post(manyQuotes),
        () => post(manyStrings),
        () => post(gzipBomb, { 'content-encoding': 'gzip' }),
        () => flood('Transfer-Encoding: chunked', chunk, 1024 * mebibyte),
        () => flood(`Content-Length: ${100 * mebibyte}`, space, 100 * mebibyte),
      ],
    ],
    // Nobody waits for these: they are ended after the window.
    ['slow headers', [async () => void Array.from({ length: 5 }, () => drip(`${head}X-Slow: `, true))]],
    ['operators', positions.flatMap(([, query, v]) => operators.map((operator) => () => run(query, v(operator))))],
    ['naughty strings', naughtyStrings.flatMap((text) => naughtyUses.map((use) => () => use(text)))],
  ];

  const seconds = 1;
  const windows = 8;

  /** Quiet and attack in turn, so that what else the machine does disturbs both. @returns both p99s, in milliseconds */
  async function compare(send: () => Promise<unknown> | undefined): Promise<{ quiet: number; attacked: number }> {
    const [quiet, attacked]: [Sample[], Sample[]] = [[], []];
    for (let window = 0; window < windows; window += 1) {
      await client.take();
      await sleep(seconds * 1000);
      quiet.push(...(await client.take()));
      const answers: Promise<unknown>[] = [];
      for (let sent = 0; sent < (seconds * 1000) / paceMs; sent += 1) {
        answers.push(Promise.resolve(send()));
        await sleep(paceMs);
      }
      await Promise.all(answers);
      // And what was asked meanwhile and is still under way.
      await sleep(100);
      attacked.push(...(await client.take()));
      for (const socket of dripping) socket.destroy();
    }
    expect(Math.min(quiet.length, attacked.length)).toBeGreaterThan(windows * seconds * 50);
    expect([...quiet, ...attacked].filter(({ status }) => status !== 200)).toEqual([]);
    return { quiet: percentile(quiet, 0.99), attacked: percentile(attacked, 0.99) };
  }

  it.each(kinds)(
    'the p99 of a well-behaved client is at most three times that in quiet: %s',
    { timeout: 120_000 },
    async (kind, sends) => {
      const send = inTurn(sends);
      // What else the machine does can make both slower, never faster: the least of either in up to three tries is meant.
      let [quiet, attacked] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
      for (let tries = 0; tries === 0 || (tries < 3 && attacked > 3 * quiet); tries += 1) {
        const tried = await compare(send);
        [quiet, attacked] = [Math.min(quiet, tried.quiet), Math.min(attacked, tried.attacked)];
        const times = (attacked / quiet).toFixed(1);
        console.info(`p99 ${quiet.toFixed(1)} ms in quiet, ${attacked.toFixed(1)} ms (× ${times}): ${kind}`);
      }
      expect(attacked).toBeLessThan(Number.POSITIVE_INFINITY);
      expect(attacked).toBeLessThanOrEqual(3 * quiet);
    },
  );

  it('the memory of the gateway stayed bounded, and it still answers', async () => {
    await expectSuccess(run('{ secrets { totalCount } }'));
    await memory();
    console.info(
      `memory ${(memoryAtRest / mebibyte).toFixed()} MiB at rest, ${(mostMemory / mebibyte).toFixed()} MiB at most`,
    );
    expect(mostMemory).toBeLessThan(memoryAtRest + maxGrowth);
    expect(gateway.output.stderr).not.toContain('"level":50');
  });
});

describe('what is allowed, and large', () => {
  it('600 documents of 8 KB are not all kept, which would take half a gigabyte', { timeout: 60_000 }, async () => {
    const before = await memory();
    for (let made = 0; made < 600; made += 1) {
      const names = Array.from({ length: 165 }, (_, i) => `f${made}x${i}`);
      const fragments = names.map((name) => `fragment ${name} on Viewer{subject scopes}`).join(' ');
      await expectSuccess(run(`{ viewer { ${names.map((name) => `...${name}`).join(' ')} } } ${fragments}`));
    }
    const growth = (await memory()) - before;
    console.info(`${(growth / mebibyte).toFixed()} MiB more after 600 large documents`);
    expect(growth).toBeLessThan(500 * mebibyte);
  });

  it('an answer of 100,000 secrets holds nobody up while it is made', { timeout: 60_000 }, async () => {
    const owner = { teamId: 'red', connectorId: 'large' };
    for (let made = 0; made < 100; made += 1) {
      await expectSuccess(
        run(create, { input: { owner, name: `secret ${made}`, value: 'a value', tags: ['a', 'b'] } }),
      );
    }
    const fields = 'id name placeholder provider notes tags maskedValue version createdAt updatedAt';
    const query = `query ($r: [_Any!]!) { _entities(representations: $r) { ... on Connector { secrets { nodes { ${fields} } } } } }`;
    const r = Array(1000).fill({ __typename: 'Connector', teamId: 'red', id: 'large' });
    let share = 1;
    for (let tries = 0; tries === 0 || (tries < 3 && share > 1 / 3); tries += 1) {
      await client.take();
      const { status, text, milliseconds } = await run(query, { r });
      const longest = percentile(await client.take(), 1);
      console.info(
        `${text.length} bytes in ${milliseconds.toFixed()} ms; another client waited for ${longest.toFixed()} ms at most`,
      );
      expect(status).toBe(200);
      expect(text.match(/"maskedValue"/g)).toHaveLength(100_000);
      share = Math.min(share, longest / milliseconds);
    }
    expect(share).toBeLessThan(1 / 3);
  });
});
