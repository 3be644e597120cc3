import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Exchange } from '../../src/http/exchange.ts';
import { problemErrors } from '../../src/http/refusal.ts';
import type { Route } from '../../src/http/route.ts';
import { HttpServer } from '../../src/http/server.ts';
import { StreamedBody } from '../../src/http/streamed-body.ts';

const maxBodyBytes = 200_000;
/** What the route does with the body of the request that it gets next. */
let answer: (exchange: Exchange, body: StreamedBody) => Promise<void>;
let server: HttpServer;
let port: number;
const open = new Set<Socket>();
const logged: string[] = [];

const route: Route = {
  path: '/below/',
  isPrefix: true,
  methods: ['GET', 'POST', 'DELETE', 'M-SEARCH', 'OPTIONS'],
  admission: 'own',
  anyHost: true,
  crossOrigin: true,
  exposedHeaders: 'Secrets-Gateway-Error, *',
  limits: { maxBodyBytes, arrivalMs: 0, idleMs: 15_000, totalMs: 60_000 },
  errors: problemErrors,
  answer: (exchange) => answer(exchange, new StreamedBody(exchange.request, maxBodyBytes)),
};

beforeEach(async () => {
  logged.length = 0;
  answer = async ({ request, response }, body) => {
    let bytes = 0;
    for await (const piece of body) bytes += piece.length;
    response.end(`${request.method} ${request.url} ${bytes}`);
  };
  server = new HttpServer({
    routes: [route],
    corsOrigins: ['https://app.example.com'],
    loopbackHostsOnly: false,
    onRefusal: () => {},
    log: pino({ level: 'info' }, { write: (line) => void logged.push(line) }),
  });
  port = await server.listen(0, '127.0.0.1');
});
afterEach(async () => {
  for (const socket of open) socket.destroy();
  open.clear();
  await server.drain();
});

/** Writes these bytes. @returns all that came until the connection closed */
async function send(bytes: string | Buffer, more?: (socket: Socket) => void): Promise<string> {
  const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
  open.add(socket);
  let text = '';
  socket.setEncoding('latin1').on('data', (data) => {
    text += data;
  });
  socket.on('error', () => {});
  more?.(socket);
  await once(socket, 'close');
  return text;
}

const head = (line: string, ...headers: string[]) =>
  `${line} HTTP/1.1\r\n${['Host: localhost', 'Connection: close', ...headers].join('\r\n')}\r\n\r\n`;
const chunks = (body: string, size: number) =>
  `${[...body.matchAll(new RegExp(`.{1,${size}}`, 'gs'))].map(([piece]) => `${piece.length.toString(16)}\r\n${piece}\r\n`).join('')}0\r\n`;
const problemOf = (text: string) => JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4));

describe('a route for every path below its own', () => {
  it.each(['/below/', '/below/a', '/below/a/b?c=/d', '/below/%2e%2e'])('gets %s as it was sent', async (path) => {
    expect(await send(head(`GET ${path}`))).toContain(`\r\n\r\nGET ${path} 0`);
  });

  it.each(['/below', '/Below/a', '/', '//below/a', '/a/below/'])('does not get %s', async (path) => {
    const text = await send(head(`GET ${path}`));
    expect(text).toContain('HTTP/1.1 404 ');
    expect(text).not.toContain('GET /');
  });

  it('gets each of its methods, and refuses others as a problem', async () => {
    expect(await send(head('M-SEARCH /below/a'))).toContain('M-SEARCH /below/a 0');
    const text = await send(head('TRACE /below/a', 'X-Request-Id: one'));
    expect(text).toMatch(/^HTTP\/1\.1 405 /);
    expect(text).toContain('\r\nAllow: GET, POST, DELETE, M-SEARCH, OPTIONS\r\n');
    expect(text).toContain('\r\nContent-Type: application/problem+json\r\n');
    expect(text).toContain('\r\nSecrets-Gateway-Error: METHOD_NOT_ALLOWED\r\n');
    expect(problemOf(text)).toEqual({
      type: 'urn:secrets-gateway:method_not_allowed_error',
      title: 'This method is not allowed here.',
      status: 405,
      detail: expect.any(String),
      code: 'METHOD_NOT_ALLOWED',
      requestId: 'one',
      error: {
        message: 'Send the request with GET or POST or DELETE or M-SEARCH or OPTIONS.',
        type: 'method_not_allowed_error',
        code: 'METHOD_NOT_ALLOWED',
      },
    });
  });

  it('has preflight requests of allowed pages answered, with all its methods and the headers that were asked for', async () => {
    const asked = ['Origin: https://app.example.com', 'Access-Control-Request-Method: DELETE'];
    const text = await send(head('OPTIONS /below/a', ...asked, 'Access-Control-Request-Headers: x-stainless-os'));
    expect(text).toMatch(/^HTTP\/1\.1 204 /);
    expect(text).toContain('\r\nAccess-Control-Allow-Methods: GET, POST, DELETE, M-SEARCH, OPTIONS\r\n');
    expect(text).toMatch(/\r\nAccess-Control-Allow-Headers: .*X-API-Key.*, x-stainless-os\r\n/);
    const other = await send(head('OPTIONS /below/a', 'Origin: https://app.example.com'));
    expect(other).toContain('OPTIONS /below/a 0');
    expect(other).toMatch(/\r\nAccess-Control-Expose-Headers: .*, Secrets-Gateway-Error, \*\r\n/);
  });

  it.each([
    ['a Host header that is malformed', 'GET /below/a HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n', 400],
    ['a GET with a body', head('GET /below/a', 'Content-Length: 1').concat('x'), 400],
    ['a chunk that is malformed', head('POST /below/a', 'Transfer-Encoding: chunked').concat('x\r\n'), 400],
    ['two lengths', head('POST /below/a', 'Content-Length: 1', 'Transfer-Encoding: chunked').concat('x'), 400],
  ])('refuses %s', async (_what, bytes, status) => {
    const text = await send(bytes);
    expect(text).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  });
});

