import { once } from 'node:events';
import { request as makeRequest } from 'node:http';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Front, testForwarder } from '../../support/forwarding.ts';
import { Upstream } from '../../support/upstream.ts';

let upstream: Upstream;
beforeAll(async () => {
  upstream = await Upstream.start();
});
afterAll(() => upstream.close());

it('only a client that the upstream waits for has a shorter time for its body', async () => {
  const patient = testForwarder({ bodyMs: 1000 });
  const front = await Front.start(patient, upstream.origin);
  const early = makeRequest(`${front.url}/mirror`, { method: 'POST', agent: false }).on('error', () => {});
  // Of an answer that has begun, the client may wait for more before it says more.
  early.write('four');
  const [response] = await once(early, 'response');
  const post = (path: string) =>
    makeRequest(`${front.url}${path}`, { method: 'POST', agent: false }).on('error', () => {});
  // What the upstream does not take is not waited for.
  post('/never-read').end(Buffer.alloc(64 * 1024 * 1024));
  // All of the body is there, and the answer is awaited.
  post('/never').end('four');
  // One after the other: what began before them would have ended by then.
  for (let times = 0; times < 2; times += 1) {
    const stalled = post('/never-read');
    stalled.write('four');
    await once(stalled, 'response');
  }
  const open = () => new Promise((resolve) => setImmediate(resolve, 'open'));
  const ends = await Promise.all(front.ends.map((end) => Promise.race([end, open()])));
  expect(ends.filter((end) => end !== 'open')).toEqual([{ code: 'REQUEST_TIMEOUT' }, { code: 'REQUEST_TIMEOUT' }]);
  expect(ends).toHaveLength(5);
  early.end();
  response.resume();
  await once(response, 'end');
  patient.close();
  await front.close();
});
