import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { link, mkdir, open, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ConfigurationError } from './errors.ts';

const maxBytes = 1024 * 1024;

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
    const stat = await file.stat();
    if (!stat.isFile()) throw refuse('it is not a regular file', 'Set the variable to a file.');
    if ((stat.mode & 0o077) !== 0) throw refuse('others can read or write it', `Run: chmod 600 ${path}`);
    if (process.getuid && stat.uid !== process.getuid()) {
      throw refuse('it belongs to another user', 'Make the user that runs the gateway its owner.');
    }
    if (stat.size > maxBytes) throw refuse('it is larger than 1 MiB', 'Check that it is the right file.');
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
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    // link() fails where rename() would replace: of two gateways that start at once, both keep the first one's file.
    await link(temporary, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  } finally {
    await unlink(temporary);
  }
  const directory = await open(dirname(path), constants.O_RDONLY);
  await directory.sync();
  await directory.close();
}
