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

/**
 * Whether the Host header names this machine. A page whose name was rebound to 127.0.0.1 (DNS rebinding) can send requests
 * to the gateway, but its Host header names the page.
 */
export function hasLoopbackHost(request: IncomingMessage): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i.test(request.headers.host ?? '');
}
