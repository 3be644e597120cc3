import type { IncomingMessage } from 'node:http';
import { badRequest } from '../errors.ts';
import { sentValues } from '../http/sent-values.ts';
import { apiKeyPrefix, isApiKey } from '../identity/api-key.ts';
import type { Credential } from '../identity/authenticate.ts';
import { unauthorized } from '../identity/authorize.ts';
import { isTokenForm } from '../identity/unverified-token.ts';
import { isForwarded } from './request-headers.ts';

/** The gateway's credential of a request to the broker. */
export interface BrokerCredential {
  readonly credential: Credential;
  /** The header that it must have in common with the destination, in lower case; empty where it came in one of the gateway's own. */
  readonly header: string;
  /** The header that it came in, in lower case. */
  readonly sentIn: string;
}

/** What is read of a request: its headers, and the connection that it came on. */
type Sent = Pick<IncomingMessage, 'rawHeaders'> & { readonly socket?: object };

/**
 * Where clients put a credential: in Proxy-Authorization; in X-API-Key, an API key; or where the provider's key goes, since
 * an SDK has one setting for it. Cookies are not searched: a browser adds them to requests that nobody meant to send.
 * @throws DomainError BAD_REQUEST for two credentials, UNAUTHORIZED without one
 */
export function brokerCredentialOf(request: Sent): BrokerCredential {
  // Templates add a header for a credential that they do not have.
  const proxy = sentValues(request, 'proxy-authorization').filter(Boolean);
  const ownKeys = sentValues(request, 'x-api-key').filter(Boolean);
  const keys = ownKeys.some((key) => key.startsWith(apiKeyPrefix)) ? ownKeys : [];
  if (proxy.length + keys.length > 1) throw twoCredentials();
  const [authorization] = proxy;
  const [key] = keys;
  if (authorization !== undefined) {
    const token = /^bearer +([^ ]+) *$/i.exec(authorization)?.[1];
    if (token === undefined) throw unauthorized({ hint: 'Proxy-Authorization must be: Bearer TOKEN.' });
    return { credential: credentialFrom(token), header: '', sentIn: 'proxy-authorization' };
  }
  if (key !== undefined) return { credential: { type: 'apiKey', key }, header: '', sentIn: 'x-api-key' };
  return credentialAmong(request);
}

function credentialAmong({ rawHeaders, socket }: Sent): BrokerCredential {
  let found: BrokerCredential | undefined;
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const value = rawHeaders[at + 1] ?? '';
    const header = (rawHeaders[at] ?? '').toLowerCase();
    if (value.length < minLength || !isForwarded(header)) continue;
    for (const text of socket ? credentialsOn(socket, value) : credentialsIn(value)) {
      if (found) throw twoCredentials();
      found = { credential: credentialFrom(text), header, sentIn: header };
    }
  }
  if (found) return found;
  throw unauthorized({
    hint: 'It may stand where the provider’s key goes, or in Proxy-Authorization: Bearer TOKEN.',
  });
}

/** The shortest of both kinds is a token with two claims. */
const minLength = 40;

/** A header that had a credential in it. */
interface KnownHeader {
  readonly value: string;
  readonly credentials: readonly string[];
}

/**
 * The last one on each connection: a client sends the same again and again. It is the header's text that decides alone what is
 * in it, and it is kept for no longer than the connection.
 */
const lastHeaders = new WeakMap<object, KnownHeader>();
const longestKept = 4096;

function credentialsOn(socket: object, value: string): readonly string[] {
  const last = lastHeaders.get(socket);
  if (last?.value === value) return last.credentials;
  const credentials = credentialsIn(value);
  if (credentials.length > 0 && value.length <= longestKept) lastHeaders.set(socket, { value, credentials });
  return credentials;
}

/** The credentials in a value of any format: alone, after a scheme, after a name, or as a user or a password (RFC 7617). */
function credentialsIn(value: string): string[] {
  const basic = /^basic +([\w+/=-]+) *$/i.exec(value)?.[1];
  const text = basic === undefined ? value : Buffer.from(basic, 'base64').toString('latin1');
  const words = text.split(/[^\w.-]+/).filter((word) => word.length >= minLength);
  return words.filter((word) => isApiKey(word) || isTokenForm(word));
}

function credentialFrom(text: string): Credential {
  return text.startsWith(apiKeyPrefix) ? { type: 'apiKey', key: text } : { type: 'bearer', token: text };
}

function twoCredentials(): Error {
  return badRequest(
    'Two credentials were sent. Leave one; where another header needs a token of somebody else, send the gateway’s in Proxy-Authorization.',
  );
}
