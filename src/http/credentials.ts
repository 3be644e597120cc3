import type { IncomingMessage } from 'node:http';
import { DomainError } from '../errors.ts';
import { apiKeyPrefix } from '../identity/api-key.ts';
import type { Credential } from '../identity/authenticate.ts';
import { unauthorized } from '../identity/authorize.ts';
import { sentValues } from './sent-values.ts';

/**
 * The credential that a request was sent with; null when it has none.
 * @throws DomainError BAD_REQUEST for two credentials, UNAUTHORIZED for an Authorization that is no Bearer credentials
 */
export function credentialOf(request: IncomingMessage): Credential | null {
  // Of a header that was sent twice, `headers` would keep the first, and a proxy may have checked the second.
  const authorization = sentValues(request, 'authorization');
  // API gateways and templates add a header for a credential that they do not have.
  const keys = sentValues(request, 'x-api-key');
  const apiKeys = keys.length > 0 ? keys.filter(Boolean) : keys;
  const tokens = apiKeys.length > 0 ? authorization.filter(Boolean) : authorization;
  if (tokens.length + apiKeys.length > 1) {
    throw new DomainError('BAD_REQUEST', {
      description: 'Two credentials were sent. Leave one Authorization or one X-API-Key.',
    });
  }
  const key = apiKeys[0];
  if (key !== undefined) return { type: 'apiKey', key };
  const sent = tokens[0];
  if (sent === undefined) return null;
  const token = /^bearer +([^ ]+) *$/i.exec(sent)?.[1];
  if (token === undefined) throw unauthorized({ reason: 'scheme', hint: 'Authorization must be: Bearer TOKEN.' });
  return token.startsWith(apiKeyPrefix) ? { type: 'apiKey', key: token } : { type: 'bearer', token };
}
