import type { Membership, Role } from '../model/principal.ts';
import type { ClaimMapping, Grant } from './claim-mapping.ts';
import { isIdentifier } from './identifier.ts';
import { isObject, isSwitchedOff, namesIn } from './list-claim.ts';

/** No token has room for many more; the rest would be work for every request. */
const maxTeams = 1000;

/** A membership as a claim has it. */
interface Named {
  readonly id: unknown;
  readonly role: unknown;
}

/**
 * The memberships that a claim names, and those of the grants. One that is not understood grants nothing, and a role that is
 * not known is that of a member.
 */
export function readTeams(claim: unknown, mapping: ClaimMapping, grants: readonly Grant[]): Membership[] {
  const teams = new Map<string, Membership>();
  const add = (id: string, role: Role) => {
    // A team that is named with both roles grants both.
    if (teams.has(id) ? role === 'admin' : teams.size < maxTeams) teams.set(id, { id, role });
  };
  for (const grant of grants) for (const { id, role } of grant.teams) add(id, role);
  for (const named of membershipsIn(claim)) {
    const id = idOf(named.id);
    if (id === null) continue;
    const prefixed = mapping.teamPrefix + id;
    if (isIdentifier(prefixed)) add(prefixed, roleOf(named.role, mapping));
  }
  return [...teams.values()];
}

function membershipsIn(claim: unknown): Named[] {
  if (typeof claim === 'string') return namesIn(claim).map((id) => ({ id, role: undefined }));
  if (typeof claim === 'number') return [{ id: claim, role: undefined }];
  if (Array.isArray(claim)) {
    return claim.map((item) =>
      isObject(item) ? { id: own(item, 'id'), role: own(item, 'role') } : { id: item, role: undefined },
    );
  }
  return isObject(claim) ? membershipsInObject(claim) : [];
}

/** Roles by team ids, `{ "red": "admin" }`, or a single `{ id, role }`. */
function membershipsInObject(claim: Readonly<Record<string, unknown>>): Named[] {
  const id = own(claim, 'id');
  // Its keys are those of one membership or the ids of teams. Where both could be meant, nothing is granted.
  if (typeof id === 'string' || typeof id === 'number') {
    const role = own(claim, 'role');
    return typeof role === 'string' && Object.keys(claim).length === 2 ? [{ id, role }] : [];
  }
  return Object.entries(claim)
    .filter(([, value]) => !isSwitchedOff(value))
    .map(([team, value]) => ({ id: team, role: isObject(value) ? own(value, 'role') : value }));
}

/** Some issuers count their teams. */
function idOf(id: unknown): string | null {
  if (typeof id === 'number') return Number.isSafeInteger(id) && id >= 0 ? String(id) : null;
  return isIdentifier(id) ? id : null;
}

function roleOf(role: unknown, { roleMap }: ClaimMapping): Role {
  if (typeof role !== 'string') return 'member';
  return roleMap.get(role) ?? (role === 'admin' ? 'admin' : 'member');
}

/** A property that every object has is no claim. */
function own(object: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}
