import { DomainError, type ErrorDetails } from '../errors.ts';
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

/** The same error, whatever was wrong with the credentials. What is told of it besides is for the log and for development. */
export function unauthorized(told: Pick<ErrorDetails, 'reason' | 'hint' | 'retryAfterSeconds'> = {}): DomainError {
  const description = 'Send a valid token or API key as bearer credentials, or an API key in X-API-Key.';
  return new DomainError('UNAUTHORIZED', { description, ...told });
}

const noSuchTeam =
  'Your credentials are in no team with this id. A token names its teams in the claim "teams": a list of ids, or of { "id", "role" }. With the development issuer: npx secrets-gateway token --sub developer --team ID';

/**
 * The one policy: a user's secrets are for that user alone; those of a team and its connectors are for its members. An API key
 * is a member of its team, or reaches one connector of it.
 * Whether an owner exists is never looked up, so the answer cannot tell.
 * @throws DomainError UNAUTHORIZED, FORBIDDEN (not this owner) or PERMISSION_ERROR (not this scope)
 */
export function authorize(caller: Caller, owner: Owner, scope: Scope): Principal {
  const principal = authenticated(caller);
  if (!mayReach(principal, owner)) throw new DomainError('FORBIDDEN', { hint: noSuchTeam });
  requireScope(principal, scope);
  return principal;
}

export function mayReach({ kind, subject, teams, connectorId }: Principal, owner: Owner): boolean {
  // An API key is never a user, even when its id equals a user's.
  if (owner.type === 'user') return kind === 'user' && owner.userId === subject;
  if (connectorId !== undefined && (owner.type !== 'connector' || owner.connectorId !== connectorId)) return false;
  return teams.some((team) => team.id === owner.teamId);
}

/**
 * Who manages the API keys of a team: its admins with the scope. A key manages none, whatever it may do.
 * @throws DomainError UNAUTHORIZED, FORBIDDEN (not this team) or PERMISSION_ERROR
 */
export function authorizeManagingKeys(caller: Caller, teamId: string): Principal {
  const principal = authorize(caller, { type: 'team', teamId }, 'keys:manage');
  requireAdmin(principal, teamId);
  return principal;
}

/**
 * Who reads the audit events of an owner: a user their own, and the admins of a team those of the team and its connectors.
 * @throws DomainError UNAUTHORIZED, FORBIDDEN (not this owner) or PERMISSION_ERROR
 */
export function authorizeAudit(caller: Caller, owner: Owner): Principal {
  const principal = authorize(caller, owner, 'secrets:read');
  if (owner.type !== 'user') requireAdmin(principal, owner.teamId);
  return principal;
}

/** An API key is no admin, whatever its team says. @throws DomainError PERMISSION_ERROR */
function requireAdmin({ kind, teams }: Principal, teamId: string): void {
  if (kind === 'user' && teams.some(({ id, role }) => id === teamId && role === 'admin')) return;
  throw new DomainError('PERMISSION_ERROR', { description: 'The operation needs the role admin in the team.' });
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
