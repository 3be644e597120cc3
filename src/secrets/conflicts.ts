import { DomainError } from '../errors.ts';

export function nameTaken(): DomainError {
  return new DomainError('CONFLICT_ERROR', {
    description: 'The owner has a secret of this name. Choose another name, or update that secret.',
    errors: [{ field: 'name', loc: ['input', 'name'], message: 'Is taken.', type: 'taken' }],
  });
}

export function versionIsNotCurrent(currentVersion: number): DomainError {
  return new DomainError('CONFLICT_ERROR', {
    description: 'The secret was changed meanwhile. Read it again, and repeat the change on its current version.',
    currentVersion,
  });
}
