import { createReadStream } from 'node:fs';
import { CommandFailure } from '../failure.ts';

/**
 * Reads a file, or standard input.
 * @param file null: standard input. It is not repeated in errors, since it may be a value that was put in the wrong place
 * @param what begins the error
 */
export async function readBytes(file: string | null, maxBytes: number, what: string): Promise<Buffer> {
  const stream = file === null ? process.stdin : createReadStream(file);
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of stream) {
      chunks.push(chunk);
      length += chunk.length;
      if (length > maxBytes) throw new CommandFailure(`${what} is too large. Nothing was written.`);
    }
  } catch (error) {
    if (error instanceof CommandFailure) throw error;
    throw new CommandFailure(`${what} cannot be read: ${whyUnreadable(error as NodeJS.ErrnoException)}`);
  }
  return Buffer.concat(chunks);
}

/** Why a file cannot be read, without its name. */
export function whyUnreadable({ code }: NodeJS.ErrnoException): string {
  if (code === 'ENOENT') return 'there is no such file.';
  if (code === 'EISDIR') return 'it is a directory.';
  return code === 'EACCES' ? 'this user may not read it.' : `${code}.`;
}
