import { connect, type Socket } from 'node:net';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Exchange } from '../../src/http/exchange.ts';
import { jsonErrors } from '../../src/http/refusal.ts';
import { bodyless, type Route } from '../../src/http/route.ts';
import { HttpServer } from '../../src/http/server.ts';

const limits = { maxBodyBytes: 1000, arrivalMs: 30_000, idleMs: 15_000, totalMs: 60_000 };

/** A route whose work ends when the test says so. */
class Work {
  exchanges: Exchange[] = [];
  #ending = Promise.withResolvers<void>();

  route(path: string, over: Partial<typeof limits> = {}): Route {
    return {
      path,
      methods: ['GET', 'POST'],
      admission: 'slot',
      anyHost: true,
      crossOrigin: false,
      limits: { ...limits, ...over },
      errors: jsonErrors,
      answer: async (exchange) => {
        this.exchanges.push(exchange);
        const body = exchange.request.method === 'POST' ? exchange.readBody(limits) : '';
        await exchange.working(this.#ending.promise);
        exchange.response.end(`${exchange.request.url} got ${await body}`);
      },
    };
  }

  end(): void {
    this.#ending.resolve();
  }
}

let work: Work;
let server: HttpServer;
let port: number;
const refused: string[] = [];
const open = new Set<Socket>();

beforeEach(async () => {
  work = new Work();
  const large: Route = {
    ...work.route('/large', { totalMs: 300 }),
    answer: ({ response }) => void response.end(Buffer.alloc(64 * 1024 * 1024)),
  };
  const probe: Route = {
    path: '/probe',
    methods: ['GET'],
    admission: 'always',
    anyHost: true,
    crossOrigin: false,
    limits: bodyless,
    errors: jsonErrors,
    answer: ({ response }) => void response.end('alive'),
  };
  server = new HttpServer({
    routes: [work.route('/work'), large, probe],
    corsOrigins: [],
    loopbackHostsOnly: false,
    onRefusal: (code) => refused.push(code),
    log: pino({ level: 'silent' }),
  });
  port = await server.listen(0, '127.0.0.1');
  refused.length = 0;
});
afterEach(async () => {
  for (const socket of open) socket.destroy();
  open.clear();
  work.end();
  await server.drain();
});

class Client {
  text = '';
  readonly socket: Socket;
  readonly closed: Promise<void>;

  constructor(bytes: string) {
    this.socket = connect(port, '127.0.0.1', () => this.socket.write(bytes));
    open.add(this.socket);
    this.socket.setEncoding('latin1').on('data', (text) => {
      this.text += text;
    });
    this.socket.on('error', () => {});
    this.closed = new Promise((resolve) => this.socket.on('close', () => resolve()));
  }
}

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
const post = (path: string, body: string, length = body.length) =>
  `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${length}\r\n\r\n${body}`;
const inFlight = (count: number) => expect.poll(() => server.inFlight).toBe(count);

describe('a slot is free again, once, when the client leaves', () => {
  it.each<[string, string, number]>([
    ['while its body arrives', post('/work', 'half', 8), 1],
    ['while it is worked for', post('/work', 'whole'), 1],
    ['while two of its requests are worked for', get('/work') + get('/work'), 2],
    ['while it reads', get('/large'), 1],
  ])('%s', async (_when, bytes, slots) => {
    const client = new Client(bytes);
    await inFlight(slots);
    client.socket.destroy();
    await inFlight(0);
    work.end();
    await setImmediate();
    expect(server.inFlight).toBe(0);
    const next = new Client(post('/work', 'next'));
    await expect.poll(() => next.text).toContain('/work got next');
    await inFlight(0);
  });

  it.each([
    ['before it sends anything', ''],
    ['in the request line', 'GET /wo'],
    ['in the headers', 'GET /work HTTP/1.1\r\nHost: loc'],
    ['with what is no HTTP', 'NONSENSE\r\n\r\n'],
  ])('%s: it never had one', async (_when, bytes) => {
    const client = new Client(bytes);
    await sleep(20);
    client.socket.destroy();
    await client.closed;
    const next = new Client(get('/probe'));
    await expect.poll(() => next.text).toContain('alive');
    expect(server.inFlight).toBe(0);
  });
});

describe('requests on one connection', () => {
  it('are answered in their order, up to ten at once', async () => {
    const client = new Client(Array.from({ length: 10 }, (_, n) => get(`/work?${n}`)).join(''));
    await inFlight(10);
    work.end();
    await expect
      .poll(() => client.text.match(/\/work\?\d got/g))
      .toEqual(Array.from({ length: 10 }, (_, n) => `/work?${n} got`));
    expect(refused).toEqual([]);
  });

  it('end it when there are more, and are no longer worked for', async () => {
    const client = new Client(get('/work').repeat(1000));
    await client.closed;
    expect(client.text).toBe('');
    expect(work.exchanges).toHaveLength(10);
    expect(refused).toEqual(['SERVICE_UNAVAILABLE']);
    await inFlight(0);
  });

  it('get no answer but their own, when a later one cannot be read in its body', async () => {
    const chunked = 'POST /work HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nno length\r\n';
    const client = new Client(get('/work') + chunked);
    await inFlight(2);
    work.end();
    await client.closed;
    expect(client.text).toMatch(/^HTTP\/1\.1 200 .*\/work got $/s);
    await expect.poll(() => refused).toEqual(['BAD_REQUEST']);
  });
});

describe('a client that reads slowly', () => {
  it('is cut off when its time is over, however steadily it reads', async () => {
    const client = new Client(get('/large'));
    client.socket.pause();
    const reading = setInterval(() => client.socket.read(1), 10);
    await inFlight(1);
    await inFlight(0);
    clearInterval(reading);
    client.socket.resume();
    await client.closed;
    expect(client.text.length).toBeLessThan(64 * 1024 * 1024);
  });
});

describe('a body that a route takes no notice of', () => {
  it.each(['GET /work', 'GET /probe'])('is refused: %s', async (line) => {
    const client = new Client(`${line} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nabcde`);
    await expect.poll(() => client.text).toContain('Send this request without a body.');
    expect(client.text).toMatch(/^HTTP\/1\.1 400 /);
  });
});

describe('a refusal', () => {
  it('keeps the connection when the body came with the request', async () => {
    const client = new Client(post('/nothing', 'whole'));
    await expect.poll(() => client.text).toMatch(/^HTTP\/1\.1 404 .*\r\nConnection: keep-alive\r\n/s);
    client.text = '';
    client.socket.write(get('/probe'));
    await expect.poll(() => client.text).toContain('alive');
  });

  it('ends the connection when the body has not arrived', async () => {
    const client = new Client(post('/nothing', 'half', 8));
    await expect.poll(() => client.text).toMatch(/^HTTP\/1\.1 404 .*\r\nConnection: close\r\n/s);
    await client.closed;
  });
});

describe('the end', () => {
  it('closes a connection with its answer, and lets none of them wait', async () => {
    const idle = new Client(get('/probe'));
    await expect.poll(() => idle.text).toContain('alive');
    expect(idle.text).toContain('Connection: keep-alive');
    const working = new Client(get('/work'));
    await inFlight(1);
    const drained = server.drain();
    idle.text = '';
    idle.socket.write(get('/work'));
    await idle.closed;
    expect(idle.text).toMatch(/^HTTP\/1\.1 503 .*\r\nConnection: close\r\n/s);
    work.end();
    await working.closed;
    expect(working.text).toMatch(/^HTTP\/1\.1 200 .*\r\nConnection: close\r\n/s);
    await drained;
  });
});
