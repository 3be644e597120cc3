import { authenticated } from '../identity/authorize.ts';
import type { Owner } from '../model/owner.ts';
import type { Caller } from '../model/principal.ts';
import { type BrokenFields, checkLabel, maxNameCharacters } from './rules.ts';

/** Whose secrets: the caller's own when empty, a team's, or those of a team's connector. */
export interface OwnerInput {
  readonly teamId?: string | null | undefined;
  readonly connectorId?: string | null | undefined;
}

/**
 * The owner an input names; null when it names none, which `broken` then says.
 * Whether the caller may reach it is for authorize() to decide.
 * @throws DomainError UNAUTHORIZED
 */
export function resolveOwner(
  { teamId, connectorId }: OwnerInput,
  caller: Caller,
  loc: [string, ...string[]],
  broken: BrokenFields,
): Owner | null {
  const principal = authenticated(caller);
  if (teamId == null && connectorId == null) return { type: 'user', userId: principal.subject };
  if (teamId == null) {
    broken.add([...loc, 'teamId'], 'required', 'Must be there: a connector is one of a team.');
    return null;
  }
  if (connectorId == null) return { type: 'team', teamId };
  return {
    type: 'connector',
    teamId,
    connectorId: checkLabel(connectorId, [...loc, 'connectorId'], maxNameCharacters, broken),
  };
}
