import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AttackAnswer, AttackedGateway, mebibyte, typeOf } from '../support/attacked-gateway.ts';
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

const allowed = ({ status, text }: AttackAnswer) => expect([status, text.includes('"errors"')]).toEqual([200, false]);

describe('what one request costs', () => {
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
  ])('%s', { timeout: 120_000 }, async (what, send, check, times) => {
    await gateway.attack(what, send, check, times);
  });
});

export { mebibyte, request };
