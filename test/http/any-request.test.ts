import { connect } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { errorTable } from '../../src/errors.ts';
import * as requestTarget from '../../src/http/request-target.ts';
import { TestGateway } from '../support/gateway.ts';
import { get } from '../support/http.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await TestGateway.start('sqlite', { NODE_ENV: 'production', RATE_LIMIT: 'off' });
});
afterAll(() => gateway.close());

/** Writes these bytes and hangs up. @returns all that came back */
function send(bytes: Buffer): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const { port } = new URL(gateway.url);
    const socket = connect({ port: Number(port), host: '127.0.0.1', allowHalfOpen: true }, () => socket.end(bytes));
    socket.setEncoding('latin1').on('data', (data) => {
      text += data;
    });
    socket.on('end', () => socket.destroy());
    socket.on('error', () => {});
    socket.on('close', () => resolve(text));
  });
}

const latin1 = (text: string) => Buffer.from(text, 'latin1');

/** An answer that the gateway made: with a request id and, if it is an error, with a code that is logged. */
function expectOwnAnswer(text: string, method: string): number {
  const [head = '', body = ''] = text.replace(/^HTTP\/1\.1 100 Continue\r\n\r\n/, '').split(/\r\n\r\n(.*)/s);
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1]);
  const requestId = /\r\nx-request-id: (.*)/i.exec(head)?.[1];
  expect(requestId, text).toBeTruthy();
  expect(status, text).not.toBe(500);
  expect(text).not.toMatch(/\n\s+at |node_modules|node:/);
  if (status < 400) return status;
  const logged = gateway.log.map((line) => JSON.parse(line)).findLast((line) => line.requestId === requestId);
  const row = errorTable[logged?.code as keyof typeof errorTable];
  expect(row?.status, text).toBe(status);
  if (method !== 'HEAD') {
    const json = JSON.parse(/^\{.*\}/s.exec(body.replace(/^[\da-f]+\r\n/i, ''))?.[0] ?? 'null');
    expect(json?.errors?.[0]?.extensions, text).toMatchObject({ code: logged.code, status, requestId });
  }
  return status;
}

async function refusals(): Promise<number> {
  const { text } = await get(gateway, '/metrics');
  const counts = [...text.matchAll(/_refusals_total\{.*\} (\d+)/g)].map(([, count]) => Number(count));
  return counts.reduce((sum, count) => sum + count, 0);
}

const line = 'GET /graphql?query={__typename} HTTP/1.1';
const host = 'Host: localhost';

describe('a request that is malformed, or asks for what there is not, is refused, logged and counted', () => {
  const rows: [number, string[]][] = [
    ...['a b', '[', 'x:y', '[::1', 'a/b', 'a@b', 'u:p@localhost', '', '1.2.3.999', 'localhost:99999', '%zz', 'a?b'].map(
      (name): [number, string[]] => [400, [line, `Host: ${name}`]],
    ),
    [400, [line]],
    [400, [line, host, host]],
    [400, [line, host, 'Host: other']],
    [400, ['GET /graphql?query={__typename} HTTP/1.0', 'Host: a b']],
    [400, ['GET /livez HTTP/1.1', 'Host: a b']],
    [400, ['GET /nothing HTTP/1.1', 'Host: a b']],
    ...[
      'http://[/graphql',
      'http://a b/graphql',
      'http://u@localhost/graphql',
      'http:///graphql',
      'ftp://a/graphql',
    ].map((target): [number, string[]] => [400, [`GET ${target} HTTP/1.1`, host]]),
    [400, ['GET * HTTP/1.1', host]],
    [404, ['OPTIONS * HTTP/1.1', host]],
    [404, ['GET //graphql HTTP/1.1', host]],
    [404, ['GET /%zz HTTP/1.1', host]],
    [400, ['GET /gr\xe4phql HTTP/1.1', host]],
    [405, ['TRACE /graphql HTTP/1.1', host]],
    [405, ['PROPFIND /graphql HTTP/1.1', host]],
    [405, ['CONNECT localhost:1 HTTP/1.1', host]],
    [400, ['BREW /graphql HTTP/1.1', host]],
    [400, ['POST /graphql HTTP/1.1', host, 'Content-Length: 2', 'Transfer-Encoding: chunked']],
    [400, ['POST /graphql HTTP/1.1', host, 'Content-Length: 2', 'Content-Length: 3']],
    [400, ['POST /graphql HTTP/1.1', host, 'Content-Length: x']],
    [400, ['GET /livez HTTP/1.1', host, 'Content-Length: 2']],
    [400, [line, host, 'Content-Length: 2']],
    [400, [line, host, 'Transfer-Encoding: application/json']],
    [404, ['POST /nothing HTTP/1.1', host, 'Transfer-Encoding: application/json']],
    [400, ['POST /graphql HTTP/1.1', host, 'Content-Type: application/json', 'Transfer-Encoding: chunked', '', 'x']],
    [
      400,
      ['POST /graphql HTTP/1.1', host, 'Content-Type: application/json', 'Transfer-Encoding: chunked', '', '1', '{}'],
    ],
    [400, [line, host, 'na me: x']],
    [400, [line, host, 'n\xe4me: x']],
    [400, [line, host, ': x']],
    [431, [line, host, `X: ${'a'.repeat(33_000)}`]],
    [431, [`GET /${'a'.repeat(33_000)} HTTP/1.1`, host]],
  ];

  it.each(rows.map(([status, lines]): [number, string, string[]] => [status, lines.join(' | ').slice(0, 80), lines]))(
    'with %i: %s',
    async (status, _title, lines) => {
      const before = await refusals();
      const text = await send(latin1(`${lines.join('\r\n')}\r\n\r\n`));
      expect(expectOwnAnswer(text, lines[0]?.split(' ')[0] ?? '')).toBe(status);
      expect(await refusals()).toBe(before + 1);
    },
  );
});

