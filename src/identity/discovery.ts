import { isSecureUrl } from '../runtime/secure-url.ts';
import { fetchJson } from './fetch-json.ts';
import { type FaultReason, IssuerFault } from './issuer-fault.ts';
import { jwksFromUrl } from './jwks-from-url.ts';
import { isObject } from './list-claim.ts';

/**
 * Finds an issuer's keys by its name alone (OpenID Connect Discovery 1.0, section 4). The document is read each time, since
 * an issuer may move its keys.
 * @param allowHttp whether the keys may come over plain HTTP
 * @throws IssuerFault
 */
export async function discoverJwks(
  issuer: string,
  allowHttp: boolean,
  signal: AbortSignal,
): Promise<readonly unknown[]> {
  const url = discoveryUrl(issuer);
  const document = await fetchJson(url, 'application/json', signal);
  const fault = (reason: FaultReason) => new IssuerFault(reason, { source: url });
  if (!isObject(document) || typeof document.issuer !== 'string') throw fault('not-a-discovery-document');
  // Section 4.3: otherwise one issuer could speak for another.
  if (document.issuer !== issuer) {
    throw fault(withoutSlash(document.issuer) === withoutSlash(issuer) ? 'issuer-slash' : 'issuer-differs');
  }
  const { jwks_uri: keysUrl } = document;
  // Keys that come in clear are for an issuer that itself is on this machine, or where the setting allows it.
  const isSecure =
    typeof keysUrl === 'string' &&
    isSecureUrl(keysUrl, allowHttp) &&
    (keysUrl.startsWith('https:') || url.startsWith('http:'));
  if (!isSecure) throw fault('jwks-uri');
  return jwksFromUrl(keysUrl, signal);
}

/** Section 4.1. */
export function discoveryUrl(issuer: string): string {
  return `${withoutSlash(issuer)}/.well-known/openid-configuration`;
}

export function withoutSlash(issuer: string): string {
  return issuer.replace(/\/$/, '');
}
