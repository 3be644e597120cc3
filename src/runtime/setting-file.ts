import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import { open } from 'node:fs/promises';
import { ConfigurationError } from '../errors.ts';

/** A file that a setting names. */
export interface SettingFile {
  /** The setting, for errors. */
  readonly variable: string;
  readonly path: string;
  /**
   * private: it holds keys: nobody but its owner may read or write it, and no link leads to it ·
   * public: others may read it, as the files that Docker and Kubernetes mount, but nobody else may write it
   */
  readonly access: 'private' | 'public';
  readonly maxBytes: number;
}

/** A file of keys. @param variable the setting that names it, or what it is */
export function privateFile(variable: string, path: string): SettingFile {
  return { variable, path, access: 'private', maxBytes: 1024 * 1024 };
}

/**
 * Reads it whole. Never blocks on a FIFO, never reads a device, and refuses a file that somebody else could have written.
 * @throws ConfigurationError that names the setting and the fix, and never the content
 */
export async function readSettingFile(file: SettingFile): Promise<string> {
  // With the checks on the open handle, the file cannot be swapped between the checks and the reading.
  const handle = await open(file.path, flagsOf(file)).catch((error) => {
    throw notOpened(file, error);
  });
  try {
    check(file, await handle.stat());
    const bytes = Buffer.alloc(file.maxBytes + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length <= file.maxBytes; length += read) {
      ({ bytesRead: read } = await handle.read(bytes, length));
    }
    return textOf(file, bytes, length);
  } catch (error) {
    throw readable(file, error);
  } finally {
    await handle.close();
  }
}

/** The same for the settings themselves, which are read before anything else runs. */
export function readSettingFileSync(file: SettingFile): string {
  let descriptor: number;
  try {
    descriptor = openSync(file.path, flagsOf(file));
  } catch (error) {
    throw notOpened(file, error);
  }
  try {
    check(file, fstatSync(descriptor));
    const bytes = Buffer.alloc(file.maxBytes + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length <= file.maxBytes; length += read) {
      read = readSync(descriptor, bytes, length, bytes.length - length, null);
    }
    return textOf(file, bytes, length);
  } catch (error) {
    throw readable(file, error);
  } finally {
    closeSync(descriptor);
  }
}

/** With O_NONBLOCK a FIFO opens at once; with O_NOCTTY a terminal does not become that of the gateway. */
function flagsOf({ access }: SettingFile): number {
  const { O_RDONLY, O_NONBLOCK, O_NOCTTY, O_NOFOLLOW } = constants;
  return O_RDONLY | O_NONBLOCK | O_NOCTTY | (access === 'private' ? O_NOFOLLOW : 0);
}

function check(file: SettingFile, found: Stats): void {
  const { path, access, maxBytes } = file;
  const ownUser = process.getuid?.();
  if (!found.isFile()) throw refusal(file, 'it is not a regular file', 'Set the variable to a file.');
  if (access === 'private') {
    if ((found.mode & 0o077) !== 0) throw refusal(file, 'others can read or write it', `Run: chmod 600 ${path}`);
    if (ownUser !== undefined && found.uid !== ownUser) {
      throw refusal(file, 'it belongs to another user', 'Make the user that runs the gateway its owner.');
    }
  } else {
    if ((found.mode & 0o022) !== 0) throw refusal(file, 'others can write it', `Run: chmod go-w ${path}`);
    if (ownUser !== undefined && found.uid !== ownUser && found.uid !== 0) {
      throw refusal(file, 'it belongs to another user', 'Make root or the user that runs the gateway its owner.');
    }
  }
  if (found.size > maxBytes) throw tooLarge(file);
}

function textOf(file: SettingFile, bytes: Buffer, length: number): string {
  if (length > file.maxBytes) throw tooLarge(file);
  // Editors of Windows begin a file with a byte order mark.
  return bytes.toString('utf8', 0, length).replace(/^\uFEFF/, '');
}

function tooLarge(file: SettingFile): ConfigurationError {
  return refusal(file, `it is larger than ${file.maxBytes / 1024} KiB`, 'Check that it is the right file.');
}

function refusal({ variable, path }: SettingFile, what: string, fix: string): ConfigurationError {
  return new ConfigurationError(`${variable} ${path}: ${what}. ${fix}`);
}

/** A path at which nothing is may be the secret itself, put into the wrong variable. It is repeated only if it ends as a path. */
function notOpened(file: SettingFile, error: unknown): ConfigurationError {
  const name = file.path.endsWith('.json') ? `${file.variable} ${file.path}` : file.variable;
  const { code } = error as NodeJS.ErrnoException;
  const refuse = (what: string, fix: string) => new ConfigurationError(`${name}: ${what}. ${fix}`);
  switch (code) {
    case 'ENOENT':
      return refuse('there is no such file', 'Put it there, or set the variable to where it is.');
    case 'ELOOP':
      return refusal(file, 'it is a symbolic link', 'Set the variable to the file itself.');
    case 'EACCES':
      return refuse('it cannot be read', 'Make the user that runs the gateway its owner.');
    // How a socket answers to being opened.
    case 'ENXIO':
      return refuse('it is not a regular file', 'Set the variable to a file.');
    default:
      return refuse(`it cannot be read (${code})`, 'Check the path.');
  }
}

function readable({ variable, path }: SettingFile, error: unknown): unknown {
  if (error instanceof ConfigurationError) return error;
  const { code } = error as NodeJS.ErrnoException;
  return new ConfigurationError(`${variable} ${path}: it cannot be read (${code}). Check the disk it is on.`);
}
