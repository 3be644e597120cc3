import { badRequest } from '../errors.ts';
import { apiKeyPrefix } from '../identity/api-key.ts';
import type { Destination } from '../model/destination.ts';
import { isHeaderName, isHeaderValue } from '../rules/header-syntax.ts';
import { namedByConnection } from './connection-headers.ts';

/** How a request may use a value. */
export interface HeaderUse {
  readonly destination: Pick<Destination, 'header' | 'format'>;
  readonly value: string;
  /** The header that the gateway's credential came in, in lower case; empty where it was one of the gateway's own. */
  readonly credentialHeader: string;
}

/**
 * The headers for the upstream, as names and values in turn, in the order in which they came; without Host and what frames the body.
 * The header of the destination is there exactly once, whatever the client sent under its name.
 * @throws DomainError BAD_REQUEST
 */
export function requestHeaders(rawHeaders: readonly string[], use: HeaderUse): string[] {
  const { destination, value, credentialHeader } = use;
  const dropped = [folded(destination.header), folded(credentialHeader), ...namedByConnection(rawHeaders).map(folded)];
  const headers: string[] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? '';
    const sent = rawHeaders[at + 1] ?? '';
    const { fold, forwarded, isName } = known(name);
    if (!isName || !isHeaderValue(sent)) throw badRequest('A header has characters that none may have.');
    if (!forwarded || dropped.includes(fold)) continue;
    // The gateway's own header for its API keys. With other values it is a header as any other.
    if (fold === 'x-api-key' && sent.startsWith(apiKeyPrefix)) continue;
    headers.push(name, sent);
  }
  // A compressed answer could not be searched for the value as it streams.
  headers.push(
    'Accept-Encoding',
    'identity',
    destination.header,
    destination.format.replace('{value}', () => value),
  );
  return headers;
}

/** Headers about the connection (RFC 9110, section 7.6.1), that frame the body, or that the gateway itself answers or sets. */
const connectionHeaders = [
  ...['connection', 'keep-alive', 'te', 'trailer', 'transfer-encoding', 'upgrade', 'http2-settings'],
  ...['host', 'content-length', 'expect', 'accept-encoding'],
];
/** Who the client is, and what proxies before the gateway know of it. */
const clientHeaders = [
  ...[
    'cookie',
    'cookie2',
    'origin',
    'referer',
    'dnt',
    'forwarded',
    'forwarded-for',
    'via',
    'cdn-loop',
    'front-end-https',
  ],
  ...[
    'x-real-ip',
    'x-client-ip',
    'x-cluster-client-ip',
    'x-originating-ip',
    'x-remote-ip',
    'x-remote-addr',
    'x-proxyuser-ip',
  ],
  ...['true-client-ip', 'client-ip', 'fastly-client-ip', 'fly-client-ip', 'x-azure-clientip', 'x-azure-socketip'],
  ...[
    'cf-connecting-ip',
    'cf-connecting-ipv6',
    'cf-pseudo-ipv4',
    'cf-connecting-o2o',
    'cf-ipcountry',
    'cf-ray',
    'cf-visitor',
  ],
  ...[
    'x-original-forwarded-for',
    'x-original-host',
    'x-original-proto',
    'x-original-remote-addr',
    'x-envoy-external-address',
  ],
  ...['x-remote-user', 'remote-user', 'x-host', 'x-http-host-override', 'x-scheme', 'x-url-scheme'],
];
/** Some servers take the path from these instead of the request (IIS, Symfony, Envoy, Rack). */
const pathHeaders = [
  ...['x-original-url', 'x-original-uri', 'x-rewrite-url', 'x-override-url', 'x-envoy-original-path'],
  ...['x-accel-mapping', 'x-sendfile-type'],
];
const notForwarded: ReadonlySet<string> = new Set([...connectionHeaders, ...clientHeaders, ...pathHeaders]);
/** Identities that proxies of clouds and companies add for what is behind them, here the gateway, are among them. */
const notForwardedPrefixes = [
  ...['proxy-', 'x-forwarded', 'secrets-gateway-', 'sec-', 'access-control-request-'],
  ...[
    'x-auth-request-',
    'x-amzn-oidc-',
    'x-goog-iap-',
    'x-goog-authenticated-user-',
    'x-ms-client-principal',
    'x-ms-token-',
  ],
  'cf-access-jwt-',
  'cf-access-authenticated-',
];

/** Whether a header that a client sent goes on to an upstream, unless the request says something else about it. */
export function isForwarded(name: string): boolean {
  return known(name).forwarded;
}

/** CGI and what came after it do not tell `X_Api_Key` or `X.Api.Key` from `X-Api-Key`. */
export function folded(name: string): string {
  return known(name).fold;
}

interface KnownName {
  readonly fold: string;
  readonly forwarded: boolean;
  readonly isName: boolean;
}

/** Clients send the same names again and again. */
const names = new Map<string, KnownName>();
const maxNames = 500;
const maxNameLength = 64;

function known(name: string): KnownName {
  const earlier = names.get(name);
  if (earlier) return earlier;
  const fold = name.toLowerCase().replaceAll(/[^a-z\d]/g, '-');
  const forwarded = !notForwarded.has(fold) && !notForwardedPrefixes.some((prefix) => fold.startsWith(prefix));
  const made = { fold, forwarded, isName: isHeaderName(name) };
  if (names.size < maxNames && name.length <= maxNameLength) names.set(name, made);
  return made;
}
