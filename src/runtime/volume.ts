import { accessSync, constants, lstatSync, readlinkSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Whether nobody can change the file where it is: it is on a read-only mount, or a link through `..data`, by which Kubernetes
 * replaces all files of a Secret at once.
 */
export function isMounted(path: string): boolean {
  try {
    if (lstatSync(path).isSymbolicLink() && readlinkSync(path).startsWith('..data/')) return true;
    accessSync(path, constants.W_OK);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EROFS';
  }
}

/**
 * Whether the file is on a volume to which Kubernetes has applied fsGroup: everything on it belongs to a group of this process,
 * which may write it, and so will what is created there (the directory has the setgid bit).
 */
export function isOnOwnVolume(path: string, found: Stats): boolean {
  const directory = found.isDirectory() ? found : statSync(dirname(path));
  const groups = process.getgroups ? [...process.getgroups(), process.getegid?.()] : [];
  return (directory.mode & 0o2000) !== 0 && directory.gid === found.gid && groups.includes(found.gid);
}
