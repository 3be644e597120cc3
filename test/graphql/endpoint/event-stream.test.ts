import type { ServerResponse } from 'node:http';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { EventStream } from '../../../src/graphql/endpoint/event-stream.ts';
import { Subscriptions } from '../../../src/graphql/endpoint/subscriptions.ts';

/** A response whose client reads when it is told to. */
function newResponse() {
  const response = new PassThrough({ highWaterMark: 100 }) as unknown as ServerResponse & PassThrough;
  return Object.assign(response, { writeHead: () => response });
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const ofSize = (bytes: number) => ({ response: { data: 'x'.repeat(bytes) }, bytes });
const large = ofSize(1000);

it('a client that reads nothing is ended, and told to go on after its last cursor', async () => {
  const stream = new EventStream(newResponse());
  const sending = expect(stream.send([large])).rejects.toMatchObject({
    code: 'REQUEST_TIMEOUT',
    details: { description: expect.stringContaining('"after"') },
  });
  await vi.advanceTimersByTimeAsync(15_000);
  await sending;
});

it('no more is held for a client than it reads: the next events wait for it', async () => {
  const response = newResponse();
  const stream = new EventStream(response);
  let isSent = false;
  // What is in one piece is one write.
  const events = [ofSize(50_000), ofSize(50_000), ofSize(50_000)];
  const sending = stream.send(events).then(() => {
    isSent = true;
  });
  await vi.advanceTimersByTimeAsync(14_000);
  expect(isSent).toBe(false);
  expect(response.readableLength).toBeLessThan(110_000);
  response.resume();
  await sending;
  expect(response.listenerCount('drain')).toBe(0);
});

it('nothing more is sent of what was made, once the client has lost the right to read it', async () => {
  const response = newResponse();
  const stream = new EventStream(response);
  let isAllowed = true;
  const sending = stream.send([ofSize(70_000), ofSize(70_000)], () => {
    if (!isAllowed) throw new Error('not allowed');
  });
  const refused = expect(sending).rejects.toThrow('not allowed');
  isAllowed = false;
  let text = '';
  response.on('data', (piece) => {
    text += piece;
  });
  await refused;
  expect(text.match(/event: next/g)?.length).toBe(1);
});

it('a client that left, or a gateway that ends, is not waited for', async () => {
  const [left, ended] = [newResponse(), newResponse()];
  const streams = [new EventStream(left), new EventStream(ended)];
  const sending = streams.map((stream) => stream.send([large]));
  left.destroy();
  streams[1]?.stopWaiting();
  await Promise.all(sending);
  // What was still being made when the gateway began to end.
  await streams[1]?.send([large]);
});

it('what was ended while its client was not reading is cut off after 5 s', async () => {
  const response = newResponse();
  const stream = new EventStream(response);
  void stream.send([large]);
  stream.end({ errors: [] });
  expect(response.destroyed).toBe(false);
  await vi.advanceTimersByTimeAsync(5000);
  expect(response.destroyed).toBe(true);
});

it('streams hold a limited number of bytes together: one more is cut off at once, and another has room when they have ended', async () => {
  const veryLarge = ofSize(15 * 1024 * 1024);
  const responses = Array.from({ length: 4 }, newResponse);
  const held = responses.map((response) => new EventStream(response).send([veryLarge]).catch(() => {}));
  while (responses.some(({ writableLength }) => writableLength < 1000)) await new Promise(setImmediate);
  const further = newResponse();
  const stream = new EventStream(further);
  await expect(stream.send([veryLarge])).rejects.toMatchObject({ code: 'REQUEST_TIMEOUT' });
  stream.end({ errors: [] });
  expect(further.destroyed).toBe(true);
  for (const response of responses) response.destroy();
  await Promise.all(held);
  let isWaiting = true;
  const next = newResponse();
  const sending = new EventStream(next).send([veryLarge]).finally(() => {
    isWaiting = false;
  });
  await vi.advanceTimersByTimeAsync(1000);
  expect(isWaiting).toBe(true);
  next.destroy();
  await sending;
});

it('every stream has a comment every 15 s, for as long as it is open', async () => {
  const subscriptions = new Subscriptions({ all: 10, perCaller: 10 }, { told() {}, ended() {} });
  const response = newResponse();
  let text = '';
  response.on('data', (piece) => {
    text += piece;
  });
  const place = subscriptions.begin(null, () => {});
  place.carry(new EventStream(response));
  await vi.advanceTimersByTimeAsync(46_000);
  expect(text).toBe(':\n\n'.repeat(4));
  place.end();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(text).toBe(':\n\n'.repeat(4));
  expect(vi.getTimerCount()).toBe(0);
});
