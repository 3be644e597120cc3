import type { Destination } from '../model/destination.ts';
import { FieldErrors } from '../rules/field-errors.ts';

/**
 * The paths of a destination are prefixes of whole segments. Both sides are in their canonical form, and have a case.
 * @throws DomainError UNPROCESSABLE_ENTITY
 */
export function requireAllowedPath(path: string, { paths }: Pick<Destination, 'paths'>): void {
  if (paths === null || paths.some((prefix) => isUnder(path, prefix))) return;
  const errors = new FieldErrors();
  errors.at('path').add('path_not_allowed', 'Must begin with one of the paths of the secret’s destination.');
  errors.throwIfAny();
}

/** `/v1` is the prefix of `/v1` and `/v1/…`, and not of `/v1x` or `/v1;x`. */
function isUnder(path: string, prefix: string): boolean {
  const segments = prefix.endsWith('/') ? prefix.slice(0, -1) : prefix;
  return path.startsWith(segments) && (path.length === segments.length || path[segments.length] === '/');
}
