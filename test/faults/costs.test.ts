import { randomUUID } from 'node:crypto';
import { request } from 'node:http';
import { getIntrospectionQuery } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AttackAnswer, AttackedGateway, typeOf } from '../support/attacked-gateway.ts';
import { createSecret } from '../support/graphql.ts';

let gateway: AttackedGateway;
const owner = { teamId: 'red', connectorId: 'costly' };
const notes = 'n'.repeat(4096);
const tags = Array.from({ length: 50 }, (_, i) => `${i}`.padEnd(64, 'é'));
beforeAll(async () => {
  gateway = await AttackedGateway.start();
  for (let made = 0; made < 18; made += 1) {
    const input = { owner, name: `secret ${made}`, value: 'a value', notes, tags };
    expect((await gateway.run(createSecret(), { input })).status).toBe(200);
  }
}, 60_000);
afterAll(() => gateway.close());

const connectors = Array(1000).fill({ __typename: 'Connector', teamId: 'red', id: 'costly' });
const entities = (list: string, declared = '') =>
  `query ($r: [_Any!]!${declared}) { _entities(representations: $r) { ... on Connector { ${list} } } }`;

/** Of a batch. */
const items = (more: (index: number) => object = () => ({})) =>
  Array.from({ length: 500 }, (_, index) => ({ name: `S ${index}`, value: `value ${index}`, ...more(index) }));
const fewTags = Array.from({ length: 50 }, (_, i) => `tag ${i}`);
const createSecrets = `mutation ($input: CreateSecretsInput!) {
  createSecrets(input: $input) { items { index action secret { id name tags } warnings { type } } totalCount }
}`;
/** For a new connector, unless it is named. */
const create = (secrets: object[], onConflict = 'FAIL', connectorId: string = randomUUID()) =>
  gateway.run(createSecrets, { input: { owner: { teamId: 'red', connectorId }, secrets, onConflict } });

const allowed = ({ status, text }: AttackAnswer) => expect([status, text.includes('"errors"')]).toEqual([200, false]);

