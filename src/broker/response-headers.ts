import { isHeaderName, isHeaderValue } from '../rules/header-syntax.ts';
import { namedByConnection } from './connection-headers.ts';
import { linkedThroughBroker, type Place } from './own-links.ts';
import type { Scrubber } from './scrub/scrub.ts';

/** Between two hops (RFC 9110, section 7.6.1), or about the connection to the upstream. */
const hopByHop = [
  ...[
    'connection',
    'keep-alive',
    'proxy-connection',
    'te',
    'trailer',
    'transfer-encoding',
    'upgrade',
    'http2-settings',
  ],
  'via',
];

/**
 * What a browser would take as the word of the gateway's own origin: cookies, its security, its storage, where it reports to, who
 * may read it, what runs on it, and where to go next.
 */
const ofOrigin = [
  ...['set-cookie', 'set-cookie2', 'alt-svc', 'alt-used', 'strict-transport-security', 'clear-site-data'],
  ...['public-key-pins', 'public-key-pins-report-only', 'expect-ct', 'origin-agent-cluster', 'service-worker-allowed'],
  ...['content-security-policy', 'content-security-policy-report-only', 'x-frame-options', 'x-xss-protection'],
  ...['permissions-policy', 'permissions-policy-report-only', 'feature-policy', 'document-policy', 'referrer-policy'],
  ...['document-policy-report-only', 'require-document-policy', 'integrity-policy', 'integrity-policy-report-only'],
  ...['nel', 'report-to', 'reporting-endpoints', 'timing-allow-origin', 'x-permitted-cross-domain-policies'],
  ...['accept-ch', 'critical-ch', 'delegate-ch', 'speculation-rules', 'supports-loading-mode', 'use-as-dictionary'],
  ...['refresh', 'set-login', 'activate-storage-access', 'observe-browsing-topics', 'x-dns-prefetch-control'],
];

/** What the gateway says itself: an answer is not to be kept by anybody, and is what its Content-Type says. */
const ofGateway = ['cache-control', 'expires', 'pragma', 'x-content-type-options', 'x-upstream-request-id'];

/** What a proxy before the gateway would obey: send a file of its own, keep the answer, or take the gateway for broken. */
const ofProxies = ['surrogate-control', 'edge-control', 'cdn-cache-control', 'x-reproxy-url', 'x-lighttpd-send-file'];

const dropped = new Set([...hopByHop, ...ofOrigin, ...ofGateway, ...ofProxies]);

const droppedBeginnings = new RegExp(
  `^(?:${[
    ...[
      'access-control-',
      'cross-origin-',
      'secrets-gateway-',
      'proxy-',
      'sec-',
      'attribution-reporting-',
      'ad-auction-',
    ],
    ...['x-accel-', 'x-sendfile', 'x-envoy-', 'cloudflare-cdn-'],
  ].join('|')})`,
);

/** What an upstream answers is no page of the gateway's origin, and loads and runs nothing. Each answer has it. */
export const answerPolicy = "sandbox; default-src 'none'";

/** Asks a proxy only not to wait for more of a stream. */
const harmless = 'x-accel-buffering';

/**
 * The headers of an answer that pass, in their order: not those of one hop, those that would speak for the origin of the
 * gateway, and those that cannot be written. The value of the secret is scrubbed from the others. The upstream's `X-Request-Id` is
 * called `X-Upstream-Request-Id`, since the gateway's own is in its log. What a browser would take for a page is no page of the
 * gateway's origin, and loads and runs nothing.
 * @param rawHeaders names and values in turn
 * @param place of the upstream: links to it and to the gateway lead through the broker
 */
export function responseHeaders(rawHeaders: readonly string[], scrubber: Scrubber, place: Place): string[] {
  const ofConnection = namedByConnection(rawHeaders);
  const passed: string[] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const [name, value] = [rawHeaders[at] as string, rawHeaders[at + 1] as string];
    const lowerCase = name.toLowerCase();
    if (ofConnection.includes(lowerCase) || !passes(lowerCase) || !isHeaderName(name) || !isHeaderValue(value))
      continue;
    if (scrubber.isInName(name)) continue;
    const passedName = lowerCase === 'x-request-id' ? 'X-Upstream-Request-Id' : name;
    const clean = scrubber.text(value);
    const linked = linkedThroughBroker(lowerCase, clean, place);
    if (linked === null) continue;
    // A URL is written anew without its tabs and dot segments: what stood around them may be the value then.
    passed.push(passedName, linked === clean ? clean : scrubber.text(linked));
  }
  return [...passed, 'Content-Security-Policy', answerPolicy];
}

function passes(name: string): boolean {
  if (dropped.has(name)) return false;
  return name === harmless || !droppedBeginnings.test(name);
}
