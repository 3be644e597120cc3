import type { Principal } from '../model/principal.ts';
import type { ApiKeyVerifier } from './verify-api-key.ts';
import type { VerifyToken } from './verify-token.ts';

/** What a request was sent with. */
export type Credential =
  | { readonly type: 'bearer'; readonly token: string }
  | { readonly type: 'apiKey'; readonly key: string };

/**
 * The principal at once where the credential is known, otherwise a promise.
 * @param admitLookUp called before the store is asked for an API key that is not known; may refuse it
 * @throws DomainError UNAUTHORIZED, the key set's own when there are no keys to verify with, or SERVICE_UNAVAILABLE
 */
export type Authenticate = (
  credential: Credential,
  admitLookUp: () => Promise<void> | void,
) => Principal | Promise<Principal>;

/** Makes a principal of any credential. */
export function createAuthenticator(verifyToken: VerifyToken, apiKeys: ApiKeyVerifier): Authenticate {
  return (credential, admitLookUp) =>
    credential.type === 'bearer' ? verifyToken(credential.token) : apiKeys.verify(credential.key, admitLookUp);
}
