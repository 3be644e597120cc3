import { randomBytes } from 'node:crypto';
import { lstat, open, rename, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { CommandFailure } from '../failure.ts';
import { printable } from '../printable.ts';

/**
 * Writes a file that only its owner can read, whole or not at all: into a new file beside it, which then replaces it.
 * @throws CommandFailure where a link, a directory or a device has that path: a value must be written only where the user can see it
 */
export async function writeOutput(path: string, text: string): Promise<void> {
  const shown = printable(path);
  const before = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw cannotWrite(shown, error);
  });
  if (before?.isSymbolicLink()) {
    throw new CommandFailure(
      `${shown} is a symbolic link. Nothing was written: name the file itself, or remove the link.`,
    );
  }
  if (before && !before.isFile()) throw new CommandFailure(`${shown} is not a regular file. Nothing was written.`);
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}`);
  try {
    // wx follows no link, and takes over no file that somebody else has put there.
    const file = await open(temporary, 'wx', 0o600);
    try {
      // The umask may take rights away from the owner.
      await file.chmod(0o600);
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    // A link that came meanwhile is replaced, not followed.
    await rename(temporary, path);
  } catch (error) {
    await unlink(temporary).catch(() => {});
    throw cannotWrite(shown, error as NodeJS.ErrnoException);
  }
}

function cannotWrite(shown: string, { code }: NodeJS.ErrnoException): CommandFailure {
  return new CommandFailure(`${shown} cannot be written (${code}). Nothing was written.`);
}
