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
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > maxBodyBytes) {
        request.removeAllListeners('data');
        request.pause();
        reject(tooLarge());
        return;
      }
      chunks.push(chunk);
    });
    request.on('end', () => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)));
    request.on('error', () => reject(badBody('The body ended early.')));
    request.on('close', () => reject(badBody('The body ended early.')));
  });
}

function tooLarge(): DomainError {
  return new DomainError('PAYLOAD_TOO_LARGE', {
    description: 'Send at most 1 MiB. Split the request.',
    headers: { Connection: 'close' },
  });
}

function badBody(description: string): DomainError {
  return new DomainError('BAD_REQUEST', { description });
}
