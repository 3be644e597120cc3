import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { Head } from './server-context.ts';

/** Sends an answer: text at once, with its length; pieces no faster than the client reads them. */
export function sendAnswer(
  response: ServerResponse,
  { status, headers }: Head,
  body: string | AsyncIterable<string>,
): Promise<void> | void {
  if (response.closed) return;
  if (typeof body === 'string') {
    const bytes = Buffer.byteLength(body);
    // Node writes ASCII faster when it is told: for UTF-8 it makes room for three bytes a character.
    response.setHeader('Content-Length', bytes).writeHead(status, headers);
    response.end(body, bytes === body.length ? 'latin1' : 'utf8');
    return undefined;
  }
  response.writeHead(status, headers);
  return sendPieces(response, body);
}

async function sendPieces(response: ServerResponse, pieces: AsyncIterable<string>): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  for await (const piece of pieces) {
    if (response.closed) return;
    // Without a client that reads there is nothing to wait for but its end.
    if (!response.write(piece)) await once(response, 'drain', { signal: gone.signal }).catch(() => {});
  }
  response.end();
}
