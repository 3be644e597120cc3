import { errors } from 'jose';
import { type DomainError, withoutStack } from '../errors.ts';
import { unauthorized } from './authorize.ts';

/**
 * Why a token or an API key is wrong. `form`: not three parts in base64url, or no key with its checksum. `content`: a part of a
 * token is not what JWT says. `unknown`, `revoked`: an API key.
 */
export type Reason =
  | 'form'
  | 'content'
  | 'alg'
  | 'kid'
  | 'signature'
  | 'typ'
  | 'crit'
  | 'iss'
  | 'aud'
  | 'sub'
  | 'exp'
  | 'nbf'
  | 'iat'
  | 'unknown'
  | 'revoked'
  | 'other';

/**
 * What the log may tell of a wrong token: the reason, in a fixed word. The errors of a library are not passed on, since their
 * texts quote the token.
 */
class TokenRejected extends Error {
  override readonly name = 'TokenRejected';
  readonly code: Reason;

  constructor(reason: Reason) {
    super();
    this.code = reason;
  }
}

/** The error for a wrong token. What the client is told does not depend on the reason. */
export function rejected(reason: Reason): DomainError {
  return unauthorized(withoutStack(() => new TokenRejected(reason)));
}

const reasons: Partial<Record<string, Reason>> = {
  ERR_JOSE_ALG_NOT_ALLOWED: 'alg',
  ERR_JOSE_NOT_SUPPORTED: 'crit',
  ERR_JWKS_NO_MATCHING_KEY: 'kid',
  ERR_JWKS_MULTIPLE_MATCHING_KEYS: 'kid',
  ERR_JWS_SIGNATURE_VERIFICATION_FAILED: 'signature',
  ERR_JWS_INVALID: 'content',
  ERR_JWT_INVALID: 'content',
};
const claims: readonly Reason[] = ['iss', 'aud', 'sub', 'exp', 'nbf', 'iat'];

/** The reason behind an error of jose's. */
export function reasonOf(error: unknown): Reason {
  if (error instanceof errors.JWTExpired || error instanceof errors.JWTClaimValidationFailed) {
    return claims.find((claim) => claim === error.claim) ?? 'other';
  }
  return (error instanceof errors.JOSEError && reasons[error.code]) || 'other';
}
