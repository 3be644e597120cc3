import { once } from 'node:events';
import { type IncomingMessage, request as makeRequest } from 'node:http';
import type { Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Forwarder } from '../../../src/broker/upstream/forward.ts';
import { Front, failureOf, RawServer, send, testForwarder, textOf } from '../../support/forwarding.ts';
import { Upstream } from '../../support/upstream.ts';

let upstream: Upstream;
let forwarder: Forwarder;
beforeAll(async () => {
  upstream = await Upstream.start();
});
afterAll(() => upstream.close());
beforeEach(() => {
  forwarder = testForwarder();
});
afterEach(() => forwarder.close());

/** What becomes of a request to a server that does this. */
async function failureAt(onRequest: (socket: Socket) => void, options: { timeoutMs?: number } = {}) {
  const server = await RawServer.start(onRequest);
  const impatient = testForwarder(options);
  try {
    return await failureOf(send(impatient, server.origin).then(textOf));
  } finally {
    impatient.close();
    await server.close();
  }
}

describe('an upstream that does not answer with HTTP is BAD_GATEWAY', () => {
  const notHttp = 'The destination did not answer with HTTP/1.1. Check the port of its origin.';
  const answers: Record<string, [bytes: string, description: string]> = {
    'other words': ['220 mail.test ESMTP\r\n', notHttp],
    zeros: ['\0'.repeat(100), notHttp],
    TLS: ['\x15\x03\x01\x00\x02\x02\x28', notHttp],
    'HTTP/2': ['HTTP/2 200\r\n\r\n', notHttp],
    'a status of two digits': ['HTTP/1.1 20 OK\r\n\r\n', notHttp],
    'a status beyond all': ['HTTP/1.1 999 No\r\nContent-Length: 0\r\n\r\n', notHttp],
    'a status of zero': ['HTTP/1.1 000 No\r\nContent-Length: 0\r\n\r\n', notHttp],
    'a header without a name': ['HTTP/1.1 200 OK\r\n: a\r\n\r\n', notHttp],
    'a header that goes on in the next line': ['HTTP/1.1 200 OK\r\nX-A: a\r\n b\r\nContent-Length: 0\r\n\r\n', notHttp],
    'a space before a colon': ['HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n', notHttp],
    'a bare line feed': ['HTTP/1.1 200 OK\nContent-Length: 0\n\n', notHttp],
    'two lengths': ['HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab', notHttp],
    'a length that is no number': ['HTTP/1.1 200 OK\r\nContent-Length: 0x2\r\n\r\nab', notHttp],
    'a negative length': ['HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nab', notHttp],
    'a length beside chunks': [
      'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      notHttp,
    ],
    'hints without an end': ['HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n'.repeat(100), notHttp],
    'another transfer coding': [
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nab',
      'The destination answered with a transfer coding other than chunked.',
    ],
    'two transfer codings': [
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
      'The destination answered with a transfer coding other than chunked.',
    ],
    'a protocol that nobody asked for': [
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: evil\r\nConnection: Upgrade\r\n\r\nwords',
      'The destination answered with another protocol, which nobody asked for.',
    ],
    'more headers than a message has': [
      `HTTP/1.1 200 OK\r\n${'X: y\r\n'.repeat(300)}Content-Length: 0\r\n\r\n`,
      'The headers of the answer are too large.',
    ],
    'a header of 40 KiB': [
      `HTTP/1.1 200 OK\r\nX: ${'y'.repeat(40 * 1024)}\r\nContent-Length: 0\r\n\r\n`,
      'The headers of the answer are too large.',
    ],
    'headers without an end': [
      `HTTP/1.1 200 OK\r\n${'X: yyyyyyyyyyyy\r\n'.repeat(10_000)}`,
      'The headers of the answer are too large.',
    ],
  };
  it.each(Object.entries(answers))('%s', async (_, [bytes, description]) => {
    expect(await failureAt((socket) => socket.write(bytes, 'latin1'))).toEqual({
      code: 'BAD_GATEWAY',
      description: expect.stringContaining(description),
    });
  });

  it.each([
    ['closes', (socket: Socket) => socket.end()],
    ['resets the connection', (socket: Socket) => socket.resetAndDestroy()],
    ['closes in the middle of the head', (socket: Socket) => socket.end('HTTP/1.1 200 OK\r\nX: ')],
    ['closes after a hint', (socket: Socket) => socket.end('HTTP/1.1 100 Continue\r\n\r\n')],
  ])('one that %s', async (_, onRequest) => {
    expect(await failureAt(onRequest)).toMatchObject({
      code: 'BAD_GATEWAY',
      description: expect.stringMatching(/closed the connection|did not answer with HTTP/),
    });
  });

  it('one that takes no connection', async () => {
    const server = await RawServer.start(() => {});
    const { origin } = server;
    await server.close();
    expect(await failureOf(send(forwarder, origin))).toEqual({
      code: 'BAD_GATEWAY',
      description:
        'The destination refused the connection. Check the host and the port of its origin, or retry later: nothing listens there.',
    });
  });
});

