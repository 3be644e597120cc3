import { createHash } from 'node:crypto';
import { type JWTHeaderParameters, type JWTPayload, jwtVerify } from 'jose';
import { DomainError } from '../errors.ts';
import { type Membership, type Principal, type Scope, scopes } from '../model/principal.ts';
import { unauthorized } from './authorize.ts';
import type { KeySet } from './key-set.ts';

export interface TokenRules {
  readonly issuer: string;
  readonly audience: string;
  readonly algorithms: readonly string[];
  readonly keySet: KeySet;
}

/** @throws DomainError UNAUTHORIZED, or the key set's own when there are no keys to verify with */
export type VerifyToken = (token: string) => Promise<Principal>;

const toleranceSeconds = 30;
/** Some 250 teams by their UUIDs, and room for other headers within 16 KiB. */
export const maxTokenLength = 12 * 1024;
const maxCachedTokens = 10_000;
const maxTeams = 1000;

/**
 * Verifies JSON Web Tokens (RFC 7519, RFC 9068), each distinct one once: the outcome is kept under the token's
 * SHA-256 digest until it expires, and dropped when a key leaves the key set.
 */
export function createTokenVerifier(rules: TokenRules, now: () => number = Date.now): VerifyToken {
  const verified = new Map<string, { generation: number; result: Promise<{ principal: Principal; exp: number }> }>();

  /** The first in is the first out, and only a good token pushes another out: a flood of bad ones costs no memory. */
  function keepWithinBounds(): void {
    const oldest = verified.keys().next();
    if (verified.size > maxCachedTokens && !oldest.done) verified.delete(oldest.value);
  }

  return async (token) => {
    if (!isCanonicalCompact(token)) throw unauthorized();
    const digest = createHash('sha256').update(token).digest('base64');
    const generation = rules.keySet.generation();
    let entry = verified.get(digest);
    if (entry?.generation !== generation) {
      const fresh = { generation, result: verify(token, rules, now) };
      verified.set(digest, fresh);
      fresh.result.then(keepWithinBounds, () => {
        if (verified.get(digest) === fresh) verified.delete(digest);
      });
      entry = fresh;
    }
    const { principal, exp } = await entry.result;
    if (now() / 1000 >= exp + toleranceSeconds) {
      verified.delete(digest);
      throw unauthorized();
    }
    return principal;
  };
}

async function verify(token: string, rules: TokenRules, now: () => number) {
  try {
    // jose reads no key from the token's own header (jku, jwk, x5u, x5c); it asks `find` alone.
    const { payload, protectedHeader } = await jwtVerify(token, rules.keySet.find, {
      issuer: rules.issuer,
      audience: rules.audience,
      algorithms: [...rules.algorithms],
      requiredClaims: ['sub', 'exp'],
      clockTolerance: toleranceSeconds,
      currentDate: new Date(now()),
    });
    if (!isAccessTokenType(protectedHeader.typ) || hasExtensions(protectedHeader)) throw unauthorized();
    return { principal: principalOf(payload), exp: payload.exp ?? 0 };
  } catch (error) {
    throw error instanceof DomainError ? error : unauthorized(error);
  }
}

/** RFC 9068, section 2.1; a token of another kind, an id token say, is not meant for an API. */
function isAccessTokenType(typ: unknown): boolean {
  return typ === undefined || (typeof typ === 'string' && /^(application\/)?(at\+jwt|jwt)$/i.test(typ));
}

/** An unencoded payload (RFC 7797) is not for a JWT, and no other extension is known here. */
function hasExtensions(header: JWTHeaderParameters): boolean {
  return header.crit !== undefined || header.b64 !== undefined;
}

/**
 * Three parts in canonical base64url. Others decode to the same bytes and verify as well, and would
 * let one token pass as many.
 */
function isCanonicalCompact(token: string): boolean {
  if (token.length > maxTokenLength) return false;
  const parts = token.split('.');
  return parts.length === 3 && parts.every((part) => Buffer.from(part, 'base64url').toString('base64url') === part);
}

function principalOf(claims: JWTPayload): Principal {
  if (!isIdentifier(claims.sub)) throw unauthorized();
  return { subject: claims.sub, teams: teamsOf(claims.teams), scopes: scopesOf(claims.scope) };
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
    // Named twice, with one role and another: the claim grants both.
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

/** What a subject and a team may be called. */
export function isIdentifier(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= 255 && value.isWellFormed();
}
