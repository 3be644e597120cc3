import { once } from 'node:events';
import { type ClientRequest, createServer, type IncomingMessage, request as startRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { DomainError } from '../../src/errors.ts';
import { dropBody, readBody } from '../../src/http/body.ts';

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

/** Unlike `once`, it does not reject with the request's error. */
const closed = (request: IncomingMessage) => new Promise((resolve) => request.once('close', resolve));
const never = new AbortController().signal;
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
    expect((await readBody(request, body.length, never)).equals(body)).toBe(true);
  });

  it('is refused with one byte more, and the rest of it is not read', async () => {
    const body = Buffer.alloc(100_001);
    const [client, request] = await begin(headersFor(body.length));
    client.end(body);
    await expect(readBody(request, 100_000, never)).rejects.toMatchObject(tooLarge);
    expect(request.listenerCount('data')).toBe(0);
    expect(request.readableFlowing).not.toBe(true);
  });

  it('may be empty', async () => {
    const [client, request] = await begin(headersFor(0));
    client.end();
    expect(await readBody(request, 0, never)).toHaveLength(0);
  });

  it('that the client aborts is refused', async () => {
    const [client, request] = await begin(headersFor(1000));
    client.write('the beginning');
    const reading = readBody(request, 1000, never);
    await once(request, 'data');
    client.destroy();
    await expect(reading).rejects.toMatchObject(brokenOff);
  });

  it('is refused immediately when the client left before it was read', async () => {
    const [client, request] = await begin(headersFor(1000));
    request.on('error', () => {});
    client.destroy();
    await closed(request);
    await expect(readBody(request, 1000, never)).rejects.toMatchObject(brokenOff);
  });

  it('is no longer read once the signal aborts, and fails with the reason of the signal', async () => {
    const [client, request] = await begin(headersFor(1000));
    client.write('the beginning');
    const abort = new AbortController();
    const reading = readBody(request, 1000, abort.signal);
    await once(request, 'data');
    const reason = new DomainError('REQUEST_TIMEOUT');
    abort.abort(reason);
    await expect(reading).rejects.toBe(reason);
    expect(request.listenerCount('data')).toBe(0);
  });
});

describe('a body', () => {
  it('is read unchanged, however it is split into chunks', async () => {
    const pieces = fc.array(fc.uint8Array({ minLength: 1, maxLength: 50 }), { maxLength: 10 });
    await fc.assert(
      fc.asyncProperty(pieces, async (sent) => {
        const [client, request] = await begin();
        for (const piece of sent) client.write(piece);
        client.end();
        const whole = Buffer.concat(sent);
        expect((await readBody(request, whole.length, never)).equals(whole)).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  it('whose Content-Length is over the limit is refused before any of it arrives', async () => {
    const [, request] = await begin({ 'content-length': 2 * mebibyte + 1 });
    await expect(readBody(request, 2 * mebibyte, never)).rejects.toMatchObject({
      ...tooLarge,
      details: { description: 'Send at most 2 MiB. Split the request.' },
    });
    expect(request.readableFlowing).toBeNull();
  });

  it('that never ends is refused as soon as it is over the limit', async () => {
    const [client, request] = await begin({ 'transfer-encoding': 'chunked' });
    const reading = readBody(request, 10, never);
    client.write('0123456789a');
    await expect(reading).rejects.toMatchObject(tooLarge);
  });
});

describe('the rest of a refused body', () => {
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
    await readBody(request, 5, never);
    dropBody(request, end);
    expect(end).toHaveBeenCalledTimes(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is read, and the response ends once when all of it has arrived', async () => {
    const { client, request, end } = await dropped({ 'content-length': 5 });
    dropBody(request, end);
    client.write('who');
    await once(request, 'data');
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
    let [bytes, lastChunk] = [0, 0];
    request.on('data', (chunk: Buffer) => {
      lastChunk = chunk.length;
      bytes += chunk.length;
    });
    request.pause();
    const paused = new Promise((resolve) => request.on('pause', resolve));
    dropBody(request, end);
    client.write(Buffer.alloc(4 * mebibyte));
    await paused;
    expect(request.isPaused()).toBe(true);
    expect(bytes).toBeGreaterThan(mebibyte);
    expect(bytes - lastChunk).toBeLessThanOrEqual(mebibyte);
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
