import type { Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAskProvider } from '../../../src/broker/check/ask-provider.ts';
import { openBroker } from '../../../src/broker/open-broker.ts';
import { OpenUses } from '../../../src/broker/open-uses.ts';
import type { Forwarder } from '../../../src/broker/upstream/forward.ts';
import type { ProviderCheck } from '../../../src/model/provider-check.ts';
import type { CheckResult } from '../../../src/model/secret-health.ts';
import { keyAt, plainCheck as plain, value } from '../../support/checks.ts';
import { RawServer, testForwarder } from '../../support/forwarding.ts';

let forwarder: Forwarder;
beforeAll(() => {
  forwarder = testForwarder();
});
afterAll(() => forwarder.close());

/** Its results are in the body. */
const inBody: ProviderCheck = {
  ...plain,
  results: {
    200: [
      { at: '/ok', is: [true], result: 'VALID' },
      { at: '/ok', is: [false], result: 'REJECTED' },
    ],
  },
};

interface Asking {
  readonly check?: ProviderCheck;
  readonly deadlineMs?: number;
  readonly uses?: OpenUses;
}

const ask = (origin: string, { check = plain, deadlineMs = 60_000, uses = new OpenUses() }: Asking = {}) =>
  createAskProvider({ forwarder, uses, version: '1.2.3', onCheck: () => {}, deadlineMs })(keyAt(origin, check));

const head = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n';
const whole = (body: string, status = '200 OK', headers = '') =>
  `HTTP/1.1 ${status}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n${headers}\r\n${body}`;

/** What a check says at a server that does this with each connection. The server's end of the connection has closed then. */
async function resultAt(onRequest: (socket: Socket) => void, asking: Asking = {}): Promise<CheckResult> {
  const closed: Promise<unknown>[] = [];
  const server = await RawServer.start((socket) => {
    closed.push(new Promise((resolve) => socket.on('close', resolve)));
    onRequest(socket);
  });
  const uses = new OpenUses();
  try {
    const result = await ask(server.origin, { uses, ...asking });
    expect(uses.count).toBe(0);
    await Promise.all(closed);
    return result;
  } finally {
    await server.close();
  }
}

const answers = (bytes: string | Buffer) => (socket: Socket) => void socket.write(bytes);

/** Writes for as long as somebody reads. */
const endless = (socket: Socket, start: string, piece: Buffer) => {
  const more = () => {
    while (!socket.destroyed && socket.write(piece));
  };
  socket.on('drain', more).write(start);
  more();
};