describe('an answer that is not whole fails for who reads it', () => {
  const ends: Record<string, (socket: Socket) => void> = {
    'fewer bytes than its length': (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort'),
    'a chunk that is cut': (socket) => socket.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nshort'),
    'no last chunk': (socket) => socket.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n'),
    'chunks that are none': (socket) =>
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nshort'),
    'a reset': (socket) =>
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort', () =>
        setImmediate(() => socket.resetAndDestroy()),
      ),
    'a reset where no length was told': (socket) =>
      socket.write('HTTP/1.1 200 OK\r\n\r\nshort', () => setImmediate(() => socket.resetAndDestroy())),
  };
  it.each(Object.entries(ends))('%s', async (_, onRequest) => {
    expect(await failureAt(onRequest)).toMatchObject({ code: 'BAD_GATEWAY' });
  });

  it.each(['/short', '/reset'])('and its client sees that, by a connection that is cut: %s', async (path) => {
    const front = await Front.start(forwarder, upstream.origin);
    const [response] = (await once(makeRequest(front.url + path, { agent: false }).end(), 'response')) as [
      IncomingMessage,
    ];
    const closed = new Promise((resolve) => response.on('close', resolve));
    response.on('error', () => {}).resume();
    await closed;
    expect(response.complete).toBe(false);
    expect(await front.ends[0]).toEqual({ code: 'BAD_GATEWAY' });
    await front.close();
  });
});

