import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { type IncomingMessage, request as makeRequest } from 'node:http';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { UpstreamResponse } from '../../../src/broker/upstream/exchange.ts';
import type { Forwarder } from '../../../src/broker/upstream/forward.ts';
import { failureOf, send, testForwarder } from '../../support/forwarding.ts';
import { Upstream } from '../../support/upstream.ts';

const megabyte = 1024 * 1024;
const size = 200 * megabyte;

let upstream: Upstream;
let forwarder: Forwarder;
beforeAll(async () => {
  upstream = await Upstream.start();
  forwarder = testForwarder();
});
afterAll(async () => {
  forwarder.close();
  await upstream.close();
});

/** Calls it until it says the same 50 times: then nothing moves any more. */
async function settled(read: () => number): Promise<number> {
  let [value, same] = [read(), 0];
  while (same < 50) {
    await turn();
    await new Promise((resolve) => setTimeout(resolve, 2));
    same = read() === value ? same + 1 : 0;
    value = read();
  }
  return value;
}

describe('200 MB', () => {
  let gateway: ChildProcess;
  let url: string;
  beforeEach(async () => {
    gateway = fork(join(import.meta.dirname, '../../support/front-process.ts'), [upstream.origin]);
    [{ url }] = (await once(gateway, 'message')) as [{ url: string }];
  });
  afterEach(() => {
    gateway.kill();
  });

  /** The most memory that forwarding has taken. */
  async function memory(): Promise<number> {
    gateway.send('memory');
    const [{ more }] = (await once(gateway, 'message')) as [{ more: number }];
    return more;
  }

  it('that are read slowly wait at the upstream, and take less than 50 MB', async () => {
    const asked = makeRequest(`${url}/large?bytes=${size}`, { agent: false }).end();
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    // Nobody reads, until nothing comes any more.
    expect(await settled(() => response.socket.bytesRead)).toBeLessThan(megabyte);
    expect(await memory()).toBeLessThan(20 * megabyte);
    let bytes = 0;
    for await (const piece of response) {
      bytes += piece.length;
      if (bytes % 7 === 0) await turn();
    }
    expect(bytes).toBe(size);
    expect(await memory()).toBeLessThan(50 * megabyte);
  });

  it('that are sent take less than 50 MB', async () => {
    const headers = { 'content-length': size };
    const request = makeRequest(`${url}/swallow`, { method: 'POST', headers, agent: false });
    const answered = once(request, 'response');
    const piece = Buffer.alloc(64 * 1024, 'sent ');
    for (let sent = 0; sent < size; sent += piece.length) {
      if (!request.write(piece)) await once(request, 'drain');
    }
    request.end();
    const [response] = (await answered) as [IncomingMessage];
    expect((await response.toArray()).join('')).toBe(String(size));
    expect(await memory()).toBeLessThan(50 * megabyte);
  });

  it('that the upstream does not take are not taken from the client', async () => {
    const request = makeRequest(`${url}/never-read`, {
      method: 'POST',
      headers: { 'content-length': size },
      agent: false,
    });
    request.on('error', () => {});
    const piece = Buffer.alloc(megabyte);
    let sent = 0;
    const more = () => {
      do sent += piece.length;
      while (request.write(piece) && sent < size);
    };
    request.on('drain', more);
    more();
    // What the kernel holds for two connections is a part of it.
    expect(await settled(() => sent)).toBeLessThan(size / 4);
    expect(await memory()).toBeLessThan(20 * megabyte);
    request.destroy();
  });
});

it('1,200 streams of one owner run at once, and one more is told to come back', async () => {
  const responses: UpstreamResponse[] = await Promise.all(
    Array.from({ length: 1200 }, () => send(forwarder, upstream.origin, { path: '/events' })),
  );
  const texts = responses.map(async ({ body }) => {
    let text = '';
    for await (const piece of body) {
      text += piece;
      if (text.endsWith('end')) break;
    }
    return text;
  });
  await upstream.streaming(1200);
  const tooMany = {
    code: 'SERVICE_UNAVAILABLE',
    description: 'Too many requests to destinations are under way. Retry later.',
  };
  expect(await failureOf(send(forwarder, upstream.origin, { path: '/ok' }))).toEqual(tooMany);
  const other = await send(forwarder, upstream.origin, { ownerKey: 'bob', path: '/ok' });
  other.body.resume();
  upstream.send('to all ');
  await turn();
  upstream.send('end');
  expect(new Set(await Promise.all(texts))).toEqual(new Set(['to all end']));
  // All of them have given back their sockets.
  const again = await send(forwarder, upstream.origin, { path: '/ok' });
  again.body.resume();
  await once(again.body, 'close');
});
