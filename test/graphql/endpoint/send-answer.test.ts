import { once } from 'node:events';
import { createServer, get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { sendAnswer } from '../../../src/graphql/endpoint/send-answer.ts';

const head = { status: 200, headers: { 'Content-Type': 'application/json' } };

/** Answers one request with this body. @returns the response on both sides, and when it has been sent */
async function answer(body: string | AsyncIterable<string>) {
  const sent = Promise.withResolvers<void>();
  const server = createServer(
    (_request, response) => void Promise.resolve(sendAnswer(response, head, body)).then(sent.resolve),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const asked = get(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  const [response]: IncomingMessage[] = await once(asked, 'response');
  server.close();
  if (!response) throw new Error('no response');
  return { response, sent: sent.promise };
}

async function textOf(response: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of response) text += chunk;
  return text;
}

it('text is sent with its length', async () => {
  const { response } = await answer('{"data":null}');
  expect(response.headers['content-length']).toBe('13');
  expect(await textOf(response)).toBe('{"data":null}');
});

it('pieces are made no faster than the client reads them, and no more once it has gone', async () => {
  const piece = 'x'.repeat(64 * 1024);
  let made = 0;
  let ended = false;
  async function* endless() {
    try {
      for (;;) {
        made += 1;
        yield piece;
      }
    } finally {
      ended = true;
    }
  }
  const { response, sent } = await answer(endless());
  // Both sockets' buffers fill up.
  let before = 0;
  while (made > before) {
    before = made;
    await setTimeout(100);
  }
  expect(made * piece.length).toBeLessThan(32 * 1024 * 1024);
  response.destroy();
  await sent;
  expect(ended).toBe(true);
});

it('pieces arrive as one answer', async () => {
  async function* pieces() {
    yield '{"data":';
    yield 'null}';
  }
  const { response } = await answer(pieces());
  expect(await textOf(response)).toBe('{"data":null}');
});
