import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { CommandFailure } from '../failure.ts';
import { UsageError } from '../usage-error.ts';
import { whyUnreadable } from './read-bytes.ts';
import type { UseRequest } from './use-request.ts';

/** The body of a request, as it is read. */
export interface Body {
  readonly pieces: AsyncIterable<Buffer>;
  /** Undefined where it is not known before the end. */
  readonly length: number | undefined;
  /** What it is, where the user did not say it. */
  readonly type: string | undefined;
  /** Ends the reading of what is left. */
  readonly close: () => void;
}

/**
 * @returns null without a body
 * @throws UsageError where nobody says what it is; CommandFailure
 */
export async function openBody({ source, headers }: UseRequest): Promise<Body | null> {
  const isTyped = headers.has('content-type');
  switch (source.kind) {
    case 'none':
      return null;
    case 'text': {
      const bytes = Buffer.from(source.text);
      const type = isTyped || bytes.length === 0 ? undefined : typeOf(isJson(source.text));
      return { pieces: once(bytes), length: bytes.length, type, close() {} };
    }
    case 'stdin':
      return streamed(process.stdin, undefined, isTyped, 'Standard input');
    case 'file':
      return openFile(source.file, isTyped);
  }
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  if (bytes.length > 0) yield bytes;
}

async function openFile(path: string, isTyped: boolean): Promise<Body> {
  try {
    const file = await open(path);
    const stat = await file.stat();
    // A pipe, as of <(…), has no size.
    const length = stat.isFile() ? stat.size : undefined;
    return await streamed(file.createReadStream(), length, isTyped, '--data-file');
  } catch (error) {
    if (error instanceof CommandFailure || error instanceof UsageError) throw error;
    throw unreadable('--data-file', error);
  }
}

/** Reads the first piece, to see what it is. */
async function streamed(stream: Readable, length: number | undefined, isTyped: boolean, what: string): Promise<Body> {
  const pieces = piecesOf(stream, length, what);
  const close = () => void stream.destroy();
  if (isTyped) return { pieces, length, type: undefined, close };
  const first = await pieces.next();
  if (first.done) return { pieces, length: 0, type: undefined, close };
  const type = typeOf(/^\s*[[{]/.test(first.value.toString('latin1')));
  return { pieces: withFirst(first.value, pieces), length, type, close };
}

async function* withFirst(first: Buffer, others: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield first;
  yield* others;
}

async function* piecesOf(stream: Readable, length: number | undefined, what: string): AsyncGenerator<Buffer> {
  let bytes = 0;
  try {
    for await (const piece of stream as AsyncIterable<Buffer>) {
      bytes += piece.length;
      if (length !== undefined && bytes > length) break;
      yield piece;
    }
  } catch (error) {
    throw unreadable(what, error);
  }
  if (length !== undefined && bytes !== length) throw new CommandFailure(`${what} was changed while it was sent.`);
}

function typeOf(json: boolean): string {
  if (json) return 'application/json';
  throw new UsageError("The body is not JSON. Say what it is: --header 'Content-Type: text/plain'");
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function unreadable(what: string, error: unknown): CommandFailure {
  return new CommandFailure(`${what} cannot be read: ${whyUnreadable(error as NodeJS.ErrnoException)}`);
}
