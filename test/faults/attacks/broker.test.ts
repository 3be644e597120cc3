import { createHash, type Hash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { AttackedGateway, mebibyte } from '../../support/attacked-gateway.ts';
import { createSecret } from '../../support/graphql.ts';
import { Upstream } from '../../support/upstream.ts';

const sent = 200 * mebibyte;
const readAtOnce = 8 * mebibyte;
const mostMemory = 50 * mebibyte;
const value = `sk-${'0123456789abcdef'.repeat(3)}`;

let gateway: AttackedGateway;
let upstream: Upstream;
let use: (path: string, method?: string, headers?: Record<string, string>) => ClientRequest;

beforeAll(async () => {
  upstream = await Upstream.start();
  gateway = await AttackedGateway.start();
  const headers = await gateway.caller({ scope: 'secrets:read secrets:write secrets:use' });
  const input = { name: 'KEY', provider: 'custom', value, destination: { origin: upstream.origin } };
  const { text } = await gateway.post(JSON.stringify({ query: createSecret('useUrl'), variables: { input } }), headers);
  const { useUrl } = JSON.parse(text).data.createSecret.secret;
  use = (path, method = 'GET', more = {}) =>
    request(`${useUrl}/${path}`, { agent: false, method, headers: { ...headers, ...more } });
  // What is loaded and compiled for the first requests is no part of what a large one needs.
  for (let round = 0; round < 20; round += 1) await sendThrough(mebibyte);
}, 60_000);
afterAll(async () => {
  await gateway.close();
  await upstream.close();
});
beforeEach(() => {
  upstream.arrived.length = 0;
});

/** Pieces that differ, so that one that is lost, doubled or moved changes the hash. */
function* piecesOf(bytes: number, hash: Hash): Generator<Buffer> {
  const piece = randomBytes(64 * 1024);
  for (let left = bytes; left > 0; left -= piece.length) {
    piece.writeUInt32BE(left >>> 6);
    const part = Buffer.from(piece.subarray(0, Math.min(left, piece.length)));
    hash.update(part);
    yield part;
  }
}

/** Sends a body, and reads the answer with a stop every 8 MiB until nothing more of the body can be sent. @returns whether it came back whole */
async function sendThrough(bytes: number): Promise<boolean> {
  const [there, back] = [createHash('sha256'), createHash('sha256')];
  const outgoing = use('mirror', 'POST', { 'content-type': 'application/octet-stream' });
  const answered = once(outgoing, 'response') as Promise<[IncomingMessage]>;
  let [isDone, isStuck] = [false, false];
  const writing = (async () => {
    for (const piece of piecesOf(bytes, there)) {
      if (outgoing.write(piece)) continue;
      const drained = once(outgoing, 'drain').then(() => true);
      while (!(await Promise.race([drained, pause()]))) isStuck = true;
      isStuck = false;
    }
    outgoing.end();
    isDone = true;
  })();
  const [response] = await answered;
  let read = 0;
  for await (const piece of response) {
    back.update(piece);
    read += piece.length;
    if (read < readAtOnce) continue;
    // Reads on when all buffers on the way are full.
    while (!isDone && !isStuck) await setImmediate();
    [read, isStuck] = [0, false];
  }
  await writing;
  return there.digest('hex') === back.digest('hex');
}

/** Long enough that what can drain has drained; how long it really takes decides nothing but the time of the test. */
const pause = () => new Promise<false>((resolve) => setTimeout(resolve, 5, false));

it('200 MB go up and come down whole to a client that reads slowly, within 50 MB of memory', {
  timeout: 120_000,
}, async () => {
  const before = gateway.growthOf(await gateway.take());
  expect(await sendThrough(sent)).toBe(true);
  const growth = gateway.growthOf(await gateway.take()) - before;
  console.info(`200 MB each way: ${(growth / mebibyte).toFixed()} MiB`);
  expect(growth).toBeLessThan(mostMemory);
  await gateway.askAsOthersDo();
});

it('an upstream that never reads, and one that never ends, make it hold no more than its buffers', {
  timeout: 60_000,
}, async () => {
  const before = gateway.growthOf(await gateway.take());
  const stuck = use('never-read', 'POST');
  stuck.on('error', () => {});
  const piece = Buffer.alloc(mebibyte);
  for (let pieces = 0; pieces < 100 && stuck.write(piece); pieces += 1);
  const endless = Array.from({ length: 10 }, () => use('endless'));
  for (const one of endless) one.on('error', () => {}).end();
  // Their answers have begun, and nobody reads them.
  const responses = await Promise.all(endless.map(async (one) => (await once(one, 'response'))[0] as IncomingMessage));
  for (let others = 0; others < 50; others += 1) await gateway.askAsOthersDo();
  const growth = gateway.growthOf(await gateway.take()) - before;
  console.info(`not read: ${(growth / mebibyte).toFixed()} MiB`);
  expect(growth).toBeLessThan(mostMemory);
  const closed = upstream.arrived.filter(({ target }) => target === '/endless').map((arrived) => arrived.closed);
  for (const response of responses) response.destroy();
  stuck.destroy();
  await Promise.all(closed);
});

it('1,000 streams at once are told every event, while others are answered', { timeout: 120_000 }, async () => {
  const streams = Array.from({ length: 1000 }, () => use('events'));
  const told = streams.map(async (stream) => {
    stream.on('error', () => {});
    stream.end();
    const [response] = (await once(stream, 'response')) as [IncomingMessage];
    let text = `${response.statusCode} `;
    for await (const piece of response.setEncoding('utf8')) text += piece;
    return text;
  });
  await upstream.streaming(1000);
  await gateway.askAsOthersDo();
  upstream.send(`data: one ${value}\n\n`);
  upstream.send('data: two\n\n');
  await gateway.askAsOthersDo();
  for (const stream of upstream.streams) stream.end('data: end\n\n');
  const expected = `200 data: one ${'*'.repeat(value.length)}\n\ndata: two\n\ndata: end\n\n`;
  expect(new Set(await Promise.all(told))).toEqual(new Set([expected]));
  const measured = await gateway.take();
  console.info(`1,000 streams: ${measured.longestPieceMs.toFixed(1)} ms in one piece`);
  await gateway.askAsOthersDo();
});
