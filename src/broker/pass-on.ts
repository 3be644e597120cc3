import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { DomainError } from '../errors.ts';
import { dropBody } from '../http/body.ts';
import type { HttpResponse } from '../http/response.ts';
import { freeBytes, isWorthFreeing } from '../runtime/free-bytes.ts';
import type { Place } from './own-links.ts';
import { responseHeaders } from './response-headers.ts';
import type { Scrubber } from './scrub/scrub.ts';

export interface PassedOn {
  readonly status: number;
  readonly rawHeaders: readonly string[];
  readonly body: Readable;
  readonly request: IncomingMessage;
  readonly response: HttpResponse;
  readonly scrubber: Scrubber;
  readonly place: Place;
  readonly maxBodyBytes: number;
}

/**
 * Sends an upstream's answer to the client: its head with what has arrived of its body, and each further piece when it arrives, as
 * fast as the client reads. Ends when all of it is written.
 * @throws DomainError BAD_GATEWAY when the upstream breaks off, or what forward.ts says
 */
export async function passOn({ request, response, body, scrubber, ...answer }: PassedOn): Promise<void> {
  // Its connection may end with it, and with the rest of the body.
  if (!request.complete) response.setHeader('Connection', 'close');
  response.forwardHead(answer.status, responseHeaders(headersOf(answer), scrubber, answer.place));
  await pipe(body, response, scrubber, answer.maxBodyBytes);
  const rest = scrubber.end();
  if (rest.length > 0) response.write(rest);
  dropBody(request, () => response.end());
}

/** A 204 has no length (RFC 9110, section 8.6). A proxy that believed one would take the next answer for the body of this. */
function headersOf({ status, rawHeaders }: Pick<PassedOn, 'status' | 'rawHeaders'>): readonly string[] {
  if (status !== 204) return rawHeaders;
  return rawHeaders.filter((_, at) => rawHeaders[at - (at % 2)]?.toLowerCase() !== 'content-length');
}

function pipe(body: Readable, response: HttpResponse, scrubber: Scrubber, maxBytes: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let bytes = 0;
    // What has arrived with the head goes with it, in one packet.
    let isHeadSent = false;
    const sendHead = () => {
      if (!isHeadSent) response.flushHeaders();
      isHeadSent = true;
    };
    const flush = setImmediate(sendHead);
    // The client's end aborts the upstream's request, which ends the body.
    const onDrain = () => body.resume();
    const settle = (error?: unknown) => {
      clearImmediate(flush);
      response.off('drain', onDrain);
      if (error === undefined) return resolve();
      // A client that gets nothing at all sends its request again, and some do so unasked.
      sendHead();
      // Node writes it at the end of this tick, and the refusal ends the connection.
      setImmediate(reject, error);
    };
    response.on('drain', onDrain);
    body.on('data', (piece: Buffer) => {
      bytes += piece.length;
      if (bytes > maxBytes) {
        body.destroy(tooLarge());
        return;
      }
      const clean = scrubber.push(piece);
      if (clean.length === 0) return;
      clearImmediate(flush);
      isHeadSent = true;
      // The scrubber keeps none of a piece: what it holds back is a copy.
      const free = () => {
        freeBytes(clean);
        freeBytes(piece);
      };
      const isTaken =
        isWorthFreeing(clean) || isWorthFreeing(piece) ? response.write(clean, free) : response.write(clean);
      if (!isTaken) body.pause();
    });
    body.on('end', () => settle());
    body.on('error', (error) => settle(error instanceof DomainError ? error : brokeOff(error)));
    body.on('close', () => body.readableEnded || settle(brokeOff()));
    // It was given up before anybody read it, and tells nothing more.
    if (body.closed) settle(body.errored instanceof DomainError ? body.errored : brokeOff(body.errored));
  });
}

function brokeOff(cause?: unknown): DomainError {
  return new DomainError('BAD_GATEWAY', {
    description: 'The upstream broke off its answer.',
    reason: 'broke-off',
    cause,
  });
}

function tooLarge(): DomainError {
  return new DomainError('BAD_GATEWAY', { description: 'The upstream’s answer is too large.', reason: 'too-large' });
}
