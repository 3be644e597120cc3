import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { badRequest, DomainError } from '../errors.ts';

const maxBodyBytes = 1024 * 1024;

/**
 * Reads a JSON body, counting its bytes as they come.
 * @param signal ends it, with its reason
 * @throws DomainError PAYLOAD_TOO_LARGE, or BAD_REQUEST, which never says what was wrong where: it would quote the body
 */
export async function readJson(request: IncomingMessage, signal: AbortSignal): Promise<unknown> {
  const body = await readBody(request, signal);
  // Decoding would replace what is not UTF-8, and so change a value without a word.
  if (!isUtf8(body)) throw badRequest('The body is not UTF-8.');
  checkShape(body);
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    throw badRequest('The body is not valid JSON.');
  }
}

function readBody(request: IncomingMessage, signal: AbortSignal): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > maxBodyBytes) return Promise.reject(tooLarge());
  // The client left while its credentials were looked at: nothing more will be heard of it.
  if (request.destroyed) return Promise.reject(badRequest('The body ended early.'));
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const chunks: Buffer[] = [];
  let bytes = 0;
  const take = (chunk: Buffer) => {
    bytes += chunk.length;
    chunks.push(chunk);
    if (bytes <= maxBodyBytes) return;
    request.off('data', take).pause();
    reject(tooLarge());
  };
  signal.addEventListener('abort', () => {
    request.off('data', take);
    chunks.length = 0;
    reject(signal.reason);
  });
  const breakOff = () => reject(badRequest('The body ended early.'));
  request
    .on('data', take)
    .once('error', breakOff)
    .once('close', breakOff)
    .once('end', () => {
      request.off('close', breakOff);
      resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks));
    });
  return promise;
}

/** Levels of arrays and objects: the parser goes down the stack with each. */
const maxDepth = 64;
/** Ten operations with as many variables as they may have, and more than the same number again. */
const maxItems = 100_000;
const [quote, backslash, comma, openBracket, closeBracket, openBrace, closeBrace] = [
  0x22, 0x5c, 0x2c, 0x5b, 0x5d, 0x7b, 0x7d,
];

/** Refuses JSON that has more in it than a request can use before it is parsed, which would take several times as long. */
function checkShape(body: Buffer): void {
  let depth = 0;
  let items = 0;
  let inString = false;
  for (let at = 0; at < body.length; at += 1) {
    const byte = body[at];
    if (byte === quote) inString = !inString;
    else if (inString) at += byte === backslash ? 1 : 0;
    else if (byte === comma) {
      items += 1;
      if (items > maxItems) throw tooMuch('variables_limit_error', maxItems, 'keys and items');
    } else if (byte === openBracket || byte === openBrace) {
      depth += 1;
      if (depth > maxDepth) throw tooMuch('depth_limit_error', maxDepth, 'levels of arrays and objects');
    } else if (byte === closeBracket || byte === closeBrace) depth -= 1;
  }
}

function tooMuch(type: string, most: number, what: string): DomainError {
  return new DomainError('BAD_REQUEST', {
    type,
    description: `The body may have at most ${most.toLocaleString('en')} ${what}.`,
  });
}

function tooLarge(): DomainError {
  return new DomainError('PAYLOAD_TOO_LARGE', {
    description: 'Send at most 1 MiB. Split the request.',
  });
}

const unreadBytes = 1024 * 1024;

/**
 * Reads on for a moment after a refusal, and then holds still, before it ends the response and with it the connection.
 * To end with bytes unread would reset the connection, and the client would perhaps not get to see the answer.
 */
export function dropBody(request: IncomingMessage, end: () => void): void {
  if (request.complete) {
    end();
    return;
  }
  let bytes = 0;
  const timer = setTimeout(end, 1000).unref();
  request.on('error', () => {});
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > unreadBytes) request.pause();
  });
  request.on('end', end);
  request.on('close', () => clearTimeout(timer));
  request.resume();
}
