import { once } from 'node:events';
import { type ClientRequest, createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { Exchange } from '../../src/http/exchange.ts';
import { RequestSlots } from '../../src/http/request-slots.ts';
import { HttpResponse } from '../../src/http/response.ts';

const server = createServer({ ServerResponse: HttpResponse });
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

/** Sends the head of a request. */
async function begin(headers: Record<string, string> = {}): Promise<{ client: ClientRequest; exchange: Exchange }> {
  const { port } = server.address() as AddressInfo;
  const client = request({ host: '127.0.0.1', port, method: 'POST', headers, agent: false });
  client.on('error', () => {});
  client.flushHeaders();
  const [received, response] = (await once(server, 'request')) as [IncomingMessage, HttpResponse];
  return { client, exchange: new Exchange(received, response) };
}

const limits = { maxBodyBytes: 100, arrivalMs: 30_000 };

describe('a request id', () => {
  it.each(['a', 'A.b:c=d+e/f-g_1', 'x'.repeat(128)])('is the one that the client sent: %s', async (id) => {
    expect((await begin({ 'x-request-id': id })).exchange.requestId).toBe(id);
  });

  it.each(['', 'a b', 'a"b', 'a\tb', 'ä', 'x'.repeat(129)])('is a new UUID instead of %j', async (id) => {
    expect((await begin({ 'x-request-id': id })).exchange.requestId).toMatch(
      /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/,
    );
  });

  it('is different for each request that has none', async () => {
    const [one, other] = [await begin(), await begin()];
    expect(one.exchange.requestId).not.toBe(other.exchange.requestId);
  });
});

describe('a slot is held', () => {
  it('until the response has been sent', async () => {
    const slots = new RequestSlots(1);
    const { client, exchange } = await begin();
    exchange.hold(slots);
    client.end();
    exchange.response.write('a part');
    expect(slots.taken).toBe(1);
    const empty = slots.whenEmpty();
    client.once('response', (response) => response.resume());
    exchange.response.end();
    await empty;
    expect(slots.taken).toBe(0);
  });

  it('until the client hangs up', async () => {
    const slots = new RequestSlots(1);
    const { client, exchange } = await begin();
    exchange.hold(slots);
    const empty = slots.whenEmpty();
    client.destroy();
    await empty;
    expect(slots.taken).toBe(0);
  });
});

describe('a body', () => {
  it('is read by a request that holds a slot, and by no other', async () => {
    const { client, exchange } = await begin();
    client.end('the body');
    await expect(exchange.readBody(limits)).rejects.toThrow('a request without a slot reads its body');
    exchange.hold(new RequestSlots(1));
    expect(String(await exchange.readBody(limits))).toBe('the body');
  });

  it('is refused beyond the limit', async () => {
    const { client, exchange } = await begin();
    exchange.hold(new RequestSlots(1));
    client.end('x'.repeat(101));
    await expect(exchange.readBody(limits)).rejects.toMatchObject({ code: 'PAYLOAD_TOO_LARGE' });
  });

  it('has a time limit that begins with the request, not when the reading begins', async () => {
    vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] });
    const { exchange } = await begin();
    exchange.hold(new RequestSlots(1));
    vi.advanceTimersByTime(29_000);
    const ended = vi.fn();
    const reading = exchange.readBody(limits).catch(({ code }) => ended(code));
    await vi.advanceTimersByTimeAsync(999);
    expect(ended).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    await reading;
    expect(ended).toHaveBeenCalledWith('REQUEST_TIMEOUT');
  });

  it('is refused at the end of its time, also where the timer ran down early in a busy event loop', async () => {
    vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] });
    const { exchange } = await begin();
    exchange.hold(new RequestSlots(1));
    exchange.limitTime({ ...limits, totalMs: 300_000 });
    const refused = expect(exchange.readBody(limits)).rejects.toMatchObject({ code: 'REQUEST_TIMEOUT' });
    // The timer counts from the beginning of a tick that began 50 ms ago.
    Object.defineProperty(exchange, 'startedAtMs', { value: exchange.startedAtMs + 50 });
    await vi.advanceTimersByTimeAsync(30_050);
    await refused;
  });

  it('is refused when another request needs the slot', async () => {
    const slots = new RequestSlots(1);
    const { exchange } = await begin();
    exchange.hold(slots);
    const reading = exchange.readBody(limits);
    slots.take();
    await expect(reading).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
  });
});

it('limitIdle limits how long the connection may be idle', async () => {
  const { exchange } = await begin();
  exchange.limitIdle(1234);
  expect(exchange.request.socket.timeout).toBe(1234);
});

it('the connection is closed when all of it takes too long, also after the time for the body', async () => {
  vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] });
  const { exchange } = await begin();
  const { socket } = exchange.request;
  exchange.limitTime({ arrivalMs: 30_000, totalMs: 60_000 });
  vi.advanceTimersByTime(59_998);
  expect(socket.destroyed).toBe(false);
  vi.advanceTimersByTime(2);
  expect(socket.destroyed).toBe(true);
});

it('leaves no timer when the response has been sent', async () => {
  vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] });
  const { client, exchange } = await begin();
  exchange.hold(new RequestSlots(1));
  exchange.limitTime({ arrivalMs: 30_000, totalMs: 60_000 });
  client.end('the body');
  await exchange.readBody(limits);
  const ended = new Promise<void>((resolve) => exchange.onEnd(resolve));
  client.once('response', (response) => response.resume());
  exchange.response.end();
  await ended;
  expect(vi.getTimerCount()).toBe(0);
  const afterwards = vi.fn();
  exchange.onEnd(afterwards);
  expect(afterwards).toHaveBeenCalledTimes(1);
});

describe('a connection that has been idle for as long as its timer says', () => {
  it('may be idle longer where the request allows it, but not twice as long', async () => {
    const { exchange } = await begin();
    const { socket } = exchange.request;
    exchange.limitIdle(1000);
    exchange.limitIdle(1500);
    expect([socket.timeout, exchange.mayIdle(), socket.timeout, exchange.mayIdle()]).toEqual([1000, true, 500, false]);
  });

  it('begins anew when something has passed through it', async () => {
    const { client, exchange } = await begin();
    const { socket } = exchange.request;
    exchange.limitIdle(1000);
    exchange.limitIdle(1500);
    expect(exchange.mayIdle()).toBe(true);
    exchange.request.resume();
    client.write('something');
    const [before] = [socket.bytesRead];
    await expect.poll(() => socket.bytesRead).toBeGreaterThan(before);
    expect([exchange.mayIdle(), socket.timeout]).toEqual([true, 1000]);
  });
});