describe('bytes behind the end of an answer', () => {
  it.each([
    ['with it', ''],
    ['in the next packet', 'apart'],
  ])('are no part of it, and of no other answer: %s', async (_, apart) => {
    const [first, second] = [
      'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfour',
      'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil',
    ];
    const server = await RawServer.start((socket, connection) => {
      if (connection > 1) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood');
      else if (apart) socket.write(first, () => socket.write(second));
      else socket.write(first + second);
    });
    expect(await textOf(await send(forwarder, server.origin))).toBe('four');
    // Long enough for a packet that is on its way on loopback.
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await textOf(await send(forwarder, server.origin))).toBe('good');
    await server.close();
  });

  it('are no part of it where it is read slowly', async () => {
    const server = await RawServer.start((socket, connection) => {
      if (connection > 1) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood');
      else
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n${'x'.repeat(200_000)}`, () =>
          socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil'),
        );
    });
    const { body } = await send(forwarder, server.origin);
    let bytes = 0;
    for await (const piece of body) {
      bytes += piece.length;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(bytes).toBe(200_000);
    await new Promise((resolve) => setImmediate(resolve));
    expect(await textOf(await send(forwarder, server.origin))).toBe('good');
    await server.close();
  });
});

describe('an upstream that is too slow is GATEWAY_TIMEOUT', () => {
  const timeoutMs = 200;
  const late = (what: string) => ({ code: 'GATEWAY_TIMEOUT', description: expect.stringContaining(what) });
  const silent = late('The destination was silent for too long.');

  /** Writes this every 20 ms. */
  function dripping(bytes: string, head = '') {
    return (socket: Socket) => {
      socket.write(head);
      const timer = setInterval(() => socket.write(bytes), 20);
      socket.on('close', () => clearInterval(timer));
    };
  }

  it('without an answer', async () => {
    expect(await failureAt(() => {}, { timeoutMs })).toEqual(silent);
  });

  it('with a head that comes byte by byte and never ends', async () => {
    expect(await failureAt(dripping('a', 'HTTP/1.1 200 OK\r\nX: '), { timeoutMs })).toEqual(silent);
  });

  it('with hints instead of an answer', async () => {
    const hints = dripping('HTTP/1.1 102 Processing\r\n\r\n');
    expect((await failureAt(hints, { timeoutMs: 100 })).code).toMatch(/GATEWAY_TIMEOUT|BAD_GATEWAY/);
  });

  it('with a body that stops', async () => {
    expect(
      await failureAt((socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nfour'), { timeoutMs }),
    ).toEqual(silent);
  });

  it('but not with a body that goes on for longer, byte by byte', async () => {
    const impatient = testForwarder({ timeoutMs: 1000 });
    const server = await RawServer.start(
      dripping('1\r\na\r\n', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'),
    );
    const { body } = await send(impatient, server.origin);
    let bytes = 0;
    for await (const piece of body) {
      bytes += piece.length;
      if (bytes > 60) break;
    }
    expect(bytes).toBeGreaterThan(60);
    impatient.close();
    await server.close();
  });

  it('that takes nothing of the body', async () => {
    const impatient = testForwarder({ timeoutMs });
    const front = await Front.start(impatient, upstream.origin);
    const request = makeRequest(`${front.url}/never-read`, { method: 'POST', agent: false }).on('error', () => {});
    const piece = Buffer.alloc(1024 * 1024);
    const more = () => {
      while (!request.destroyed && request.write(piece));
    };
    request.on('drain', more);
    more();
    const [response] = await once(request, 'response');
    expect(response.statusCode).toBe(502);
    expect(await front.ends[0]).toEqual({ code: 'GATEWAY_TIMEOUT' });
    request.destroy();
    impatient.close();
    await front.close();
  });

  it('and a client that does not send its body is REQUEST_TIMEOUT', async () => {
    const impatient = testForwarder({ timeoutMs: 1000 });
    const front = await Front.start(impatient, upstream.origin);
    const request = makeRequest(`${front.url}/never-read`, {
      method: 'POST',
      headers: { 'content-length': 9 },
      agent: false,
    });
    request.on('error', () => {}).write('four');
    expect((await once(request, 'response'))[0].statusCode).toBe(502);
    expect(await front.ends[0]).toEqual({ code: 'REQUEST_TIMEOUT' });
    await upstream.last.closed;
    request.destroy();
    impatient.close();
    await front.close();
  });

  it('whose name is looked up for too long, or whose TLS does not begin', async () => {
    const lost = testForwarder({ timeoutMs, resolve: () => new Promise(() => {}) });
    expect(await failureOf(send(lost, 'https://api.test'))).toEqual(late('The look-up of the host name'));
    const server = await RawServer.start(() => {});
    const impatient = testForwarder({ timeoutMs });
    expect(await failureOf(send(impatient, server.origin.replace('http:', 'https:')))).toEqual(
      late('did not accept the connection in time'),
    );
    for (const each of [lost, impatient]) each.close();
    await server.close();
  });
});

it('an answer in chunks of one byte, 10,000 in a packet, is handed on in few pieces', async () => {
  const server = await RawServer.start((socket) =>
    socket.end(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${'1\r\na\r\n'.repeat(10_000)}0\r\n\r\n`),
  );
  const { body } = await send(forwarder, server.origin);
  let [bytes, pieces] = [0, 0];
  for await (const piece of body) {
    bytes += piece.length;
    pieces += 1;
  }
  expect(bytes).toBe(10_000);
  expect(pieces).toBeLessThan(20);
  await server.close();
});
