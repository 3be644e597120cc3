import { createHash } from 'node:crypto';
import { type JWTHeaderParameters, jwtVerify } from 'jose';
import { isCanonicalBase64url } from '../crypto/base64url.ts';
import { DomainError } from '../errors.ts';
import type { Principal } from '../model/principal.ts';
import { principalOfClaims } from './claims.ts';
import type { KeySet } from './key-set.ts';
import { PrincipalCache, type VerifiedPrincipal } from './principal-cache.ts';
import { reasonOf, rejected } from './token-rejected.ts';

export interface TokenRules {
  readonly issuer: string;
  /** A token needs one of them. */
  readonly audience: readonly string[];
  readonly algorithms: readonly string[];
  readonly keySet: KeySet;
}

/** @throws DomainError UNAUTHORIZED, or the key set's own when there are no keys to verify with */
export type VerifyToken = (token: string) => Promise<Principal>;

const toleranceSeconds = 30;
/** Enough for some 250 teams by their UUIDs, and leaves room for other headers within 16 KiB. */
export const maxTokenLength = 12 * 1024;

/**
 * Verifies JSON Web Tokens (RFC 7519, RFC 9068), each distinct one once: the principal is kept under the token's SHA-256
 * digest until the token expires, and dropped when a key leaves the key set. Only a good token is kept, so that a flood of bad
 * ones costs no memory.
 * @param now milliseconds since 1970
 */
export function createTokenVerifier(rules: TokenRules, now: () => number = Date.now): VerifyToken {
  const verified = new PrincipalCache(now);
  const running = new Map<string, { generation: number; result: Promise<VerifiedPrincipal> }>();

  /** A token that comes many times at once is verified once. */
  function verifyOnce(token: string, digest: string, generation: number): Promise<VerifiedPrincipal> {
    const earlier = running.get(digest);
    if (earlier?.generation === generation) return earlier.result;
    const started = { generation, result: verify(token, rules, generation, now) };
    running.set(digest, started);
    const end = () => {
      if (running.get(digest) === started) running.delete(digest);
    };
    started.result.then((entry) => {
      verified.set(digest, entry);
      end();
    }, end);
    return started.result;
  }

  return async (token) => {
    if (!isCanonicalCompact(token)) throw rejected('form');
    const digest = createHash('sha256').update(token).digest('base64');
    for (;;) {
      const generation = rules.keySet.generation();
      const known = verified.get(digest, generation);
      if (known) return known;
      const { principal, expiresAtMs } = await verifyOnce(token, digest, generation);
      if (now() >= expiresAtMs) throw rejected('exp');
      // The key that it was verified with may have left the key set meanwhile.
      if (generation === rules.keySet.generation()) return principal;
    }
  };
}

async function verify(
  token: string,
  rules: TokenRules,
  generation: number,
  now: () => number,
): Promise<VerifiedPrincipal> {
  try {
    // jose reads no key from the token's own header (jku, jwk, x5u, x5c): it only calls `find`.
    const { payload, protectedHeader } = await jwtVerify(token, rules.keySet.find, {
      issuer: rules.issuer,
      audience: [...rules.audience],
      algorithms: [...rules.algorithms],
      requiredClaims: ['sub', 'exp'],
      clockTolerance: toleranceSeconds,
      currentDate: new Date(now()),
    });
    if (!isAccessTokenType(protectedHeader.typ)) throw rejected('typ');
    if (hasExtensions(protectedHeader)) throw rejected('crit');
    const expiresAtMs = ((payload.exp ?? 0) + toleranceSeconds) * 1000;
    return { principal: principalOfClaims(payload), expiresAtMs, generation };
  } catch (error) {
    throw error instanceof DomainError ? error : rejected(reasonOf(error));
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
