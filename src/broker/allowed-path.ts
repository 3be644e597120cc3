import type { Destination } from '../model/destination.ts';
import { FieldErrors } from '../rules/field-errors.ts';
import { isAllowedPath } from '../rules/path-prefix.ts';

/** @throws DomainError UNPROCESSABLE_ENTITY */
export function requireAllowedPath(path: string, destination: Pick<Destination, 'paths'>): void {
  if (isAllowedPath(path, destination)) return;
  const errors = new FieldErrors();
  errors.at('path').add('path_not_allowed', 'Must begin with one of the paths of the secret’s destination.');
  errors.throwIfAny();
}
