import type { Principal } from '../model/principal.ts';
import { unauthorized } from './authorize.ts';
import type { VerifyToken } from './verify-token.ts';

/** What a request was sent with. */
export type Credential =
  | { readonly type: 'bearer'; readonly token: string }
  | { readonly type: 'apiKey'; readonly key: string };

/** @throws DomainError UNAUTHORIZED, or the key set's own when there are no keys to verify with */
export type Authenticate = (credential: Credential) => Promise<Principal>;

/** Makes a principal of any credential. API keys are not issued yet: each of them is a wrong credential. */
export function createAuthenticator(verifyToken: VerifyToken): Authenticate {
  return async (credential) => {
    if (credential.type === 'bearer') return verifyToken(credential.token);
    throw unauthorized();
  };
}