describe('a body that is streamed', () => {
  it.each([1, 7, 5000, 70_000])('arrives whole, in chunks of %i bytes', async (size) => {
    const body = 'x'.repeat(Math.min(150_000, 5000 * size));
    const bytes = head('POST /below/a', 'Transfer-Encoding: chunked') + chunks(body, size);
    expect(await send(`${bytes}\r\n`)).toContain(`POST /below/a ${body.length}`);
  });

  it('is held in pieces of a packet, and no more of it is read than the client may be ahead, as long as nobody reads it', async () => {
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    let held: Exchange['request'] | undefined;
    answer = async ({ request, response }, body) => {
      held = request;
      await released;
      let pieces = 0;
      for await (const _ of body) pieces += 1;
      response.end(`${pieces} pieces`);
    };
    const bytes = `${head('POST /below/a', 'Transfer-Encoding: chunked')}${chunks('x'.repeat(190_000), 1)}\r\n`;
    const sent = send(bytes);
    await expect.poll(() => held?.readableLength).toBeGreaterThanOrEqual(64 * 1024);
    expect(held?.socket.bytesRead).toBeLessThan(bytes.length);
    release();
    expect(Number(/(\d+) pieces/.exec(await sent)?.[1])).toBeLessThan(1000);
  });

  it.each([
    ['says so in its head', head('POST /below/a', `Content-Length: ${maxBodyBytes + 1}`)],
    [
      'turns out to be',
      `${head('POST /below/a', 'Transfer-Encoding: chunked')}${chunks('x'.repeat(maxBodyBytes + 1), 65_000)}\r\n`,
    ],
  ])('is PAYLOAD_TOO_LARGE when it is too large and %s, and the client can read that', async (_how, bytes) => {
    const text = await send(bytes);
    expect(text).toMatch(/^HTTP\/1\.1 413 /);
    expect(text).toContain('\r\nSecrets-Gateway-Error: PAYLOAD_TOO_LARGE\r\n');
  });

  it('is refused with trailers behind it', async () => {
    const text = await send(
      `${head('POST /below/a', 'Transfer-Encoding: chunked')}1\r\nx\r\n0\r\nX-Trailer: a\r\n\r\n`,
    );
    expect(text).toMatch(/^HTTP\/1\.1 400 /);
    expect(problemOf(text).detail).toContain('without trailers');
  });

  it('fails when the client breaks off, and holds no slot', async () => {
    const { promise: failed, resolve: fail } = Promise.withResolvers<unknown>();
    answer = async (_exchange, body) => {
      try {
        for await (const _ of body);
      } catch (error) {
        fail(error);
        throw error;
      }
    };
    const bytes = `${head('POST /below/a', 'Content-Length: 100')}half`;
    await send(bytes, (socket) => setTimeout(() => socket.destroy(), 50));
    expect(await failed).toMatchObject({ code: 'BAD_REQUEST' });
    expect(server.inFlight).toBe(0);
  });

  it('can be given up, and the client still reads the answer', async () => {
    answer = async ({ request, response }, body) => {
      body.destroy();
      const { dropBody } = await import('../../src/http/body.ts');
      response.writeHead(200, { Connection: 'close' });
      response.write('early');
      dropBody(request, () => response.end());
    };
    const bytes = `${head('POST /below/a', 'Content-Length: 190000')}${'x'.repeat(190_000)}`;
    expect(await send(bytes)).toContain('early');
  });
});

describe('at the end of the server', () => {
  it('a new request is refused as a problem, while a stream goes on that is waited for', async () => {
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    const began = Promise.withResolvers<void>();
    answer = async (exchange) => {
      exchange.beginStream(15_000);
      exchange.response.forwardHead(200, ['X-Of', 'upstream']);
      exchange.onEnd(end);
      began.resolve();
    };
    const stream = connect(port, '127.0.0.1', () => stream.write(head('GET /below/stream')));
    open.add(stream);
    stream.on('error', () => {});
    await began.promise;
    const drained = server.drain(() => ended);
    const refused = await send(head('GET /below/a'));
    expect(refused).toMatch(/^HTTP\/1\.1 503 /);
    expect(refused).toContain('\r\nRetry-After: 1\r\n');
    expect(problemOf(refused)).toMatchObject({ code: 'SERVICE_UNAVAILABLE', detail: 'The gateway is shutting down.' });
    expect(stream.destroyed).toBe(false);
    stream.destroy();
    await drained;
  });
});

describe('the head of an answer that was made elsewhere', () => {
  it('keeps what it has, also doubled, and is completed by what waits', async () => {
    answer = async ({ response }) => {
      response.setHeader('Vary', 'Origin');
      response.forwardHead(207, [
        'x-request-id',
        'theirs',
        'Link',
        'a',
        'Link',
        'b',
        'Vary',
        'Accept',
        'Content-Length',
        '1',
      ]);
      response.end('x');
    };
    const text = await send(head('GET /below/a'));
    expect(text).toMatch(/^HTTP\/1\.1 207 Multi-Status\r\n/);
    expect(
      [...text.matchAll(/\r\n(link|vary|x-request-id|x-content-type-options|cache-control): (.*)/gi)].map(
        ([, , value]) => value,
      ),
    ).toEqual(['theirs', 'a', 'b', 'Accept', 'nosniff', 'no-store', 'Origin']);
  });
});
