import type { Destination } from '../model/destination.ts';

/** The paths of a destination are prefixes of whole segments. Both sides are in their canonical form, and have a case. */
export function isAllowedPath(path: string, { paths }: Pick<Destination, 'paths'>): boolean {
  return paths === null || paths.some((prefix) => isUnder(path, prefix));
}

/** `/v1` is the prefix of `/v1` and `/v1/…`, and not of `/v1x` or `/v1;x`. */
function isUnder(path: string, prefix: string): boolean {
  const segments = prefix.endsWith('/') ? prefix.slice(0, -1) : prefix;
  return path.startsWith(segments) && (path.length === segments.length || path[segments.length] === '/');
}
