import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { AttackedGateway } from '../../support/attacked-gateway.ts';
import { times } from '../../support/limits.ts';

let gateway: AttackedGateway;
beforeAll(async () => {
  gateway = await AttackedGateway.start();
});
afterAll(() => gateway.close());

async function inFlight(): Promise<number> {
  const metrics = await fetch(new URL('/metrics', gateway.gateway.url));
  return Number(/in_flight (\d+)/.exec(await metrics.text())?.[1]);
}

it('closes the connection of a client that does not read its answer, and frees its request slot', {
  timeout: 60_000,
}, async () => {
  // More than the buffers of both sockets: 1,000 entities with 30 long aliases each.
  const aliases = times(30, (i) => `${'a'.repeat(250)}${i}: id`);
  const query = `query ($r: [_Any!]!) { _entities(representations: $r) { ... on User { ${aliases} } } }`;
  const r = Array(1000).fill({ __typename: 'User', id: 'ada' });
  const body = JSON.stringify({ query, variables: { r } });
  const clients = await Promise.all(Array.from({ length: 3 }, () => beginToRead(body)));
  expect(await inFlight()).toBe(3);
  await expect.poll(inFlight, { timeout: 45_000, interval: 500 }).toBe(0);
  for (const { socket, received } of clients) {
    socket.resume();
    await once(socket, 'close');
    const text = received();
    expect(text).toMatch(/^HTTP\/1\.1 200 [\s\S]*\r\nTransfer-Encoding: chunked\r\n/i);
    // Without the last chunk (RFC 9112, section 7.1) the answer is incomplete.
    expect(text.endsWith('\r\n0\r\n\r\n')).toBe(false);
  }
});

/** Sends a request, and stops reading when its answer has begun. */
async function beginToRead(body: string) {
  const socket: Socket = connect(gateway.port, '127.0.0.1');
  let text = '';
  socket.on('error', () => {});
  socket.setEncoding('latin1').on('data', (data) => {
    text += data;
  });
  socket.write(
    `POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAuthorization: Bearer ${gateway.token}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  await once(socket, 'data');
  socket.pause();
  const received = () => text;
  return { socket, received };
}
