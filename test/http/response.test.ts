import { once } from 'node:events';
import { createServer, IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { HttpResponse } from '../../src/http/response.ts';

let answer: (response: HttpResponse) => void;
const server = createServer<typeof IncomingMessage, typeof HttpResponse>(
  { ServerResponse: HttpResponse, IncomingMessage },
  (_request, response) => answer(response),
);
beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(() => {
  server.close();
});

/** The head of the answer, as it was sent. */
async function headOf(answered: (response: HttpResponse) => void): Promise<string[]> {
  answer = answered;
  const { port } = server.address() as AddressInfo;
  const client = request({ host: '127.0.0.1', port, agent: false }).end();
  const [response] = await once(client, 'response');
  response.resume();
  const lines: string[] = [];
  for (let at = 0; at < response.rawHeaders.length; at += 2) {
    lines.push(`${response.rawHeaders[at]}: ${response.rawHeaders[at + 1]}`);
  }
  return lines.filter((line) => !line.startsWith('Date'));
}

it('headers are sent in the order in which they were first set, each once, with the last value', async () => {
  const head = await headOf((response) => {
    response.setHeader('X-One', 'first');
    response.setHeader('X-Two', 2);
    response.setHeader('x-one', ['last', 'of all']);
    expect(response.getHeader('X-ONE')).toBe('last, of all');
    expect(response.getHeader('x-three')).toBeUndefined();
    response.writeHead(200, { 'X-Three': 'third', 'X-TWO': 'two', 'X-Four': undefined, 'Content-Length': 0 }).end();
  });
  expect(head).toEqual([
    'X-One: last, of all',
    'X-Two: two',
    'X-Three: third',
    'Content-Length: 0',
    'Connection: close',
  ]);
});

it('headers are sent also where nobody writes the head', async () => {
  const head = await headOf((response) => {
    response.setHeader('X-One', 'first');
    response.end('the body');
  });
  expect(head).toEqual(['X-One: first', 'Connection: close', 'Content-Length: 8']);
});

it('a value that would break the head is refused', async () => {
  await headOf((response) => {
    response.setHeader('X-One', 'a\r\nX-Two: b');
    expect(() => response.writeHead(200)).toThrow('Invalid character');
    response.setHeader('X-One', 'good');
    response.end();
  });
});
