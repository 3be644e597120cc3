import { DomainError } from '../errors.ts';

export function nameTaken(): DomainError {
  return new DomainError('CONFLICT_ERROR', {
    description: 'The owner has a secret of this name. Choose another name, or update that secret.',
    errors: [{ field: 'name', loc: ['name'], message: 'Is taken.', type: 'taken' }],
  });
}

export function idTaken(): DomainError {
  return new DomainError('CONFLICT_ERROR', {
    description: 'The id is taken. Choose another, or leave it out and the server makes one.',
    errors: [{ field: 'id', loc: ['id'], message: 'Is taken.', type: 'taken' }],
  });
}

export function versionIsNotCurrent(currentVersion: number): DomainError {
  return new DomainError('CONFLICT_ERROR', {
    description: 'The secret was changed meanwhile. Read it again, and repeat the change on its current version.',
    currentVersion,
  });
}

export function tooMuchContention(): DomainError {
  return new DomainError('SERVICE_UNAVAILABLE', {
    description: 'Too many others change this secret at once.',
    retryAfterSeconds: 1,
  });
}