describe('a check of a key', () => {
  const hostile: [what: string, onRequest: (socket: Socket) => void, byStatus: CheckResult, byBody: CheckResult][] = [
    [
      'a body without an end',
      (socket) => endless(socket, `${head}\r\n`, Buffer.alloc(65_536, ' ')),
      'VALID',
      'UNSUPPORTED',
    ],
    ['a body of over 64 KiB', answers(whole(`{"ok":true}${' '.repeat(65_536)}`)), 'VALID', 'UNSUPPORTED'],
    ['a body of 64 KiB', answers(whole('{"ok":true}'.padEnd(65_536))), 'VALID', 'VALID'],
    ['a page with 200', answers(whole('<html>hello</html>')), 'VALID', 'UNSUPPORTED'],
    ['broken JSON', answers(whole('{"ok":tru')), 'VALID', 'UNSUPPORTED'],
    ['no body', answers(whole('')), 'VALID', 'UNSUPPORTED'],
    [
      'a body that breaks off',
      (socket) => void socket.end(`${head}Content-Length: 99\r\n\r\n{"ok":true}`),
      'VALID',
      'UNREACHABLE',
    ],
    ['JSON of great depth', answers(whole('['.repeat(60_000))), 'VALID', 'UNSUPPORTED'],
    ['the key in its body', answers(whole(JSON.stringify({ ok: false, key: value }))), 'VALID', 'REJECTED'],
    ['the key in a header', answers(whole('{"ok":true}', '200 OK', `X-Key: ${value}\r\n`)), 'VALID', 'VALID'],
    ['gzip, which nobody asked for', answers(zipped('{"ok":false}')), 'VALID', 'REJECTED'],
    ['a gzip bomb', answers(zipped(`{"ok":true}${' '.repeat(50_000_000)}`)), 'VALID', 'UNSUPPORTED'],
    [
      'gzip that is broken',
      answers(whole('{"ok":true}', '200 OK', 'Content-Encoding: gzip\r\n')),
      'VALID',
      'UNREACHABLE',
    ],
    [
      'a coding that nobody knows',
      answers(whole('{"ok":true}', '200 OK', 'Content-Encoding: x\r\n')),
      'VALID',
      'UNREACHABLE',
    ],
    ['no answer but an end', (socket) => void socket.end(), 'UNREACHABLE', 'UNREACHABLE'],
    ['a reset', (socket) => void socket.resetAndDestroy(), 'UNREACHABLE', 'UNREACHABLE'],
    ['other words', answers('220 mail.test ESMTP\r\n'), 'UNREACHABLE', 'UNREACHABLE'],
    [
      'a header without an end',
      (socket) => endless(socket, `${head}X-A: `, Buffer.alloc(65_536, 'a')),
      'UNREACHABLE',
      'UNREACHABLE',
    ],
    [
      'headers without an end',
      (socket) => endless(socket, head, Buffer.from('X-A: b\r\n'.repeat(1000))),
      'UNREACHABLE',
      'UNREACHABLE',
    ],
    [
      'another protocol',
      answers('HTTP/1.1 101 No\r\nUpgrade: evil\r\nConnection: Upgrade\r\n\r\n'),
      'UNREACHABLE',
      'UNREACHABLE',
    ],
    ['a status beyond all', answers('HTTP/1.1 999 No\r\nContent-Length: 0\r\n\r\n'), 'UNREACHABLE', 'UNREACHABLE'],
    ['no content', answers('HTTP/1.1 204 No Content\r\n\r\n'), 'VALID', 'VALID'],
    [
      '401 with a body without an end',
      (socket) => endless(socket, 'HTTP/1.1 401 No\r\n\r\n', Buffer.alloc(65_536, ' ')),
      'REJECTED',
      'REJECTED',
    ],
    ['503 with a page', answers(whole('<html>sorry</html>', '503 Sorry')), 'UNREACHABLE', 'UNREACHABLE'],
    ['429', answers(whole('{"ok":false}', '429 Slow', 'Retry-After: 9\r\n')), 'RATE_LIMITED', 'RATE_LIMITED'],
  ];
  it.each(hostile)('ends at a provider that answers with %s', async (_what, onRequest, byStatus, byBody) => {
    expect(await resultAt(onRequest)).toBe(byStatus);
    expect(await resultAt(onRequest, { check: inBody })).toBe(byBody);
  });

  const slow: [what: string, onRequest: (socket: Socket) => void, byStatus: CheckResult][] = [
    ['nothing', () => {}, 'UNREACHABLE'],
    ['half a head', answers('HTTP/1.1 200 O'), 'UNREACHABLE'],
    ['headers one by one', (socket) => drip(socket, head, 'X-A: b\r\n'), 'UNREACHABLE'],
    ['hints one by one', (socket) => drip(socket, '', 'HTTP/1.1 102 Wait\r\n\r\n'), 'UNREACHABLE'],
    ['half a body', answers(`${head}Content-Length: 99\r\n\r\n{"ok"`), 'VALID'],
    ['a body byte by byte', (socket) => drip(socket, `${head}Content-Length: 9999\r\n\r\n`, ' '), 'VALID'],
    ['half of compressed content', answers(zipped('{"ok":true}').subarray(0, -4)), 'VALID'],
    [
      'compressed content byte by byte',
      (socket) => drip(socket, `${head}Content-Encoding: gzip\r\n\r\n\x1f`, '\x8b'),
      'VALID',
    ],
  ];
  it.each(slow)('ends in time at a provider that answers with %s', async (_what, onRequest, byStatus) => {
    expect(await resultAt(onRequest, { deadlineMs: byStatus === 'VALID' ? 60_000 : 200 })).toBe(byStatus);
    expect(await resultAt(onRequest, { deadlineMs: 200, check: inBody })).toBe('UNREACHABLE');
  });

  it('follows no redirect, and sends the key nowhere else', async () => {
    const other = await RawServer.start((socket) => socket.write(whole('{"ok":true}')));
    for (const location of [`${other.origin}/`, 'http://169.254.169.254/latest/meta-data/', '/v1/elsewhere'])
      for (const status of [301, 302, 303, 307, 308])
        for (const check of [plain, inBody])
          expect(await resultAt(answers(whole('', `${status} There`, `Location: ${location}\r\n`)), { check })).toBe(
            'UNSUPPORTED',
          );
    expect(other.connections).toBe(0);
    await other.close();
  });

  it('cannot reach an address that a use cannot reach', async () => {
    for (const origin of [
      'http://169.254.169.254',
      'https://10.0.0.1',
      'http://192.0.2.1',
      'https://no-such-name.invalid',
    ])
      expect(await ask(origin)).toBe('UNREACHABLE');
    const guarded = openBroker({
      allowPrivate: [],
      allowHttp: false,
      timeoutMs: 1000,
      version: '1',
      onCheck: () => {},
    });
    const server = await RawServer.start((socket) => socket.write(whole('{"ok":true}')));
    const secure = server.origin.replace('http:', 'https:');
    expect(await guarded.askProvider(keyAt(server.origin))).toBe('UNREACHABLE');
    expect(await guarded.askProvider(keyAt(secure))).toBe('UNREACHABLE');
    expect(server.connections).toBe(0);
    guarded.close();
    await server.close();
  });
});

/** Writes a piece again and again, until nobody is there. */
function drip(socket: Socket, start: string, piece: string): void {
  socket.write(start, 'latin1');
  const timer = setInterval(() => socket.write(piece, 'latin1'), 5);
  socket.on('close', () => clearInterval(timer));
}

function zipped(text: string): Buffer {
  const content = gzipSync(text);
  return Buffer.concat([
    Buffer.from(`${head}Content-Encoding: gzip\r\nContent-Length: ${content.length}\r\n\r\n`),
    content,
  ]);
}
