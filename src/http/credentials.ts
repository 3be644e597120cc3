import type { IncomingMessage } from 'node:http';
import { DomainError } from '../errors.ts';
import { unauthorized } from '../identity/authorize.ts';
import type { Principal } from '../identity/principal.ts';
import type { VerifyToken } from '../identity/verify-token.ts';

/**
 * Who a request's credentials say is calling; null when it has none.
 * @throws DomainError BAD_REQUEST for two credentials, UNAUTHORIZED for wrong ones
 */
export async function authenticate(request: IncomingMessage, verifyToken: VerifyToken): Promise<Principal | null> {
  const { authorization, 'x-api-key': apiKey } = request.headers;
  if (authorization !== undefined && apiKey !== undefined) {
    throw new DomainError('BAD_REQUEST', {
      description: 'Two credentials were sent. Leave either Authorization or X-API-Key.',
    });
  }
  if (apiKey !== undefined) throw unauthorized();
  if (authorization === undefined) return null;
  const token = /^bearer +([^ ]+) *$/i.exec(authorization)?.[1];
  if (token === undefined) throw unauthorized();
  return verifyToken(token);
}
