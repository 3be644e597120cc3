import { DomainError } from '../errors.ts';
import type { Caller } from '../model/caller.ts';
import type { Owner } from '../model/owner.ts';
import type { Principal, Scope } from '../model/principal.ts';

/**
 * The principal of a call.
 * @throws DomainError UNAUTHORIZED without credentials
 */
export function authenticated(caller: Caller): Principal {
  if (!caller.principal) throw unauthorized();
  return caller.principal;
}

/** The same error, whatever was wrong with the credentials. */
export function unauthorized(cause?: unknown): DomainError {
  return new DomainError('UNAUTHORIZED', {
    description: 'Send a valid token as bearer credentials.',
    cause,
  });
}

/**
 * The one policy: a user's secrets are for that user alone; those of a team and its connectors are for its members.
 * Whether an owner exists is never looked up, so the answer cannot tell.
 * @throws DomainError UNAUTHORIZED, FORBIDDEN (not this owner) or PERMISSION_ERROR (not this scope)
 */
export function authorize(caller: Caller, owner: Owner, scope: Scope): Principal {
  const principal = authenticated(caller);
  if (!mayReach(principal, owner)) throw new DomainError('FORBIDDEN');
  requireScope(principal, scope);
  return principal;
}

export function mayReach({ kind, subject, teams }: Principal, owner: Owner): boolean {
  // An API key is never a user, even when its id equals a user's.
  if (owner.type === 'user') return kind === 'user' && owner.userId === subject;
  return teams.some((team) => team.id === owner.teamId);
}

/** @throws DomainError PERMISSION_ERROR */
export function requireScope(
  principal: Principal,
  scope: Scope,
  description = `The operation needs the scope ${scope}.`,
): void {
  if (principal.scopes.has(scope)) return;
  throw new DomainError('PERMISSION_ERROR', { description });
}
