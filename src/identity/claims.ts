import type { JWTPayload } from 'jose';
import type { Principal } from '../model/principal.ts';
import { type Pointer, valueAt } from '../runtime/json-pointer.ts';
import type { ClaimMapping, Grant } from './claim-mapping.ts';
import { isIdentifier } from './identifier.ts';
import { readScopes } from './read-scopes.ts';
import { readTeams } from './read-teams.ts';
import { rejected } from './token-rejected.ts';

/** `sub` (RFC 7519), `scope` (RFC 8693, section 4.2) or `scp`, and `teams`. */
export const usualClaims: ClaimMapping = {
  subject: ['sub'],
  subjectPrefix: '',
  scopes: [['scope'], ['scp']],
  scopePrefix: '',
  scopeMap: new Map(),
  teams: [['teams']],
  teamPrefix: '',
  roleMap: new Map(),
  grants: [],
};

/**
 * The principal that a token's claims describe. What is not understood grants nothing, and the rest of the token counts all the same.
 * @throws DomainError UNAUTHORIZED without a subject
 */
export function principalOfClaims(claims: JWTPayload, mapping: ClaimMapping = usualClaims): Principal {
  const named = valueAt(claims, mapping.subject);
  const subject = typeof named === 'string' && named !== '' ? mapping.subjectPrefix + named : '';
  if (typeof named !== 'string' || !isIdentifier(subject)) throw rejected('sub');
  const grants = mapping.grants.filter((grant) => isFor(grant, named));
  return {
    kind: 'user',
    subject,
    teams: readTeams(firstOf(claims, mapping.teams), mapping, grants),
    scopes: readScopes(firstOf(claims, mapping.scopes), mapping, grants),
  };
}

function isFor({ subject }: Grant, named: string): boolean {
  return subject.endsWith('*') ? named.startsWith(subject.slice(0, -1)) : named === subject;
}

/** A claim that is null says as little as one that is not there. */
function firstOf(claims: JWTPayload, pointers: readonly Pointer[]): unknown {
  return pointers.map((pointer) => valueAt(claims, pointer)).find((value) => value !== undefined && value !== null);
}