describe('what one request may cost', () => {
  it.each<[string, () => Promise<AttackAnswer>, (answer: AttackAnswer) => void, number]>([
    [
      '1,000 lists of 18 secrets with long notes and tags',
      () => gateway.run(entities('secrets { nodes { id name notes tags } }'), { r: connectors }),
      (answer) => expect(typeOf(answer)).toBe('answer_limit_error'),
      10,
    ],
    [
      '30 aliases of notes',
      () =>
        gateway.run(
          entities(`secrets { nodes { ${Array.from({ length: 30 }, (_, i) => `a${i}: notes`).join(' ')} } }`),
          { r: connectors.slice(0, 100) },
        ),
      (answer) => expect(typeOf(answer)).toBe('answer_limit_error'),
      10,
    ],
    [
      '30 long aliases of __typename of 1,000 × 18 secrets',
      () =>
        gateway.run(
          entities(
            `secrets { nodes { ${Array.from({ length: 30 }, (_, i) => `${'a'.repeat(240)}${i}: __typename`).join(' ')} } }`,
          ),
          { r: connectors },
        ),
      (answer) => expect(typeOf(answer)).toBe('answer_limit_error'),
      1,
    ],
    [
      '2,000 combining marks in a filter of 1,000 lists',
      () =>
        gateway.run(entities('secrets(filter: $f) { totalCount }', ', $f: SecretFilter'), {
          r: connectors,
          f: { name: `a${'\u0301\u0323'.repeat(1000)}` },
        }),
      ({ text }) => expect(text).toContain('combining_marks'),
      20,
    ],
    [
      '1,000 connectors whose ids are combining marks',
      () =>
        gateway.run(entities('secrets { totalCount }'), {
          r: connectors.map((one, i) => ({ ...one, id: `a${'\u0301\u0323'.repeat(200)}${i}` })),
        }),
      ({ text }) => expect(text).toContain('BAD_REQUEST'),
      20,
    ],
    [
      'one cursor of 800 KB for 1,000 lists',
      () =>
        gateway.run(entities('secrets(after: $c) { totalCount nodes { id } }', ', $c: String'), {
          r: connectors,
          c: 'A'.repeat(800_000),
        }),
      ({ text }) => expect(text).toContain('BAD_REQUEST'),
      20,
    ],
    [
      '50 tags in the filter of 100 counts',
      () =>
        gateway.run(entities('secrets(filter: $f) { totalCount }', ', $f: SecretFilter'), {
          r: connectors.slice(0, 100),
          f: { tags },
        }),
      allowed,
      5,
    ],
    [
      '4,900 unknown keys in a filter',
      () =>
        gateway.run('query ($f: SecretFilter) { secrets(filter: $f) { totalCount } }', {
          f: Object.fromEntries(Array.from({ length: 4900 }, (_, i) => [`unknown${i}`, 'x'.repeat(100)])),
        }),
      (answer) => expect(typeOf(answer)).toBe('invalid_request_error'),
      1,
    ],
    [
      'a block string of 500,000 newlines, without credentials',
      () => gateway.post(JSON.stringify({ query: `{ a(b: """${'\n'.repeat(500_000)}""") }` }), { authorization: '' }),
      () => {},
      1,
    ],
    [
      '1,000 lists with 50 tags of 256 bytes that break a rule',
      () =>
        gateway.run(entities('secrets(filter: $f) { totalCount }', ', $f: SecretFilter'), {
          r: connectors,
          f: { tags: tags.map((tag) => `${tag}${'\ud800'}`) },
        }),
      ({ text }) => expect(text).toContain('ill_formed'),
      20,
    ],
    [
      'a filter of 900 KB, written anew for each of 1,000 lists',
      () =>
        gateway.run(entities('secrets(filter: { name: $n }) { totalCount }', ', $n: String'), {
          r: connectors,
          n: 'é'.repeat(400_000),
        }),
      ({ text }) => expect(text).toContain('too_long'),
      20,
    ],
    ['500 new secrets with 50 tags each', () => create(items(() => ({ tags: fewTags, notes: 'n' }))), allowed, 10],
    ['500 new secrets of 2 KB', () => create(items(() => ({ value: 'v'.repeat(1900) }))), allowed, 10],
    [
      '15 new secrets of 60 KB',
      () => create(items(() => ({ value: 'v \u00a0'.repeat(15_000) })).slice(0, 15)),
      allowed,
      5,
    ],
    ['500 secrets that are updated', () => create(items(), 'UPDATE', 'updated'), allowed, 10],
    [
      '500 items with 50 broken tags each',
      () => create(items(() => ({ tags: Array(50).fill(' ') }))),
      (answer) => expect(typeOf(answer)).toBe('validation_error'),
      5,
    ],
    [
      '500 sealed values that do not open',
      () =>
        create(
          items(() => ({
            value: null,
            sealedValue: `${'e'.repeat(500)}.${'A'.repeat(54)}.${'A'.repeat(16)}.AAAA.${'A'.repeat(22)}`,
          })),
        ),
      (answer) => expect(typeOf(answer)).toBe('unprocessable_content_error'),
      5,
    ],
    [
      '29,000 unknown keys in an item of a batch',
      () => create([Object.fromEntries(Array.from({ length: 29_000 }, (_, i) => [`unknown${i}`, 'x']))]),
      (answer) => expect(typeOf(answer)).toBe('invalid_request_error'),
      1,
    ],
  ])('one request: %s', { timeout: 120_000 }, async (what, send, check, times) => {
    await gateway.attack(what, send, check, times);
  });
});

/** Of a core, that one caller can use with the default rate limit. docs/running.md says it. */
const share = 1 / 2;
const defaultLimit = { points: 600, windowSeconds: 60 };
const mostMsPerPoint = (share * defaultLimit.windowSeconds * 1000) / defaultLimit.points;

const times = (count: number, write: (index: number) => string) =>
  Array.from({ length: count }, (_, i) => write(i)).join(' ');
const introspection = getIntrospectionQuery();

