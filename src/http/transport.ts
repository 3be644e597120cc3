import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';

const loopbackAddress = /^(::1|(::ffff:)?127(\.\d{1,3}){3})$/;

/**
 * Whether nobody between the client and here could read the request: it came by TLS, or from this very machine.
 * A proxy's word is taken only where the operator trusts the proxy.
 */
export function isConfidential(request: IncomingMessage, trustProxy: boolean): boolean {
  const forwarded = trustProxy ? request.headers['x-forwarded-proto'] : undefined;
  // Where proxies append to the header, the first word in it is the client's own.
  if (forwarded !== undefined) {
    return String(forwarded)
      .split(',')
      .every((scheme) => scheme.trim().toLowerCase() === 'https');
  }
  if ((request.socket as Partial<TLSSocket>).encrypted) return true;
  return loopbackAddress.test(request.socket.remoteAddress ?? '');
}

/**
 * Whether the Host header names this machine. A page from elsewhere whose name was rebound to 127.0.0.1 can send
 * requests here, but not with such a Host.
 */
export function hasLoopbackHost(request: IncomingMessage): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i.test(request.headers.host ?? '');
}
