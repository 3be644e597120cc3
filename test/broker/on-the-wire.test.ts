import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DomainError } from '../../src/errors.ts';
import { normalizeTarget } from '../../src/http/request-target.ts';
import {
  anyName,
  anyValue,
  cgi,
  destinations,
  forwarded,
  key,
  mayPass,
  pairsOf,
  tells,
  value,
} from '../support/brokered-headers.ts';
import { anyTarget, wayOut } from '../support/paths-as-read.ts';

/** Bytes as a hostile client writes them, through Node's parser and Node's client, to an upstream that keeps every byte. */
describe('on real connections', () => {
  let arrived: string[] = [];
  const upstream = createTcpServer((socket) => {
    const at = arrived.push('') - 1;
    socket.setEncoding('latin1').on('error', () => {});
    socket.on('data', (chunk) => {
      arrived[at] += String(chunk);
      if (arrived[at]?.includes('\r\n\r\n')) socket.end('HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n');
    });
  });
  const gateway = createServer((incoming, answer) => {
    const out = rules(incoming);
    if (out) passOn(incoming.method, out, answer);
    else answer.writeHead(400, { connection: 'close' }).end();
  });
  // Whatever a client expects, it is not passed on.
  gateway.on('checkExpectation', (incoming, answer) => gateway.emit('request', incoming, answer));
  const portOf = ({ address }: { address: AddressInfo | string | null }) => (address as AddressInfo).port;

  function rules(incoming: IncomingMessage) {
    try {
      normalizeTarget(incoming);
      // How a body is framed is not decided by these rules.
      if (incoming.headers['transfer-encoding'] || incoming.headers['content-length']) return null;
      return forwarded(incoming.rawHeaders, incoming.url ?? '', destinations.authorization);
    } catch (error) {
      if (error instanceof DomainError && error.status < 500) return null;
      throw error;
    }
  }

  function passOn(
    method: string | undefined,
    { path, headers }: { path: string; headers: string[] },
    answer: ServerResponse,
  ) {
    const all = ['Host', 'api.example.test', ...headers];
    const options = { port: portOf({ address: upstream.address() }), method, path, headers: all, agent: false };
    request(options, (got) => {
      got.resume();
      answer.writeHead(got.statusCode ?? 0, { connection: 'close' }).end();
    }).end();
  }

  beforeAll(async () => {
    for (const server of [upstream, gateway])
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => {
    upstream.close();
    gateway.closeAllConnections();
    gateway.close();
  });

  /** Writes a head. @returns the status, when the connection has ended */
  function write(head: string): Promise<number> {
    const { promise, resolve } = Promise.withResolvers<number>();
    const socket = connect(portOf({ address: gateway.address() }), '127.0.0.1', () =>
      socket.write(Buffer.from(head, 'latin1')),
    );
    let answer = '';
    socket.setEncoding('latin1').on('data', (chunk) => {
      answer += String(chunk);
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(Number(answer.slice(9, 12))));
    return promise;
  }

  /** What is wrong with the bytes that arrived for a request; undefined when nothing is. */
  function faultOf(bytes: string): string | undefined {
    const [head = '', ...after] = bytes.split('\r\n\r\n');
    if (after.join('') !== '') return 'a second request';
    const [line = '', ...fields] = head.split('\r\n');
    const [, path = '', query = ''] = /^GET (\/[^ ?]*)(\?[^ ]*)? HTTP\/1\.1$/.exec(line) ?? [];
    const way = path === '' ? line : wayOut(path, query, '/v1');
    if (way !== undefined) return way;
    const pairs = pairsOf(
      fields.flatMap((field) => [field.slice(0, field.indexOf(':')), field.slice(field.indexOf(':') + 1).trim()]),
    );
    const put = {
      Authorization: `Bearer ${value}`,
      Host: 'api.example.test',
      'Accept-Encoding': 'identity',
      Connection: 'close',
    };
    for (const [name, text] of Object.entries(put)) {
      const found = pairs.filter((pair) => cgi(pair[0]) === cgi(name));
      if (JSON.stringify(found) !== JSON.stringify([[name, text]])) return `put in: ${JSON.stringify(found)}`;
    }
    const others = pairs.filter(([name]) => !Object.hasOwn(put, name));
    return others.find(([name, text]) => !mayPass(name) || text.includes(value) || tells(text))?.join(': ');
  }

  const breaks = [
    'a\r\n Authorization: Bearer y',
    'a\nAuthorization: y',
    'a\rX: y',
    'a\0b',
    'a\r\n\r\nGET /v1/x HTTP/1.1',
    '\xe9',
    '\t a \t',
  ];
  const names = [
    'Authorization ',
    'X Note',
    'X-Note\t',
    ' Authorization',
    'Transfer-Encoding',
    'Content-Length',
    'Trailer',
    'Host',
    '',
  ];
  const header = fc.tuple(
    fc.oneof({ weight: 9, arbitrary: anyName }, fc.constantFrom(...names)),
    fc.oneof({ weight: 5, arbitrary: anyValue }, fc.constantFrom(...breaks)),
  );
  const heads = fc.record({
    target: fc.oneof(anyTarget, fc.constantFrom('/v1/x', '/v1/x?a=b', '/v1', '/%761/a%20b?%2e')),
    start: fc.constantFrom('', '', 'http://gateway.test'),
    headers: fc.array(header, { maxLength: 3 }),
  });

  it('one request arrives, on the path, with the value once and nothing of the gateway; or none', async () => {
    let accepted = 0;
    for (const { target, start, headers } of fc.sample(heads, { numRuns: 500, seed: 19 })) {
      const lines = headers.map(([name, text]) => `${name}: ${text}\r\n`).join('');
      const own = `Host: gateway.test\r\nProxy-Authorization: Bearer ${key}\r\n`;
      const head = `GET ${start}/v1/use/sec_012345678${target} HTTP/1.1\r\n${own}${lines}\r\n`;
      arrived = [];
      const status = await write(head);
      expect({ arrived: arrived.length, faults: arrived.map(faultOf) }, head).toEqual({
        arrived: status === 204 ? 1 : 0,
        faults: status === 204 ? [undefined] : [],
      });
      if (status === 204) accepted += 1;
    }
    expect(accepted).toBeGreaterThan(100);
  });

  it('control: another path, another header and a second request are seen', () => {
    const good = `GET /v1/x HTTP/1.1\r\nHost: api.example.test\r\nAccept-Encoding: identity\r\nAuthorization: Bearer ${value}\r\nConnection: close\r\n`;
    expect(faultOf(`${good}\r\n`)).toBeUndefined();
    const wrong = [
      good.replace('/v1/x', '/v1/%2e%2e/x'),
      good.replace('api.', 'other.'),
      `${good}X-Note: ${key}\r\n`,
      `${good}authorization: x\r\n`,
      `${good}x_forwarded_for: x\r\n`,
      `${good}\r\nGET /v1/x HTTP/1.1\r\n`,
    ];
    for (const bytes of wrong) expect(faultOf(`${bytes}\r\n`), bytes).toBeDefined();
  });
});