describe('with the default rate limit one caller can use half of a core at most', () => {
  it.each<[string, () => Promise<AttackAnswer>]>([
    ['a count', () => gateway.run('{ secrets { totalCount } }')],
    ['1,000 empty lists', () => gateway.run(entities('secrets { totalCount }'), { r: connectors })],
    [
      '1,000 lists of 18 long secrets, too large an answer',
      () => gateway.run(entities('secrets { nodes { notes tags } }'), { r: connectors }),
    ],
    [
      '100 lists of 18 long secrets',
      () => gateway.run(entities('secrets { nodes { notes tags } }'), { r: connectors.slice(0, 100) }),
    ],
    [
      'edges with cursors',
      () =>
        gateway.run(entities('secrets(filter: { tags: $t }) { edges { cursor } }', ', $t: [String!]'), {
          r: connectors.slice(0, 100),
          t: tags,
        }),
    ],
    [
      'counts of 50 tags',
      () =>
        gateway.run(entities('secrets(filter: { tags: $t }) { totalCount }', ', $t: [String!]'), {
          r: connectors.slice(0, 100),
          t: tags,
        }),
    ],
    [
      '1,000 filters that break rules',
      () =>
        gateway.run(entities('secrets(filter: { tags: $t }) { totalCount }', ', $t: [String!]'), {
          r: connectors,
          t: tags.map((tag) => `${tag}\ud800`),
        }),
    ],
    ['1,000 entities that are none', () => gateway.run(entities('id'), { r: Array(1000).fill({}) })],
    ['a new document with 600 unknown arguments', () => newDocument()],
    [
      'ten of them at once',
      () => gateway.post(JSON.stringify(Array.from({ length: 10 }, () => ({ query: newText() })))),
    ],
    ['a body of 1 MB', () => gateway.run('{ __typename }', { v: 'x'.repeat(1_000_000) })],
    [
      'a body of 5,000 keys',
      () =>
        gateway.run(
          '{ __typename }',
          Object.fromEntries(
            times(4999, String)
              .split(' ')
              .map((key) => [key, 1]),
          ),
        ),
    ],
    ['introspection', () => gateway.run(introspection)],
  ])('costs at most 50 ms of CPU time for each point: %s', { timeout: 60_000 }, async (what, send) => {
    const mostRounds = 5;
    const points = await gateway.pointsOf(send);
    let cpuMs = Number.POSITIVE_INFINITY;
    for (let round = 0; round < mostRounds && cpuMs / points >= mostMsPerPoint; round += 1) {
      await gateway.take();
      await send();
      cpuMs = Math.min(cpuMs, (await gateway.take()).cpuMs);
    }
    const msPerPoint = cpuMs / points;
    console.info(`${what}: ${cpuMs.toFixed(1)} ms for ${points} points, ${msPerPoint.toFixed(1)} for each`);
    expect(msPerPoint).toBeLessThan(mostMsPerPoint);
  });
});

let documents = 0;
function newText(): string {
  documents += 1;
  return `{ secrets(${times(450, (i) => `no${documents}x${i}: 1`)}) { totalCount } }`;
}
const newDocument = () => gateway.run(newText());

describe('what nobody waits for', () => {
  const metric = async (pattern: RegExp) =>
    Number(pattern.exec(await (await fetch(new URL('/metrics', gateway.gateway.url))).text())?.[1] ?? 0);
  const listsRead = () => metric(/work_seconds_count\{work="store\.list",outcome="done"\} (\d+)/);
  const inFlight = () => metric(/requests_in_flight (\d+)/);

  it('is not read any more', { timeout: 60_000 }, async () => {
    const body = JSON.stringify({ query: entities('secrets { nodes { id } }'), variables: { r: connectors } });
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${gateway.token}` };
    /** Hangs up once a list was read. @returns how many were read before it, and in the end */
    const hungUp = async () => {
      const before = await listsRead();
      const sent = request(gateway.gateway.url, { method: 'POST', headers });
      sent.on('error', () => {});
      sent.end(body);
      await expect.poll(listsRead, { interval: 1 }).toBeGreaterThan(before);
      sent.destroy();
      await expect.poll(inFlight, { interval: 1 }).toBe(0);
      return [before, await listsRead()] as const;
    };
    let [before, atEnd] = await hungUp();
    // A slow machine may notice the first list only when all are read. One that goes on after the end reads all each time.
    for (let again = 1; again < 10 && atEnd - before >= 900; again += 1) [before, atEnd] = await hungUp();
    console.info(`${atEnd - before} of 1,000 lists were read`);
    expect(atEnd - before).toBeLessThan(900);
    await gateway.askAsOthersDo();
    expect(await listsRead()).toBeLessThanOrEqual(atEnd + 101);
  });
});
