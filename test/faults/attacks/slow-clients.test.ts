import { connect } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { AttackedGateway } from '../../support/attacked-gateway.ts';

let gateway: AttackedGateway;
beforeAll(async () => {
  gateway = await AttackedGateway.start();
});
afterAll(() => gateway.close());

const head = 'POST /graphql HTTP/1.1\r\nHost: localhost\r\n';

/** Sends the beginning of a request, then a byte every 500 ms. @returns the answer, and when the connection was closed */
async function drip(beginning: string, allowHalfOpen: boolean): Promise<{ text: string; seconds: number }> {
  const startedAt = performance.now();
  return new Promise((resolve) => {
    const socket = connect({ port: gateway.port, host: '127.0.0.1', allowHalfOpen });
    let text = '';
    if (beginning) socket.write(beginning);
    const drops = setInterval(() => beginning && socket.writable && socket.write('a'), 500);
    socket.on('data', (data) => {
      text += data;
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      clearInterval(drops);
      resolve({ text, seconds: (performance.now() - startedAt) / 1000 });
    });
  });
}

it('answers slow clients with 408 and closes their connections, even if they keep their own side open', {
  timeout: 60_000,
}, async () => {
  const credentials = `Authorization: Bearer ${gateway.token}\r\n`;
  const length = 'Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n';
  const many = (beginning: string) => Promise.all(Array.from({ length: 40 }, (_, i) => drip(beginning, i % 2 === 1)));
  await gateway.take();
  const [slowHeaders, slowBodies, silent] = await Promise.all([
    many(`${head}X-Slow: `),
    many(`${head}${credentials}${length}{"query":"`),
    Promise.all(Array.from({ length: 40 }, () => drip('', false))),
  ]);
  for (const { text, seconds } of [...slowHeaders, ...slowBodies]) {
    expect(seconds).toBeLessThan(36);
    expect(text).toMatch(/^HTTP\/1\.1 408 /);
    expect(text).toContain('"code":"REQUEST_TIMEOUT"');
  }
  for (const { seconds } of [...slowHeaders, ...silent]) expect(seconds).toBeLessThan(15);
  gateway.expectHarmless('a slow client', await gateway.take(), 120);
});
