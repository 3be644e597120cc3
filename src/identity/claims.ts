import type { JWTPayload } from 'jose';
import { type Membership, type Principal, type Scope, scopes } from '../model/principal.ts';
import { unauthorized } from './authorize.ts';

const maxTeams = 1000;

/**
 * The principal that a token's claims describe: `sub` (RFC 7519), `scope` (RFC 8693, section 4.2) and `teams`, a list of
 * team ids or of `{ id, role }`.
 * @throws DomainError UNAUTHORIZED
 */
export function principalOfClaims(claims: JWTPayload): Principal {
  if (!isIdentifier(claims.sub)) throw unauthorized();
  return { kind: 'user', subject: claims.sub, teams: teamsOf(claims.teams), scopes: scopesOf(claims.scope) };
}

function scopesOf(claim: unknown): Set<Scope> {
  if (claim === undefined) return new Set();
  if (typeof claim !== 'string') throw unauthorized();
  const granted = claim.split(' ');
  return new Set(scopes.filter((scope) => granted.includes(scope)));
}

function teamsOf(claim: unknown): Membership[] {
  if (claim === undefined) return [];
  if (!Array.isArray(claim) || claim.length > maxTeams) throw unauthorized();
  const teams = new Map<string, Membership>();
  for (const { id, role } of claim.map(membershipOf)) {
    // A team that is named with both roles grants both.
    if (role === 'admin' || !teams.has(id)) teams.set(id, { id, role });
  }
  return [...teams.values()];
}

function membershipOf(team: unknown): Membership {
  if (isIdentifier(team)) return { id: team, role: 'member' };
  if (typeof team !== 'object' || team === null) throw unauthorized();
  const { id, role = 'member' } = team as { id?: unknown; role?: unknown };
  if (!isIdentifier(id) || (role !== 'admin' && role !== 'member')) throw unauthorized();
  return { id, role };
}

/** Whether this can be a subject's or a team's id. */
export function isIdentifier(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= 255 && value.isWellFormed();
}
