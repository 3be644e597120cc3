import { once } from 'node:events';
import { type ClientRequest, createServer, type IncomingMessage, request as startRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { DomainError } from '../../src/errors.ts';
import { BodyReading, dropBody } from '../../src/http/body.ts';

const mebibyte = 1024 * 1024;
const server = createServer();

beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(() => {
  vi.useRealTimers();
  server.closeAllConnections();
});
afterAll(() => {
  server.close();
});

/** Sends the head of a request. @returns the client's end and the server's end of it */
async function begin(headers: Record<string, string | number> = {}): Promise<[ClientRequest, IncomingMessage]> {
  const { port } = server.address() as AddressInfo;
  const client = startRequest({ host: '127.0.0.1', port, method: 'POST', headers, agent: false });
  client.on('error', () => {});
  client.flushHeaders();
  const [request] = (await once(server, 'request')) as [IncomingMessage];
  return [client, request];
}

function readBody(request: IncomingMessage, maxBytes: number, signal: AbortSignal, onHeld: (bytes: number) => void) {
  const reading = new BodyReading(request, maxBytes, { onHeld, onEnd });
  signal.addEventListener('abort', () => reading.stop(signal.reason));
  return reading.start();
}

/** Unlike `once`, it does not reject with the request's error. */
const closed = (request: IncomingMessage) => new Promise((resolve) => request.once('close', resolve));
const never = new AbortController().signal;
const onHeld = vi.fn<(bytes: number) => void>();
const onEnd = vi.fn();
const tooLarge = { code: 'PAYLOAD_TOO_LARGE' };
const brokenOff = { code: 'BAD_REQUEST', details: { description: 'The body ended early.' } };

describe.each<[string, (bytes: number) => Record<string, string | number>]>([
  ['with a Content-Length', (bytes) => ({ 'content-length': bytes })],
  ['in chunks', () => ({ 'transfer-encoding': 'chunked' })],
])('a body that comes %s', (_how, headersFor) => {
  it('is read whole when it has exactly the limit', async () => {
    const body = Buffer.alloc(100_000, 'abc');
    const [client, request] = await begin(headersFor(body.length));
    client.end(body);
    expect((await readBody(request, body.length, never, onHeld)).equals(body)).toBe(true);
  });

  it('is refused with one byte more, and the rest of it is not kept', async () => {
    const body = Buffer.alloc(100_001);
    const [client, request] = await begin(headersFor(body.length));
    client.end(body);
    await expect(readBody(request, 100_000, never, onHeld)).rejects.toMatchObject(tooLarge);
    expect(onHeld).toHaveBeenLastCalledWith(0);
    expect(request.readableFlowing).toBe(true);
    expect(request.readableLength).toBe(0);
  });

  it('may be empty', async () => {
    const [client, request] = await begin(headersFor(0));
    client.end();
    expect(await readBody(request, 0, never, onHeld)).toHaveLength(0);
  });

  it('that the client aborts is refused', async () => {
    const [client, request] = await begin(headersFor(1000));
    client.write('the beginning');
    const reading = readBody(request, 1000, never, onHeld);
    await once(request, 'data');
    client.destroy();
    await expect(reading).rejects.toMatchObject(brokenOff);
  });

  it('is refused immediately when the client left before it was read', async () => {
    const [client, request] = await begin(headersFor(1000));
    request.on('error', () => {});
    client.destroy();
    await closed(request);
    await expect(readBody(request, 1000, never, onHeld)).rejects.toMatchObject(brokenOff);
  });

  it('is no longer read once the signal aborts, and fails with the reason of the signal', async () => {
    const [client, request] = await begin(headersFor(1000));
    client.write('the beginning');
    const abort = new AbortController();
    const reading = readBody(request, 1000, abort.signal, onHeld);
    await once(request, 'data');
    const reason = new DomainError('REQUEST_TIMEOUT');
    abort.abort(reason);
    await expect(reading).rejects.toBe(reason);
    expect(onHeld).toHaveBeenLastCalledWith(0);
  });
});

describe('a body', () => {
  it('is read unchanged, however it is split into chunks', async () => {
    const piece = fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 50 }),
      fc
        .tuple(fc.integer({ min: 1, max: 200_000 }), fc.integer({ min: 1, max: 255 }))
        .map(([length, start]) => Buffer.alloc(length).map((_, index) => start + index)),
    );
    const sentWithLength = fc.tuple(fc.array(piece, { maxLength: 10 }), fc.boolean());
    await fc.assert(
      fc.asyncProperty(sentWithLength, async ([sent, hasLength]) => {
        const whole = Buffer.concat(sent);
        const [client, request] = await begin(hasLength ? { 'content-length': whole.length } : {});
        const reading = readBody(request, 3 * mebibyte, never, onHeld);
        for (const piece of sent) if (!client.write(piece)) await once(client, 'drain');
        client.end();
        expect((await reading).equals(whole)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it('whose Content-Length is over the limit is refused before any of it arrives', async () => {
    const [, request] = await begin({ 'content-length': 2 * mebibyte + 1 });
    await expect(readBody(request, 2 * mebibyte, never, onHeld)).rejects.toMatchObject({
      ...tooLarge,
      details: { description: 'Send at most 2 MiB. Split the request.' },
    });
    expect(onHeld).toHaveBeenLastCalledWith(0);
  });

  it('that never ends is refused as soon as it is over the limit', async () => {
    const [client, request] = await begin({ 'transfer-encoding': 'chunked' });
    const reading = readBody(request, 10, never, onHeld);
    client.write('0123456789a');
    await expect(reading).rejects.toMatchObject(tooLarge);
  });
});

it('a body that has arrived is left as it is, whatever comes after it', async () => {
  const whole = Buffer.alloc(200_000, 'abc');
  const [client, request] = await begin({ 'content-length': whole.length });
  const abort = new AbortController();
  const reading = readBody(request, mebibyte, abort.signal, onHeld);
  client.end(whole);
  const body = await reading;
  abort.abort(new DomainError('REQUEST_TIMEOUT'));
  request.emit('error', new Error('aborted'));
  expect(body.equals(whole)).toBe(true);
});

describe('what a body holds in memory', () => {
  it.each<[string, Record<string, string | number>]>([
    ['without a length', { 'transfer-encoding': 'chunked' }],
    ['with the most that there may be', { 'content-length': mebibyte }],
  ])('is at most twice what has arrived, or 16 KiB, %s', async (_how, headers) => {
    const [client, request] = await begin(headers);
    const reading = readBody(request, mebibyte, never, onHeld);
    let arrived = 0;
    request.on('data', (piece: Buffer) => {
      arrived += piece.length;
      const [held = 0] = onHeld.mock.lastCall ?? [];
      expect(held).toBeGreaterThanOrEqual(arrived);
      expect(held).toBeLessThanOrEqual(Math.max(16 * 1024, 2 * arrived));
    });
    for (let sent = 0; sent < mebibyte; sent += 4096) {
      if (!client.write(Buffer.alloc(4096, 97))) await once(client, 'drain');
    }
    client.end();
    expect((await reading).equals(Buffer.alloc(mebibyte, 97))).toBe(true);
    expect(arrived).toBe(mebibyte);
  });

  it('may have thousands of pieces of a usual size', async () => {
    const [client, request] = await begin({ 'transfer-encoding': 'chunked' });
    const reading = readBody(request, mebibyte, never, onHeld);
    client.socket?.write(`64\r\n${'a'.repeat(100)}\r\n`.repeat(5000));
    client.end();
    expect(await reading).toHaveLength(500_000);
  });

  it('is bounded in small pieces: each costs time, whatever its size', async () => {
    const [client, request] = await begin({ 'transfer-encoding': 'chunked' });
    const reading = readBody(request, mebibyte, never, onHeld);
    client.socket?.write('1\r\na\r\n'.repeat(1001));
    await expect(reading).rejects.toMatchObject({ code: 'BAD_REQUEST' });
    expect(onHeld).toHaveBeenLastCalledWith(0);
  });
});

describe('what is left of a refused body', () => {
  /** Drops the body of a request that has begun. */
  async function dropped(headers: Record<string, string | number> = {}) {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const [client, request] = await begin(headers);
    const end = vi.fn();
    return { client, request, end };
  }

  it('does not delay the end of the response when the body has arrived', async () => {
    const { client, request, end } = await dropped({ 'content-length': 5 });
    client.end('whole');
    await readBody(request, 5, never, onHeld);
    dropBody(request, end);
    expect(end).toHaveBeenCalledTimes(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is read, and the response ends once when all of it has arrived', async () => {
    const { client, request, end } = await dropped({ 'content-length': 5 });
    dropBody(request, end);
    const headersBytes = request.socket.bytesRead;
    client.write('who');
    while (request.socket.bytesRead === headersBytes) await new Promise((resolve) => setImmediate(resolve));
    expect(end).not.toHaveBeenCalled();
    client.end('le');
    await closed(request);
    vi.advanceTimersByTime(10_000);
    expect(end).toHaveBeenCalledTimes(1);
  });

  it('delays the end of the response by at most 1 s when it does not arrive', async () => {
    const { request, end } = await dropped({ 'content-length': 5 });
    dropBody(request, end);
    vi.advanceTimersByTime(999);
    expect(end).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(end).toHaveBeenCalledTimes(1);
  });

  it('is read up to 1 MiB, and no more', async () => {
    const { client, request, end } = await dropped({ 'content-length': 4 * mebibyte });
    const stopped = once(request.socket, 'pause');
    dropBody(request, end);
    client.write(Buffer.alloc(4 * mebibyte));
    await stopped;
    await new Promise((resolve) => setImmediate(resolve));
    expect(request.socket.isPaused()).toBe(true);
    expect(request.socket.bytesRead).toBeGreaterThan(mebibyte);
    expect(request.socket.bytesRead).toBeLessThan(2 * mebibyte);
    expect(request.readableLength).toBe(0);
    expect(end).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1000);
    expect(end).toHaveBeenCalledTimes(1);
  });

  it('leaves no timer and no error when the client aborts', async () => {
    const { client, request, end } = await dropped({ 'content-length': 5 });
    dropBody(request, end);
    client.destroy();
    await closed(request);
    expect(vi.getTimerCount()).toBe(0);
    expect(end).not.toHaveBeenCalled();
  });
});
