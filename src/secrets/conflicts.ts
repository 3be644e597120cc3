import type { SealedInputFault } from '../crypto/sealed-input.ts';
import { DomainError } from '../errors.ts';

export function nameTaken(): DomainError {
  return new DomainError('CONFLICT_ERROR', {
    description: 'The owner already has a secret with this name. Choose another name, or update that secret.',
    errors: [{ field: 'name', loc: ['name'], message: 'Is taken.', type: 'taken' }],
  });
}

export function restoredNameTaken(): DomainError {
  return new DomainError('CONFLICT_ERROR', {
    description: 'The owner has another secret of this name by now. Rename or delete that one, and restore this again.',
    errors: [{ field: 'name', loc: ['name'], message: 'Is taken.', type: 'taken' }],
  });
}

export function idTaken(): DomainError {
  return new DomainError('CONFLICT_ERROR', {
    description: 'The id is taken. Choose another, or leave it out and the server makes one.',
    errors: [{ field: 'id', loc: ['id'], message: 'Is taken.', type: 'taken' }],
  });
}

export const someTaken =
  'The owner has secrets with some of these names or ids. The errors say which. Choose others, or SKIP or UPDATE what is there. Nothing was written.';

export function versionIsNotCurrent(currentVersion: number): DomainError {
  return new DomainError('CONFLICT_ERROR', {
    description: 'The secret was changed meanwhile. Read it again, and repeat the change on its current version.',
    currentVersion,
  });
}

export function noSuchVersion(): DomainError {
  return new DomainError('NOT_FOUND', {
    description:
      'No value of that version is kept. Choose a version of the secret’s versions: those in which its value was set, of the last 10 values.',
  });
}

export function tooMuchContention(): DomainError {
  return new DomainError('SERVICE_UNAVAILABLE', {
    description: 'Too many others change this secret at once.',
    retryAfterSeconds: 1,
  });
}

/** What is wrong with a sealed value, and what to do. Nothing of its header is repeated. */
export const sealedFaults: Readonly<Record<SealedInputFault, string>> = {
  invalid_header:
    'The protected header breaks a rule: it needs alg, enc, typ, kid, epk, iat, exp, jti, sub, owner, and one of name, id and use, each once, and nothing else; exp at most 10 minutes after iat and after now, and iat not ahead.',
  unknown_key:
    'It was sealed to a key that is not here, or was replaced. Read the sealing keys again, and seal it anew.',
  expired: 'It has expired. Seal it anew, and send it at once.',
  wrong_subject: 'It was sealed for another subject. Seal it for viewer.subject.',
  wrong_owner: 'It was sealed for another owner. Seal it for the owner of the secret.',
  wrong_name: 'It was not sealed for a secret of this name. To create a secret, seal the value for its name.',
  wrong_id: 'It was not sealed for the secret of this id. To change a secret, seal the value for its id.',
  undecryptable:
    'It does not open: it is no compact JWE in its one form, was changed, or was not sealed to the key that it names.',
  replayed: 'It was used before. Each jti works once: seal the value anew.',
};

export function sealedValueRefused(
  fault: SealedInputFault,
  loc: readonly (string | number)[] = ['sealedValue'],
): DomainError {
  return new DomainError('UNPROCESSABLE_CONTENT', {
    description: sealedFaults[fault],
    errors: [{ field: 'sealedValue', loc: [...loc], message: sealedFaults[fault], type: fault }],
  });
}
