import { decodeJwt } from 'jose/jwt/decode';
import type { Credentials } from '../model/caller.ts';
import type { Authenticate, Credential } from './authenticate.ts';

/**
 * What is known of a token is kept in memory, so that this costs microseconds. It tells when a key left the issuer's key set.
 */
const verifyTokenEveryMs = 15_000;
/** With the 4 s for which the store's word on a key is used, a key that was revoked elsewhere is noticed within 5 s. */
const verifyKeyEveryMs = 500;

/** A credential that was accepted. */
export function repeatable(credential: Credential, authenticate: Authenticate): Credentials {
  const isToken = credential.type === 'bearer';
  return {
    // It was good here before, so that nobody makes the store look up invented ones.
    verify: () => authenticate(credential, () => {}),
    expiresAtMs: isToken ? 1000 * Number(decodeJwt(credential.token).exp) : Number.POSITIVE_INFINITY,
    verifyEveryMs: isToken ? verifyTokenEveryMs : verifyKeyEveryMs,
  };
}
