import { createHash } from 'node:crypto';
import { type JWTHeaderParameters, jwtVerify } from 'jose';
import { isCanonicalBase64url } from '../crypto/base64url.ts';
import { DomainError } from '../errors.ts';
import type { Principal } from '../model/principal.ts';
import { unauthorized } from './authorize.ts';
import { principalOfClaims } from './claims.ts';
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
/** Enough for some 250 teams by their UUIDs, and leaves room for other headers within 16 KiB. */
export const maxTokenLength = 12 * 1024;
const maxCachedTokens = 10_000;

/**
 * Verifies JSON Web Tokens (RFC 7519, RFC 9068), each distinct one once: the result is kept under the token's SHA-256
 * digest until the token expires, and dropped when a key leaves the key set.
 * @param now milliseconds since 1970
 */
export function createTokenVerifier(rules: TokenRules, now: () => number = Date.now): VerifyToken {
  const verified = new Map<string, { generation: number; result: Promise<{ principal: Principal; exp: number }> }>();

  /** The oldest token is dropped first. Only a good token pushes another out, so that a flood of bad ones costs no memory. */
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
    // jose reads no key from the token's own header (jku, jwk, x5u, x5c): it only calls `find`.
    const { payload, protectedHeader } = await jwtVerify(token, rules.keySet.find, {
      issuer: rules.issuer,
      audience: rules.audience,
      algorithms: [...rules.algorithms],
      requiredClaims: ['sub', 'exp'],
      clockTolerance: toleranceSeconds,
      currentDate: new Date(now()),
    });
    if (!isAccessTokenType(protectedHeader.typ) || hasExtensions(protectedHeader)) throw unauthorized();
    return { principal: principalOfClaims(payload), exp: payload.exp ?? 0 };
  } catch (error) {
    throw error instanceof DomainError ? error : unauthorized(error);
  }
}

/** RFC 9068, section 2.1. A token of another type, such as an ID token, is not meant for an API. */
function isAccessTokenType(typ: unknown): boolean {
  return typ === undefined || (typeof typ === 'string' && /^(application\/)?(at\+jwt|jwt)$/i.test(typ));
}

/** A JWT has no unencoded payload (RFC 7797), and no other extension is known here. */
function hasExtensions(header: JWTHeaderParameters): boolean {
  return header.crit !== undefined || header.b64 !== undefined;
}

/** Three parts in canonical base64url. */
function isCanonicalCompact(token: string): boolean {
  if (token.length > maxTokenLength) return false;
  const parts = token.split('.');
  return parts.length === 3 && parts.every(isCanonicalBase64url);
}
