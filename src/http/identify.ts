import type { IncomingMessage } from 'node:http';
import { DomainError } from '../errors.ts';
import type { Authenticate, Credential } from '../identity/authenticate.ts';
import { repeatable } from '../identity/credentials.ts';
import type { Credentials } from '../model/caller.ts';
import type { Principal } from '../model/principal.ts';
import { credentialOf } from './credentials.ts';
import type { Exchange } from './exchange.ts';
import type { Budget } from './rate-limit/budget.ts';

/**
 * Who sends a request; null without credentials; a promise where the credentials are not known.
 * @param read finds the credential; `credentialOf` where it is left out
 * @throws DomainError
 */
export type Identify = (
  exchange: Exchange,
  read?: (request: IncomingMessage) => Credential | null,
) => Principal | null | Promise<Principal>;

/** What a request was sent with, to be verified again; null without credentials. */
export type RepeatableCredentials = (request: IncomingMessage) => Credentials | null;

export function createRepeatable(authenticate: Authenticate): RepeatableCredentials {
  return (request) => {
    const credential = credentialOf(request);
    return credential && repeatable(credential, authenticate);
  };
}

/** Authenticates a request. Wrong credentials take points from the failure budget of the client's address. */
export function createIdentify(authenticate: Authenticate, budget: Budget): Identify {
  async function fail({ request, response }: Exchange, error: unknown): Promise<never> {
    if (error instanceof DomainError && error.code === 'UNAUTHORIZED') await budget.spendFailure(request, response);
    throw error;
  }
  return (exchange, read = credentialOf) => {
    const { request, response } = exchange;
    try {
      const credential = read(request);
      if (!credential) return null;
      const principal = authenticate(credential, () => budget.admitLookUp(request, response));
      return principal instanceof Promise ? principal.catch((error: unknown) => fail(exchange, error)) : principal;
    } catch (error) {
      return fail(exchange, error);
    }
  };
}
