import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { AttackedGateway, mebibyte, typeOf } from '../../support/attacked-gateway.ts';

let gateway: AttackedGateway;
beforeAll(async () => {
  gateway = await AttackedGateway.start();
});
afterAll(() => gateway.close());

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

const space = Buffer.alloc(65_536, 32);
const chunk = Buffer.concat([Buffer.from('10000\r\n'), space, Buffer.from('\r\n')]);

const refusals: [string, () => string | Buffer, string, Record<string, string>?][] = [
  ['a batch of 1,000', () => batchOfThousand, 'batch_limit_error'],
  ['JSON nested a hundred thousand levels deep', () => nestedVariable, 'depth_limit_error'],
  ['half a million brackets that are never closed', () => neverClosed, 'depth_limit_error'],
  ['a list of a hundred and fifty thousand lists in a variable', () => manyVariables, 'variables_limit_error'],
  ['a string of half a million quotes', () => manyQuotes, 'tokens_limit_error'],
  ['a list of 340,000 strings', () => manyStrings, 'variables_limit_error'],
  ['a gzip bomb', () => gzipBomb, 'unsupported_media_type_error', { 'content-encoding': 'gzip' }],
];

it.each(refusals)('refuses %s and keeps answering other clients', async (what, body, type, headers = {}) => {
  expect(body().length).toBeLessThan(mebibyte);
  await gateway.attack(
    what,
    () => gateway.post(body(), headers),
    (answer) => expect(typeOf(answer)).toBe(type),
  );
});

it.each([
  ['a body of 1 GiB in chunks', 'Transfer-Encoding: chunked', 1024],
  ['a variable of 100 MiB', `Content-Length: ${100 * mebibyte}`, 100],
])('closes the connection of %s early and keeps answering other clients', async (what, header, mebibytes) => {
  const piece = header.startsWith('Transfer') ? chunk : space;
  const floods = () => Promise.all(Array.from({ length: 4 }, () => gateway.flood(header, piece, mebibytes * mebibyte)));
  const check = (answers: Awaited<ReturnType<typeof floods>>) => {
    for (const { text, sent } of answers) {
      expect(text).toMatch(/^HTTP\/1\.1 413 /);
      expect(text).toContain('"code":"PAYLOAD_TOO_LARGE"');
      // The bytes that the gateway read, and those that were still in the buffers of both sockets.
      expect(sent).toBeLessThan(16 * mebibyte);
    }
  };
  await gateway.attack(what, floods, check, 4);
});

it('stops reading the endless body of a request with two credentials', async () => {
  const header = 'Transfer-Encoding: chunked\r\nX-Api-Key: sgk_wrong';
  const send = () => gateway.flood(header, chunk, 1024 * mebibyte);
  await gateway.attack('an endless body of a refused request', send, ({ text, sent }) => {
    expect(text).toMatch(/^HTTP\/1\.1 400 /);
    expect(sent).toBeLessThan(16 * mebibyte);
  });
});
