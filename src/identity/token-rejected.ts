import * as errors from 'jose/errors';
import type { DomainError } from '../errors.ts';
import { unauthorized } from './authorize.ts';

/** Why a token or an API key is wrong, in a word for the log, and in a sentence for who develops against the gateway. */
const hints = {
  form: 'It is neither a signed JWT (three parts in base64url with dots between them) nor an API key with its checksum.',
  encrypted: 'It has five parts: it is encrypted (JWE). Ask the issuer for a signed token (JWS).',
  length: 'It is too long.',
  content: 'A part of it is not what a JWT has there.',
  alg: 'Its "alg" is not one of the accepted algorithms (JWT_ALGORITHMS, or "algorithms" in ISSUERS_FILE).',
  kid: 'The issuer publishes no key that it could be signed with: neither its "kid" nor its "alg" fits.',
  signature: 'Its signature is not by any key that the issuer publishes.',
  typ: 'Its "typ" is neither at+jwt nor JWT. An ID token or a logout token is not meant for an API: send an access token.',
  crit: 'Its header has "crit" or "b64", and no extension is supported.',
  issuer: 'Its "iss" is not that of a configured issuer (JWT_ISSUER, or "issuer" in ISSUERS_FILE).',
  slash:
    'Its "iss" differs from the configured issuer only by the slash at its end. Write the setting exactly as the token has it.',
  audience: 'Its audience is not configured (JWT_AUDIENCE, or "audience" and "audienceClaim" in ISSUERS_FILE).',
  sub: 'It has no subject of 1 to 255 characters ("sub", or what "subject" in ISSUERS_FILE points at).',
  expiry: 'It has expired, or has no "exp".',
  nbf: 'Its "nbf" is in the future.',
  iat: 'Its "iat" is not a time.',
  unknown: 'It is no API key that was created here, or it is one that was deleted.',
  revoked: 'It is an API key that was revoked.',
  other: 'A claim of it is not what a JWT has there.',
} as const;

export type Reason = keyof typeof hints;

/**
 * The error for a wrong token. In production the answer does not depend on the reason. The errors of a library are not
 * passed on, since their texts quote the token.
 * @param retryAfterSeconds where another try may succeed: a key that was published a moment ago is not loaded yet
 */
export function rejected(reason: Reason, retryAfterSeconds?: number): DomainError {
  // Both are about the issuer; only one can be told what to change.
  const word = reason === 'slash' ? 'issuer' : reason;
  return unauthorized({
    reason: word,
    hint: `This token or API key is refused (reason: ${word}). ${hints[reason]}`,
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
  });
}

const reasons: Partial<Record<string, Reason>> = {
  ERR_JOSE_ALG_NOT_ALLOWED: 'alg',
  ERR_JOSE_NOT_SUPPORTED: 'crit',
  ERR_JWS_SIGNATURE_VERIFICATION_FAILED: 'signature',
  ERR_JWS_INVALID: 'content',
  ERR_JWT_INVALID: 'content',
};
const claims: Partial<Record<string, Reason>> = { iss: 'issuer', exp: 'expiry', nbf: 'nbf', iat: 'iat' };

/** The reason behind an error of jose's. */
export function reasonOf(error: unknown): Reason {
  if (error instanceof errors.JWTExpired || error instanceof errors.JWTClaimValidationFailed) {
    return claims[error.claim] ?? 'other';
  }
  return (error instanceof errors.JOSEError && reasons[error.code]) || 'other';
}
