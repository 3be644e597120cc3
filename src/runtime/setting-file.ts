import { closeSync, constants, fstatSync, lstatSync, openSync, readSync, realpathSync, type Stats } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname, sep } from 'node:path';
import { ConfigurationError } from '../errors.ts';
import { isMounted, isOnOwnVolume } from './volume.ts';

/** A file that a setting names. */
export interface SettingFile {
  /** The setting, for errors. */
  readonly variable: string;
  readonly path: string;
  /**
   * private: it holds keys: only its owner may write it, and besides the owner only its group may read it. A link to it stays
   * in its directory, as those do by which Kubernetes mounts a Secret ·
   * public: others may read it, but nobody else may write it
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
  const handle = await openTarget(file);
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
  const descriptor = openTargetSync(file);
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

/** Kubernetes replaces the directory that a link leads to. A target that is gone by then has a successor. */
const maxAttempts = 3;

async function openTarget(file: SettingFile): Promise<FileHandle> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await open(targetOf(file), flagsOf(file));
    } catch (error) {
      if (attempt === maxAttempts || !isGone(error)) throw notOpened(file, error);
    }
  }
}

function openTargetSync(file: SettingFile): number {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return openSync(targetOf(file), flagsOf(file));
    } catch (error) {
      if (attempt === maxAttempts || !isGone(error)) throw notOpened(file, error);
    }
  }
}

function isGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

/**
 * What to open. Where a link to keys leaves its directory, somebody else than those who can write to it may decide what is read.
 * The target itself is opened without following links, and checked once it is open.
 */
function targetOf(file: SettingFile): string {
  if (file.access === 'public' || !lstatSync(file.path).isSymbolicLink()) return file.path;
  const target = realpathSync(file.path);
  const directory = realpathSync(dirname(file.path));
  if (target.startsWith(directory.endsWith(sep) ? directory : `${directory}${sep}`)) return target;
  throw refusal(file, 'it is a symbolic link that leads out of its directory', 'Set the variable to the file itself.');
}

/** With O_NONBLOCK a FIFO opens at once; with O_NOCTTY a terminal does not become that of the gateway. */
function flagsOf({ access }: SettingFile): number {
  const { O_RDONLY, O_NONBLOCK, O_NOCTTY, O_NOFOLLOW } = constants;
  return O_RDONLY | O_NONBLOCK | O_NOCTTY | (access === 'private' ? O_NOFOLLOW : 0);
}

function check(file: SettingFile, found: Stats): void {
  if (!found.isFile()) throw refusal(file, 'it is not a regular file', 'Set the variable to a file.');
  if (file.access === 'private') requirePrivate(file, found);
  else if ((found.mode & 0o022) !== 0) throw refusal(file, 'others can write it', `Run: chmod go-w ${file.path}`);
  const ownUser = process.getuid?.();
  if (ownUser !== undefined && found.uid !== ownUser && found.uid !== 0) {
    throw refusal(file, 'it belongs to another user', 'Make root or the user that runs the gateway its owner.');
  }
  if (found.size > file.maxBytes) throw tooLarge(file);
}

function requirePrivate(file: SettingFile, found: Stats): void {
  const groupMayWrite = (found.mode & 0o020) !== 0 && !isOnOwnVolume(file.path, found);
  if ((found.mode & 0o007) === 0 && !groupMayWrite) return;
  const what = groupMayWrite && (found.mode & 0o007) === 0 ? 'its group can write it' : 'others can read or write it';
  throw refusal(file, what, isMounted(file.path) ? mountWithMode : `Run: chmod 600 ${file.path}`);
}

const mountWithMode =
  'It is mounted: give it the mode 0440 where it is mounted (Kubernetes: defaultMode: 0440 of the volume, and fsGroup of the pod; Docker: mode: 0440 of the secret).';

function textOf(file: SettingFile, bytes: Buffer, length: number): string {
  if (length > file.maxBytes) throw tooLarge(file);
  // What PowerShell writes with `>`.
  if (length >= 2 && [0xfffe, 0xfeff].includes(bytes.readUInt16BE(0))) {
    throw refusal(file, 'it is in UTF-16', 'Save it in UTF-8.');
  }
  // Some editors put a byte order mark before UTF-8 too. It is no part of the text.
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
  if (error instanceof ConfigurationError) return error;
  const name = file.path.endsWith('.json') ? `${file.variable} ${file.path}` : file.variable;
  const { code } = error as NodeJS.ErrnoException;
  const refuse = (what: string, fix: string) => new ConfigurationError(`${name}: ${what}. ${fix}`);
  switch (code) {
    case 'ENOENT':
      return refuse('there is no such file', 'Put it there, or set the variable to where it is.');
    case 'ELOOP':
      return refusal(file, 'it is a symbolic link to itself', 'Set the variable to a file.');
    case 'EACCES':
      return refuse(
        'this user cannot read it',
        isMounted(file.path)
          ? 'It is mounted: let a group of the user that runs the gateway read it (Kubernetes: fsGroup of the pod, and defaultMode: 0440 of the volume; Docker: gid and mode: 0440 of the secret).'
          : 'Make the user that runs the gateway its owner.',
      );
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