it.each<[string, string[]]>([
  ['a whole URL', ['GET http://localhost/graphql?query={__typename} HTTP/1.1', host]],
  ['a whole URL, whose host counts', ['GET HTTP://localhost:1/graphql?query={__typename} HTTP/1.1', 'Host: other']],
  ['HTTP/1.0 without a Host header', ['GET /graphql?query={__typename} HTTP/1.0']],
  ['an address', [line, 'Host: [2001:db8::1]:4000']],
  ['a name with an underscore', [line, 'Host: my_service:4000']],
  ['a wish to upgrade', [line, host, 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Key: x']],
  ['an unknown expectation', [line, host, 'Expect: anything']],
  ['odd forwarded headers', [line, host, 'X-Forwarded-Host: a b', 'X-Forwarded-Proto: \xff', 'Forwarded: ;;;=']],
  ['escapes that do not decode', ['GET /graphql?query={__typename}&x=%zz%ff HTTP/1.1', host]],
])('a request with %s is answered', async (_what, lines) => {
  const text = await send(latin1(`${lines.join('\r\n')}\r\nConnection: close\r\n\r\n`));
  expect(expectOwnAnswer(text, 'GET')).toBe(200);
  expect(text).toContain('{"data":{"__typename":"Query"}}');
});

it('an error outside the stages of the engine is answered, logged and counted as what it is: a defect', async () => {
  const before = await refusals();
  const check = vi.spyOn(requestTarget, 'normalizeTarget').mockImplementation(() => {
    throw new TypeError('Invalid URL');
  });
  const received = await send(latin1(`${line}\r\n${host}\r\nX-Request-Id: the-defect\r\n\r\n`));
  check.mockRestore();
  expect(received).toMatch(/^HTTP\/1\.1 500 .*\r\nX-Request-Id: the-defect\r\n.*"code":"INTERNAL_SERVER_ERROR"/s);
  expect(received).not.toMatch(/Invalid|\n\s+at |node_modules/);
  expect(await refusals()).toBe(before + 1);
  const index = gateway.log.findIndex((one) => one.includes('"the-defect"'));
  expect(JSON.parse(gateway.log.splice(index, 1)[0] ?? '')).toMatchObject({ level: 50, code: 'INTERNAL_SERVER_ERROR' });
});

const text = (maxLength: number) =>
  fc.string({ maxLength, unit: 'binary' }).map((any) => any.replaceAll(/[\r\n]/g, ' '));
const oneOf = (words: readonly string[], any: number) => fc.oneof(fc.constantFrom(...words), text(any));
const requests = fc.record({
  method: oneOf(['GET', 'POST', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE', 'CONNECT', 'get', 'PRI', 'M-SEARCH'], 8),
  target: fc.oneof(
    oneOf(
      ['/graphql', '/', '*', '/livez', '/readyz', '/metrics', '/graphql?query={__typename}', '/graphql?variables=['],
      40,
    ),
    fc.tuple(fc.constantFrom('http://', 'https://', '//', 'http:', '/'), text(20)).map((parts) => parts.join('')),
    text(3000).map((any) => `/graphql?query=${encodeURIComponent(any.toWellFormed())}`),
  ),
  version: oneOf(['HTTP/1.1', 'HTTP/1.1', 'HTTP/1.1', 'HTTP/1.0', 'HTTP/2.0', 'http/1.1'], 8),
  host: fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(host, 'Host: a.example:1') },
    text(20).map((any) => `Host: ${any}`),
  ),
  headers: fc.array(
    fc
      .tuple(
        oneOf(
          [
            'Host',
            'Accept',
            'Content-Type',
            'Content-Length',
            'Transfer-Encoding',
            'Expect',
            'Upgrade',
            'Connection',
            'Cookie',
          ]
            .concat([
              'Origin',
              'X-Request-Id',
              'X-Forwarded-For',
              'X-Forwarded-Host',
              'Authorization',
              'X-API-Key',
              'Content-Encoding',
            ])
            .concat(['Access-Control-Request-Method', 'Range', 'TE', 'Trailer', '__proto__', 'constructor']),
          10,
        ),
        oneOf(
          [
            'application/json',
            '*/*',
            'chunked',
            'gzip',
            '0',
            '2',
            '100-continue',
            'close',
            'keep-alive',
            'h2c',
            'bytes=0-',
          ],
          30,
        ),
      )
      .map((pair) => pair.join(': ')),
    { maxLength: 5 },
  ),
  body: oneOf(
    ['', '{}', '{"query":"{ __typename }"}', '2\r\n{}\r\n0\r\n\r\n', '[', '0\r\n\r\nGET / HTTP/1.1\r\n\r\n'],
    30,
  ),
});

it('any request is answered by the gateway itself, or its connection is closed', { timeout: 120_000 }, async () => {
  let answered = 0;
  await fc.assert(
    fc.asyncProperty(requests, async ({ method, target, version, host, headers, body }) => {
      const bytes = latin1(`${[`${method} ${target} ${version}`, host, ...headers].join('\r\n')}\r\n\r\n${body}`);
      const received = await send(bytes);
      if (received === '') return;
      answered += 1;
      expectOwnAnswer(received, method);
    }),
    { numRuns: 500 },
  );
  expect(answered).toBeGreaterThan(400);
  expect((await gateway.run('{ viewer { subject } }')).data).toEqual({ viewer: { subject: 'ada' } });
  const levels = gateway.log.map((one) => JSON.parse(one)).filter(({ level }) => level >= 50);
  expect(levels).toEqual([]);
});
