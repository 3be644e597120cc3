import { hash } from 'node:crypto';
import type { JWTHeaderParameters } from 'jose';
import { decodeProtectedHeader } from 'jose/decode/protected_header';
import { decodeJwt } from 'jose/jwt/decode';
import { jwtVerify } from 'jose/jwt/verify';
import { isCanonicalBase64url } from '../crypto/base64url.ts';
import { DomainError, withoutStack } from '../errors.ts';
import type { Principal } from '../model/principal.ts';
import { valueAt } from '../runtime/json-pointer.ts';
import { principalOfClaims } from './claims.ts';
import { withoutSlash } from './discovery.ts';
import type { Issuer } from './issuer.ts';
import { PrincipalCache, type VerifiedPrincipal } from './principal-cache.ts';
import { reasonOf, rejected } from './token-rejected.ts';

/**
 * The principal at once where the token was verified before, otherwise a promise, which alone may fail: with UNAUTHORIZED, or
 * an IssuerFault when there are no keys to verify with.
 */
export type VerifyToken = (token: string) => Principal | Promise<Principal>;

const toleranceSeconds = 30;
/** Enough for 200 memberships with their roles, and leaves room for other headers within 32 KiB. */
export const maxTokenLength = 30 * 1024;

/**
 * Verifies JSON Web Tokens (RFC 7519, RFC 9068), each distinct one once: the principal is kept under the token's SHA-256
 * digest until the token expires, and dropped when a key leaves the issuer's key set. Only a good token is kept, so that a flood of bad
 * ones costs no memory.
 * @param now milliseconds since 1970
 */
export function createTokenVerifier(issuers: readonly Issuer[], now: () => number = Date.now): VerifyToken {
  const byName = new Map(issuers.map((issuer) => [issuer.issuer, issuer]));
  const verified = new PrincipalCache(now);
  const running = new Map<string, { generation: number; result: Promise<VerifiedPrincipal> }>();
  /** Of all key sets together: each only increases. */
  const currentGeneration = () => issuers.reduce((sum, { keySet }) => sum + keySet.generation(), 0);

  /** A token that comes many times at once is verified once. */
  function verifyOnce(token: string, digest: string, generation: number): Promise<VerifiedPrincipal> {
    const earlier = running.get(digest);
    if (earlier?.generation === generation) return earlier.result;
    const started = { generation, result: verify(token, byName, generation, now) };
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

  /** Only canonical tokens are kept, so that a token that is found is one. */
  function known(token: string): Principal | undefined {
    return token.length > maxTokenLength ? undefined : verified.get(digestOf(token), currentGeneration());
  }

  async function verifyNew(token: string): Promise<Principal> {
    requireCanonicalCompact(token);
    const digest = digestOf(token);
    for (;;) {
      const generation = currentGeneration();
      const earlier = verified.get(digest, generation);
      if (earlier) return earlier;
      const { principal, expiresAtMs } = await verifyOnce(token, digest, generation);
      if (now() >= expiresAtMs) throw rejected('expiry');
      // The key that it was verified with may have left the key set meanwhile.
      if (generation === currentGeneration()) return principal;
    }
  }

  return (token) => known(token) ?? verifyNew(token);
}

const digestOf = (token: string) => hash('sha256', token, 'base64');

async function verify(
  token: string,
  issuers: ReadonlyMap<string, Issuer>,
  generation: number,
  now: () => number,
): Promise<VerifiedPrincipal> {
  try {
    const { header, iss } = unverified(token);
    const issuer = issuerOf(iss, issuers);
    const { audience, audienceClaim, algorithms, claims, keySet } = issuer;
    if (!accepts(algorithms, header.alg)) throw rejected('alg');
    // jose reads no key from the token's own header (jku, jwk, x5u, x5c).
    const { payload, protectedHeader } = await keySet.verify(header, (key) =>
      jwtVerify(token, key, {
        issuer: issuer.issuer,
        algorithms: [header.alg],
        requiredClaims: ['exp'],
        clockTolerance: toleranceSeconds,
        currentDate: new Date(now()),
      }),
    );
    if (!isAccessTokenType(protectedHeader.typ)) throw rejected('typ');
    if (hasExtensions(protectedHeader)) throw rejected('crit');
    if (![valueAt(payload, audienceClaim)].flat().some((one) => typeof one === 'string' && audience.includes(one))) {
      throw rejected('audience');
    }
    const expiresAtMs = ((payload.exp ?? 0) + toleranceSeconds) * 1000;
    return { principal: principalOfClaims(payload, claims), expiresAtMs, generation };
  } catch (error) {
    throw error instanceof DomainError ? error : rejected(reasonOf(error));
  }
}

/** What a token says of itself, to find the keys that it must be verified with. */
function unverified(token: string): { header: JWTHeaderParameters; iss: unknown } {
  try {
    return withoutStack(() => {
      const header = decodeProtectedHeader(token);
      const { alg } = header;
      if (typeof alg !== 'string') throw new TypeError('no alg');
      return { header: { ...header, alg }, iss: decodeJwt(token).iss };
    });
  } catch {
    throw rejected('content');
  }
}

/** The signature is checked with the keys of this issuer alone. */
function issuerOf(iss: unknown, issuers: ReadonlyMap<string, Issuer>): Issuer {
  const issuer = typeof iss === 'string' ? issuers.get(iss) : undefined;
  if (issuer) return issuer;
  const isNear =
    typeof iss === 'string' && [...issuers.keys()].some((name) => withoutSlash(name) === withoutSlash(iss));
  throw rejected(isNear ? 'slash' : 'issuer');
}

/** Ed25519 is what EdDSA is with the only curve that is used here (RFC 9864). */
function accepts(algorithms: readonly string[], alg: string): boolean {
  return algorithms.includes(alg) || (alg === 'Ed25519' && algorithms.includes('EdDSA'));
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
function requireCanonicalCompact(token: string): void {
  if (token.length > maxTokenLength) throw rejected('length');
  const parts = token.split('.');
  if (parts.length === 5) throw rejected('encrypted');
  if (parts.length !== 3 || !parts.every(isCanonicalBase64url)) throw rejected('form');
}
