import { DomainError } from '../errors.ts';
import type { Authenticate } from '../identity/authenticate.ts';
import type { Principal } from '../model/principal.ts';
import { credentialOf } from './credentials.ts';
import type { Exchange } from './exchange.ts';
import type { Budget } from './rate-limit/budget.ts';

/** Who sends a request; null without credentials. @throws DomainError */
export type Identify = (exchange: Exchange) => Promise<Principal | null>;

/** Authenticates a request. Wrong credentials take points from the failure budget of the client's address. */
export function createIdentify(authenticate: Authenticate, budget: Budget): Identify {
  return async ({ request, response }) => {
    try {
      const credential = credentialOf(request);
      return credential && (await authenticate(credential, () => budget.admitLookUp(request, response)));
    } catch (error) {
      if (error instanceof DomainError && error.code === 'UNAUTHORIZED') await budget.spendFailure(request, response);
      throw error;
    }
  };
}
