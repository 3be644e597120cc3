import type { IncomingMessage } from 'node:http';
import { isIP, isIPv6 } from 'node:net';

/** The client's address. Behind a trusted proxy it is the one that the proxy saw, which stands last in the header. */
export function clientAddress(request: IncomingMessage, trustProxy: boolean): string {
  const forwarded = trustProxy ? request.headers['x-forwarded-for'] : undefined;
  const last =
    String(forwarded ?? '')
      .split(',')
      .at(-1)
      ?.trim() ?? '';
  // Some proxies add the port, which changes with each connection.
  const address = isIP(last) ? last : last.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
  return networkOf(isIP(address) ? address : (request.socket.remoteAddress ?? 'unknown'));
}

/** One client has a whole IPv6 network of 64 bits (RFC 6177), and could use another address of it each time. */
function networkOf(address: string): string {
  if (!isIPv6(address)) return address;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  const [head = [], tail = []] = address
    .toLowerCase()
    .split('::')
    .map((part) => part.split(':').filter(Boolean));
  const groups = [...head, ...Array<string>(Math.max(0, 8 - head.length - tail.length)).fill('0'), ...tail];
  return groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':');
}
