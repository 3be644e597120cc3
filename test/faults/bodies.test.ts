import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { AttackedGateway, mebibyte } from '../support/attacked-gateway.ts';

// Nothing here has credentials. What all connections together make the process grow by is bounded, and what one of them
// makes it work in one piece.

/** What all of these together may hold, and the heap's own slack. */
const maxGrowth = 192 * mebibyte;
const head = 'POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n';
const chunked = 'Transfer-Encoding: chunked\r\n\r\n';
const tinyChunks = Buffer.from('1\r\na\r\n'.repeat(32_768));

let gateway: AttackedGateway;
// One each: a process does not tell what its peak was since another peak.
beforeEach(async () => {
  gateway = await AttackedGateway.start();
});
afterEach(() => gateway.close());

class Client {
  text = '';
  readonly closed: Promise<void>;
  readonly #socket: Socket;

  constructor() {
    this.#socket = connect(gateway.port, '127.0.0.1').setEncoding('latin1');
    this.#socket.on('data', (text) => {
      this.text += text;
    });
    this.#socket.on('error', () => {});
    this.closed = new Promise((resolve) => this.#socket.on('close', () => resolve()));
  }

  /** Resolves when all of it has left, or when the connection is over. */
  async send(bytes: string | Buffer): Promise<void> {
    await Promise.race([this.closed, new Promise((resolve) => this.#socket.write(bytes, resolve))]);
  }

  destroy(): void {
    this.#socket.destroy();
  }
}

async function attack(count: number, send: (client: Client) => Promise<void>): Promise<Client[]> {
  const clients = Array.from({ length: count }, () => new Client());
  await Promise.all(clients.map((client) => send(client)));
  await gateway.askAsOthersDo();
  return clients;
}

async function expectBounded(what: string): Promise<void> {
  const growth = gateway.growthOf(await gateway.take());
  console.info(`${what}: ${(growth / mebibyte).toFixed()} MiB more`);
  expect(growth).toBeLessThan(maxGrowth);
}

/** Sends it alone, and expects that it does no harm. What is read at once, 64 KiB, has 11,000 chunks of one byte. */
async function expectHarmless(what: string, send: (client: Client) => Promise<void>, answer: RegExp): Promise<void> {
  await gateway.attack(
    what,
    async () => {
      const client = new Client();
      await send(client);
      await client.closed;
      return client.text;
    },
    (text) => expect(text).toMatch(answer),
  );
}

const sendTiny = async (client: Client, start: string, pieces: number) => {
  await client.send(start + chunked);
  for (let sent = 0; sent < pieces; sent += 32_768) await client.send(tinyChunks);
};

it('a megabyte in chunks of one byte is refused, on many connections at once', async () => {
  const send = (client: Client) => sendTiny(client, head, mebibyte);
  await expectHarmless('chunks of one byte', send, /"code":"BAD_REQUEST"/);
  const clients = await attack(12, send);
  await Promise.all(clients.map((client) => client.closed));
  for (const { text } of clients) expect(text).toContain('"code":"BAD_REQUEST"');
  await expectBounded('twelve megabytes in chunks of one byte');
});

it('500 bodies of a megabyte that are never finished share what there is for bodies', async () => {
  const most = Buffer.alloc(mebibyte - 1, 32);
  const clients = await attack(500, async (client) => {
    await client.send(`${head}Content-Length: ${mebibyte}\r\n\r\n`);
    await client.send(most);
  });
  const told = () => clients.filter(({ text }) => text !== '');
  await expect.poll(() => told().length, { timeout: 20_000 }).toBeGreaterThanOrEqual(430);
  await expectBounded('500 unfinished bodies');
  for (const { text } of told()) {
    expect(text).toMatch(/^HTTP\/1\.1 503 /);
    expect(text).toMatch(/\r\nRetry-After: 1\r\n/);
    expect(text).toContain('"code":"SERVICE_UNAVAILABLE"');
  }
});

it.each([
  ['a refused request', 'POST /livez HTTP/1.1\r\nHost: localhost\r\n', /^HTTP\/1\.1 405 /],
  ['a path that is not there', 'POST /nothing HTTP/1.1\r\nHost: localhost\r\n', /^HTTP\/1\.1 404 /],
  ['a GET', 'GET /graphql?query={__typename} HTTP/1.1\r\nHost: localhost\r\n', /^HTTP\/1\.1 400 /],
  ['a probe', 'GET /readyz HTTP/1.1\r\nHost: localhost\r\n', /^HTTP\/1\.1 400 /],
])('a body in chunks of one byte behind %s is not kept', async (what, start, status) => {
  const send = (client: Client) => sendTiny(client, start, 4 * 32_768);
  await expectHarmless(`chunks of one byte behind ${what}`, send, status);
  const clients = await attack(20, send);
  await Promise.all(clients.map((client) => client.closed));
  for (const { text } of clients) expect(text).toMatch(status);
  await expectBounded(`chunks of one byte behind ${what}, on 20 connections`);
});

it('thousands of requests in one packet end their connection, on many connections at once', async () => {
  // The shortest that there are, and as many as are read at once.
  const requests = 'GET / HTTP/1.1\r\n\r\n'.repeat(3640);
  const clients = await attack(300, (client) => client.send(requests));
  await Promise.all(clients.map((client) => client.closed));
  await expectBounded('thousands of requests in one packet');
});

it('headers that never end, on 4,000 connections', async () => {
  const clients = await attack(4000, (client) =>
    client.send(`GET /livez HTTP/1.1\r\nHost: localhost\r\nX: ${'a'.repeat(32_300)}`),
  );
  await expectBounded('4,000 unfinished headers');
  for (const client of clients) client.destroy();
});
