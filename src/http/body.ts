import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { DomainError } from '../errors.ts';

const maxBodyBytes = 1024 * 1024;

/**
 * Reads a JSON body, counting its bytes as they come.
 * @throws DomainError PAYLOAD_TOO_LARGE, or BAD_REQUEST, which never says what was wrong where: it would quote the body
 */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  const body = await readBody(request);
  // Decoding would replace what is not UTF-8, and so change a value without a word.
  if (!isUtf8(body)) throw badBody('The body is not UTF-8.');
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    throw badBody('The body is not valid JSON.');
  }
}

function readBody(request: IncomingMessage): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > maxBodyBytes) return Promise.reject(tooLarge());
  // The client left while its credentials were looked at: nothing more will be heard of it.
  if (request.destroyed) return Promise.reject(badBody('The body ended early.'));
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
  const breakOff = () => reject(badBody('The body ended early.'));
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

function tooLarge(): DomainError {
  return new DomainError('PAYLOAD_TOO_LARGE', {
    description: 'Send at most 1 MiB. Split the request.',
  });
}

function badBody(description: string): DomainError {
  return new DomainError('BAD_REQUEST', { description });
}
