import { once } from 'node:events';
import { type ClientRequest, request as makeRequest } from 'node:http';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Forwarder } from '../../../src/broker/upstream/forward.ts';
import { Front, failureOf, RawServer, send, testForwarder, textOf } from '../../support/forwarding.ts';
import { Upstream } from '../../support/upstream.ts';

let upstream: Upstream;
let forwarder: Forwarder;
let front: Front;
beforeAll(async () => {
  upstream = await Upstream.start();
});
afterAll(() => upstream.close());
beforeEach(async () => {
  forwarder = testForwarder();
  front = await Front.start(forwarder, upstream.origin);
});
afterEach(async () => {
  forwarder.close();
  await front.close();
});

/** A request to the front, of which nothing is sent yet but its head. */
function begin(path: string, headers: Record<string, string> = {}): ClientRequest {
  const request = makeRequest(`${front.url}${path}`, { method: 'POST', headers, agent: false });
  request.on('error', () => {}).flushHeaders();
  return request;
}

describe('a request', () => {
  it('has its method, its path with the query, its headers as they are given, and the host of the origin', async () => {
    const headers = ['X-One', 'a', 'x-one', 'b', 'Authorization', 'Bearer käse'];
    const response = await send(forwarder, upstream.origin, { method: 'DELETE', path: '/v1/ok?a=b%20c&d', headers });
    expect(response.status).toBe(200);
    expect(await textOf(response)).toBe('fine');
    const { method, target, rawHeaders } = upstream.last;
    expect([method, target]).toEqual(['DELETE', '/v1/ok?a=b%20c&d']);
    const host = new URL(upstream.origin).host;
    expect(rawHeaders).toEqual(['Host', host, ...headers, 'Connection', 'keep-alive']);
  });

  it.each(['GET', 'HEAD', 'OPTIONS', 'DELETE', 'POST', 'PUT', 'PATCH', 'PROPFIND'])(
    'without a body has none with %s',
    async (method) => {
      const { body } = await send(forwarder, upstream.origin, { method, path: '/ok' });
      body.resume();
      await once(body, 'close');
      expect(upstream.last.method).toBe(method);
      const framing = upstream.last.rawHeaders.slice(2, -2);
      expect(framing).toEqual(/^P/.test(method) ? ['Content-Length', '0'] : []);
    },
  );

  it('keeps the length of its body', async () => {
    const text = 'x'.repeat(100_000);
    const response = await fetch(`${front.url}/mirror`, { method: 'POST', body: text });
    expect(await response.text()).toBe(text);
    expect(upstream.last.rawHeaders).toContain('100000');
    expect(upstream.last.rawHeaders).not.toContain('Transfer-Encoding');
  });

  it('says its length in one form', async () => {
    const request = begin('/mirror', { 'content-length': '0010' });
    request.end('ten bytes.');
    const [response] = await once(request, 'response');
    response.resume();
    await once(response, 'end');
    expect(upstream.last.rawHeaders).toContain('10');
    expect(upstream.last.rawHeaders).not.toContain('0010');
  });

  it('stays chunked, and what is sent in chunks of one byte arrives whole', async () => {
    const request = begin('/mirror');
    const answered = once(request, 'response');
    const text = 'a byte in each chunk '.repeat(500);
    for (const letter of text) request.write(letter);
    request.end();
    const [response] = await answered;
    let arrived = '';
    for await (const piece of response) arrived += piece;
    expect(arrived).toBe(text);
    expect(upstream.last.rawHeaders).toContain('chunked');
    expect(upstream.last.rawHeaders).not.toContain('Content-Length');
  });

  it('is begun before its body arrives, and answered before its body ends', async () => {
    const arrived = upstream.arrived.length;
    const request = begin('/mirror');
    await upstream.count(arrived + 1);
    request.write('one');
    const [response] = await once(request, 'response');
    expect(String((await once(response, 'data'))[0])).toBe('one');
    const ended = once(response, 'end');
    request.end('two');
    expect(String((await once(response, 'data'))[0])).toBe('two');
    await ended;
  });

  it('is followed by no trailers, nor is its answer', async () => {
    const request = begin('/trailers', { 'transfer-encoding': 'chunked' });
    request.addTrailers({ 'X-Trailer': 'words of the client' });
    request.end('body');
    const [response] = await once(request, 'response');
    response.resume();
    await once(response, 'end');
    expect(response.trailers).toEqual({});
    expect(JSON.stringify(upstream.last)).not.toContain('words of the client');
  });

  it.each([301, 302, 303, 307, 308])('is not sent on to where a redirect leads: %d', async (status) => {
    const arrived = upstream.arrived.length;
    const response = await send(forwarder, upstream.origin, { path: `/redirect?is=${status}&to=/ok` });
    expect([response.status, await textOf(response)]).toEqual([status, 'over there']);
    expect(response.rawHeaders.join()).toContain('/ok');
    expect(upstream.arrived.length - arrived).toBe(1);
  });

  const unsendable = {
    'a line in a header': { headers: ['Authorization', 'Bearer hunter22\r\nX-Injected: 1'] },
    'a zero in a header': { headers: ['Authorization', 'Bearer hunter22\0'] },
    'more than a byte in a header': { headers: ['Authorization', 'Bearer hunter22€'] },
    'a space in the name of a header': { headers: ['X hunter22', 'a'] },
    'a line in the path': { path: '/hunter22\r\nX: 1' },
    'a space in the path': { path: '/hunter22 HTTP/1.1' },
    'a letter in the path': { path: '/hunter22ä' },
    'another origin as the path': { path: 'http://hunter22.test/' },
    'a line in the method': { method: 'GET /hunter22' },
    CONNECT: { method: 'CONNECT', path: '/hunter22' },
  };
  it.each(Object.entries(unsendable))(
    'is refused before anything is sent, and without its words: %s',
    async (_, request) => {
      const { connections } = upstream;
      const error = await send(forwarder, upstream.origin, request).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: 'BAD_REQUEST' });
      const { message, stack, cause, details } = error as Error & { details: unknown };
      expect(JSON.stringify([message, stack, cause, details])).not.toContain('hunter22');
      expect(upstream.connections).toBe(connections);
    },
  );

  it.each(['Host', 'content-length', 'Transfer-Encoding', 'Connection', 'Upgrade', 'TE', 'Trailer', 'Expect'])(
    'is framed and led by the gateway alone: %s',
    async (name) => {
      await expect(send(forwarder, upstream.origin, { headers: [name, '1'] })).rejects.toThrow('of the connection');
    },
  );
});

