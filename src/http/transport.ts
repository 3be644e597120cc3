import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';

const loopbackAddress = /^(::1|(::ffff:)?127(\.\d{1,3}){3})$/;

/**
 * Whether nobody between the client and the gateway could read the request: it came over TLS, or from this machine. The
 * proxy's header is believed only where the operator trusts the proxy.
 */
export function isSecureTransport(request: IncomingMessage, trustProxy: boolean): boolean {
  const forwarded = trustProxy ? request.headers['x-forwarded-proto'] : undefined;
  // Where proxies append to the header, its first word is the client's own, so that every word must say https.
  if (forwarded !== undefined) {
    return String(forwarded)
      .split(',')
      .every((scheme) => scheme.trim().toLowerCase() === 'https');
  }
  if ((request.socket as Partial<TLSSocket>).encrypted) return true;
  return loopbackAddress.test(request.socket.remoteAddress ?? '');
}

/** What a proxy, a tunnel or a load balancer adds to the requests that it forwards. */
const forwardingHeader =
  /^(forwarded|via|cdn-loop|max-forwards|proxy-.*|.*-ip|cf-.*|x-(forwarded|original|envoy|proxy|amzn|arr|azure|cloud)(-.*)?|x-(host|scheme|url|rewrite-url))$/;

/**
 * Whether a program on this machine, such as its user's browser, made the request itself: not a proxy, not a tunnel, not
 * a page of another origin. nginx forwards with HTTP/1.0 and adds no header unless it is told to.
 */
export function isFromThisMachine(request: IncomingMessage): boolean {
  const { headers, socket, httpVersion } = request;
  const { host, origin, 'sec-fetch-site': site } = headers;
  return (
    loopbackAddress.test(socket.remoteAddress ?? '') &&
    httpVersion === '1.1' &&
    hasLoopbackHost(request) &&
    // A tunnel from another port, such as that of ssh or of an editor, leaves the Host header as it is.
    Number(/:(\d+)$/.exec(host ?? '')?.[1] ?? 80) === socket.localPort &&
    (origin === undefined || origin === `http://${host}`) &&
    // none: the address was typed. Pages of other ports are same-site.
    (site === undefined || site === 'none' || site === 'same-origin') &&
    !Object.keys(headers).some((name) => forwardingHeader.test(name))
  );
}

/**
 * Whether the Host header names this machine. A page whose name was rebound to 127.0.0.1 (DNS rebinding) can send requests
 * to the gateway, but its Host header names the page.
 */
export function hasLoopbackHost(request: IncomingMessage): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i.test(request.headers.host ?? '');
}
