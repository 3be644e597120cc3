import { randomBytes } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { access, type FileHandle, link, lstat, mkdir, open, rename, stat, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { ConfigurationError } from '../errors.ts';
import { privateFile, readSettingFile } from './setting-file.ts';
import { isMounted } from './volume.ts';

export function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/**
 * Writes a file that only its owner can read, whole or not at all. Keeps a file that is already there.
 * @throws ConfigurationError
 */
export async function createPrivateFile(path: string, text: string): Promise<void> {
  try {
    await write(path, text);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const fix =
      code === 'EROFS'
        ? 'It is on a read-only mount: name a file that can be written, or make the file elsewhere and mount it.'
        : 'Let the user that runs the gateway write to its directory.';
    throw new ConfigurationError(`${path}: it cannot be created (${code}). ${fix}`);
  }
}

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${randomBytes(6).toString('hex')}`;
  const file = await open(temporary, 'wx', 0o600);
  try {
    await writeAndClose(file, text);
    // link() fails where rename() would replace, so that two gateways that start at once both keep the first one's file.
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
 * Rewrites a private file, whole or not at all. The new file is also the lock: each writer must create it first, and renaming
 * it publishes the text and releases the lock. A lock that a killed writer left behind is never removed here, since it
 * cannot be told from that of a running writer.
 * @param variable the setting that named the file, for the error
 * @returns what was written
 * @throws ConfigurationError, and what `rewrite` throws; then the file is as it was
 */
export async function rewritePrivateFile(
  path: string,
  variable: string,
  rewrite: (text: string) => Promise<string>,
): Promise<string> {
  // An error of the file itself is reported first.
  await readSettingFile(privateFile(variable, path));
  const before = await lstat(path);
  requireReplaceable(path, variable, before);
  const next = `${path}.new`;
  const file = await createExclusively(next, variable);
  const { ino } = await file.stat();
  // While the file is open, no other file has its inode number.
  const isOurs = async () => (await stat(next).catch(() => null))?.ino === ino;
  try {
    const text = await rewrite(await readSettingFile(privateFile(variable, path)));
    await file.writeFile(text);
    // Gateways that read the file by its group go on reading it.
    await file.chown(before.uid, before.gid);
    await file.chmod(before.mode & 0o777);
    await file.sync();
    // If somebody removed it as a left-over, another writer may have the lock.
    if (!(await isOurs())) {
      throw new ConfigurationError(
        `${variable}: ${next} was removed meanwhile, and nothing was changed. Run this again.`,
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
      `${variable}: ${path} cannot be written (${code}). Fix that, check with keys list what is in the file, and run this again.`,
    );
  } finally {
    await file.close();
  }
}

/** What was mounted is changed where it comes from: a file that replaces the link would be lost with the mount. */
function requireReplaceable(path: string, variable: string, found: Stats): void {
  if (!found.isSymbolicLink() && !isMounted(path)) return;
  throw new ConfigurationError(
    `${variable}: ${path} is ${found.isSymbolicLink() ? 'a link' : 'on a read-only mount'}, and cannot be changed here. ` +
      `Copy it to a file with mode 0600, run this with ${variable} set to the copy, and put the copy where the mount comes from (Kubernetes: the Secret).`,
  );
}

async function createExclusively(path: string, variable: string): Promise<FileHandle> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await open(path, 'wx', 0o600);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'EEXIST') {
        throw new ConfigurationError(
          `${variable}: ${path} cannot be created (${code}). Run this as the file's owner, and let that user write to its directory.`,
        );
      }
      if (attempt === lockAttempts) {
        throw new ConfigurationError(
          `${variable}: ${path} exists: another command is changing the keys, or was interrupted while it did. Wait for it. If none is running, remove that file and run this again.`,
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

/** Before this, a crash could undo the creation or the renaming of the file. */
async function syncDirectoryOf(path: string): Promise<void> {
  await using directory = await open(dirname(path), constants.O_RDONLY);
  await directory.sync();
}