describe('sockets', () => {
  it('are kept for the next request, and shared by no two owners', async () => {
    const connectionOf = async (ownerKey: string) => {
      const { body } = await send(forwarder, upstream.origin, { ownerKey, path: '/ok' });
      body.resume();
      await once(body, 'close');
      // The socket is free a tick later.
      await new Promise((resolve) => setImmediate(resolve));
      return upstream.last.connection;
    };
    const first = await connectionOf('ada');
    expect(await connectionOf('ada')).toBe(first);
    const second = await connectionOf('bob');
    expect(second).not.toBe(first);
    expect([await connectionOf('bob'), await connectionOf('ada')]).toEqual([second, first]);
  });

  /** Answers one request on its first connection, and closes that with the second request on it. */
  async function closingServer(): Promise<RawServer> {
    let pieces = 0;
    return await RawServer.start((socket, connection) => {
      pieces += 1;
      if (connection === 1 && pieces > 1) socket.destroy();
      else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    });
  }

  async function useOnce(origin: string): Promise<void> {
    await textOf(await send(forwarder, origin));
    await new Promise((resolve) => setImmediate(resolve));
  }

  it.each(['GET', 'HEAD', 'OPTIONS'])(
    'that the upstream had closed fail no %s: it is sent once more',
    async (method) => {
      const server = await closingServer();
      await useOnce(server.origin);
      expect((await send(forwarder, server.origin, { method })).status).toBe(200);
      expect(server.received.match(/HTTP\/1\.1\r\n/g)).toHaveLength(3);
      expect(server.connections).toBe(2);
      await server.close();
    },
  );

  it.each(['POST', 'PUT', 'PATCH', 'DELETE'])(
    'that the upstream had closed fail a %s, which is not repeated',
    async (method) => {
      const server = await closingServer();
      await useOnce(server.origin);
      expect(await failureOf(send(forwarder, server.origin, { method }))).toMatchObject({ code: 'BAD_GATEWAY' });
      expect(server.received.match(/HTTP\/1\.1\r\n/g)).toHaveLength(2);
      await server.close();
    },
  );

  it('that the upstream closes again and again are tried twice at most', async () => {
    const server = await RawServer.start((socket, connection) => {
      if (connection === 1 && server.received.match(/\r\n\r\n/g)?.length === 1)
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      else socket.destroy();
    });
    await useOnce(server.origin);
    expect(await failureOf(send(forwarder, server.origin))).toMatchObject({ code: 'BAD_GATEWAY' });
    expect(server.received.match(/HTTP\/1\.1\r\n/g)).toHaveLength(3);
    await server.close();
  });

  it('are closed when bytes come on them that nobody asked for, and no answer is taken from those', async () => {
    let answering = 0;
    const closed = Promise.withResolvers<void>();
    const server = await RawServer.start((socket, connection) => {
      answering += 1;
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      socket.on('close', () => closed.resolve());
      if (connection === 1) setTimeout(() => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil'), 20);
    });
    await useOnce(server.origin);
    await closed.promise;
    expect(await textOf(await send(forwarder, server.origin))).toBe('ok');
    expect([answering, server.connections]).toEqual([2, 2]);
    await server.close();
  });
});

describe('a client that has gone', () => {
  it('ends the request at the upstream while it waits for the answer', async () => {
    const gone = new AbortController();
    const sent = send(forwarder, upstream.origin, { path: '/never', signal: gone.signal });
    await upstream.count(upstream.arrived.length + 1);
    gone.abort();
    await expect(sent).rejects.toMatchObject({ code: 'BAD_REQUEST' });
    await upstream.last.closed;
  });

  it.each(['stall', 'endless'])('ends the request at the upstream in the middle of the answer: %s', async (path) => {
    const gone = new AbortController();
    const { body } = await send(forwarder, upstream.origin, { path: `/${path}`, signal: gone.signal });
    await once(body, 'readable');
    gone.abort();
    await upstream.last.closed;
    expect(body.destroyed).toBe(true);
  });

  it('ends the request at the upstream when it does not want the rest of the answer', async () => {
    const { body } = await send(forwarder, upstream.origin, { path: '/endless' });
    body.destroy();
    await upstream.last.closed;
  });

  it('ends the request at the upstream in the middle of its own body', async () => {
    const request = begin('/never-read', { 'content-length': '1000' });
    request.write('the first of it');
    await upstream.count(upstream.arrived.length + 1);
    request.destroy();
    await upstream.last.closed;
    expect(await front.ends[0]).toEqual({ code: 'BAD_REQUEST' });
  });

  it('ends a look-up that nobody waits for', async () => {
    const gone = new AbortController();
    const stuck = testForwarder({ resolve: () => new Promise(() => {}) });
    const sent = send(stuck, 'https://api.test', { signal: gone.signal });
    gone.abort();
    await expect(sent).rejects.toMatchObject({ code: 'BAD_REQUEST' });
    expect(await failureOf(send(stuck, 'https://api.test', { signal: gone.signal }))).toMatchObject({
      code: 'BAD_REQUEST',
    });
  });
});

it('of a body that is answered early nothing more is read', async () => {
  const request = begin('/status?is=413', { 'content-length': String(1e9) });
  const [response] = await once(request, 'response');
  expect(response.statusCode).toBe(413);
  response.resume();
  await once(response, 'end');
  await upstream.last.closed;
  expect(await front.ends[0]).toBeNull();
  const [{ socket, readableFlowing } = expect.fail('no request')] = front.requests;
  expect(readableFlowing).toBe(false);
  // What the kernel takes is taken; then it stops.
  const piece = Buffer.alloc(1024 * 1024);
  let taken = 0;
  while (request.write(piece) || taken < 64) taken += 1;
  await new Promise((resolve) => setImmediate(resolve));
  expect(socket.bytesRead).toBeLessThan(1024 * 1024);
  request.destroy();
});
