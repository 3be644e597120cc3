import type { IncomingMessage } from 'node:http';
import { DomainError } from '../errors.ts';
import { unauthorized } from '../identity/authorize.ts';
import type { VerifyToken } from '../identity/verify-token.ts';
import type { Principal } from '../model/principal.ts';

/**
 * Who a request's credentials say is calling; null when it has none.
 * @throws DomainError BAD_REQUEST for two credentials, UNAUTHORIZED for wrong ones
 */
export async function authenticate(request: IncomingMessage, verifyToken: VerifyToken): Promise<Principal | null> {
  // Of a header sent twice, `headers` would keep the first; a proxy in front may have looked at the other one.
  const { authorization: tokens = [], 'x-api-key': apiKeys = [] } = request.headersDistinct;
  if (tokens.length + apiKeys.length > 1) {
    throw new DomainError('BAD_REQUEST', {
      description: 'Two credentials were sent. Leave one Authorization or one X-API-Key.',
    });
  }
  if (apiKeys.length > 0) throw unauthorized();
  const [authorization] = tokens;
  if (authorization === undefined) return null;
  const token = /^bearer +([^ ]+) *$/i.exec(authorization)?.[1];
  if (token === undefined) throw unauthorized();
  return verifyToken(token);
}
