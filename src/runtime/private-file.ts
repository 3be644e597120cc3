import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { access, type FileHandle, link, mkdir, open, rename, stat, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { ConfigurationError } from '../errors.ts';

const maxBytes = 1024 * 1024;

export function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/**
 * Reads a file that holds keys, and refuses one that others could have read or put there.
 * @param variable the setting that named the file, for the error
 * @throws ConfigurationError
 */
export async function readPrivateFile(path: string, variable: string): Promise<string> {
  const refuse = (what: string, mend: string) => new ConfigurationError(`${variable} ${path}: ${what}. ${mend}`);
  // O_NOFOLLOW and the checks on the open handle leave no gap in which the file could be swapped for another.
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW).catch((error: NodeJS.ErrnoException) => {
    switch (error.code) {
      case 'ENOENT':
        throw refuse('there is no such file', 'Put it there, or set the variable to where it is.');
      case 'ELOOP':
        throw refuse('it is a symbolic link', 'Set the variable to the file itself.');
      case 'EACCES':
        throw refuse('it cannot be read', 'Make the user that runs the gateway its owner.');
      default:
        throw refuse(`it cannot be read (${error.code})`, 'Check the path.');
    }
  });
  try {
    const found = await file.stat();
    if (!found.isFile()) throw refuse('it is not a regular file', 'Set the variable to a file.');
    if ((found.mode & 0o077) !== 0) throw refuse('others can read or write it', `Run: chmod 600 ${path}`);
    if (process.getuid && found.uid !== process.getuid()) {
      throw refuse('it belongs to another user', 'Make the user that runs the gateway its owner.');
    }
    if (found.size > maxBytes) throw refuse('it is larger than 1 MiB', 'Check that it is the right file.');
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}

/**
 * Writes a file that its owner alone can read, whole or not at all; keeps one that is already there.
 * @throws ConfigurationError
 */
export async function createPrivateFile(path: string, text: string): Promise<void> {
  try {
    await write(path, text);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new ConfigurationError(
      `${path}: it cannot be made (${code}). Let the user that runs the gateway write to its directory.`,
    );
  }
}

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${randomBytes(6).toString('hex')}`;
  const file = await open(temporary, 'wx', 0o600);
  try {
    await writeAndClose(file, text);
    // link() fails where rename() would replace: of two gateways that start at once, both keep the first one's file.
    await link(temporary, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  } finally {
    await unlink(temporary);
  }
  await syncDirectoryOf(path);
}

const lockAttempts = 100;
const lockPauseMs = 50;

/**
 * Rewrites a private file, whole or not at all. Writers take turns: the new file is what each has to make first, so that it
 * is the lock as well, and to rename it both publishes the text and lets the next one in. One that is left behind by a
 * writer that was killed is never taken away here: nobody can tell it from that of a writer at work.
 * @param variable the setting that named the file, for the error
 * @returns what was written
 * @throws ConfigurationError, and what `rewrite` throws; then the file is as it was
 */
export async function rewritePrivateFile(
  path: string,
  variable: string,
  rewrite: (text: string) => Promise<string>,
): Promise<string> {
  // What is wrong with the file itself is told first.
  await readPrivateFile(path, variable);
  const next = `${path}.new`;
  const file = await makeAlone(next, variable);
  const { ino } = await file.stat();
  // While it is open, no other file has its number.
  const isOurs = async () => (await stat(next).catch(() => null))?.ino === ino;
  try {
    const text = await rewrite(await readPrivateFile(path, variable));
    await file.writeFile(text);
    await file.sync();
    // Whoever took it for a left-over has let another writer in.
    if (!(await isOurs())) {
      throw new ConfigurationError(
        `${variable}: ${next} was taken away meanwhile, and nothing was changed. Run this again.`,
      );
    }
    await rename(next, path);
    await syncDirectoryOf(path);
    return text;
  } catch (error) {
    if (await isOurs()) await unlink(next);
    const { code, syscall } = error as NodeJS.ErrnoException;
    if (syscall === undefined) throw error;
    throw new ConfigurationError(
      `${variable}: ${path} cannot be written (${code}). Mend that, see with keys list what is in the file, and run this again.`,
    );
  } finally {
    await file.close();
  }
}

async function makeAlone(path: string, variable: string): Promise<FileHandle> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await open(path, 'wx', 0o600);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'EEXIST') {
        throw new ConfigurationError(
          `${variable}: ${path} cannot be made (${code}). Run this as the file's owner, where its directory can be written to.`,
        );
      }
      if (attempt === lockAttempts) {
        throw new ConfigurationError(
          `${variable}: ${path} is there: another command is changing the keys, or was cut off while it did. Wait for it; if none is running, remove that file and run this again.`,
        );
      }
    }
    await setTimeout(lockPauseMs);
  }
}

async function writeAndClose(file: FileHandle, text: string): Promise<void> {
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Until then a crash could take back that a file is there, or that it is the new one. */
async function syncDirectoryOf(path: string): Promise<void> {
  const directory = await open(dirname(path), constants.O_RDONLY);
  await directory.sync();
  await directory.close();
}
