import type { IncomingMessage } from 'node:http';
import { isIP, isIPv6 } from 'node:net';

/** The client's address. Behind a trusted proxy it is the one that the proxy saw, which stands last in the header. */
export function clientAddress(request: IncomingMessage, trustProxy: boolean): string {
  const own = request.socket.remoteAddress ?? 'unknown';
  const forwarded = trustProxy ? request.headers['x-forwarded-for'] : undefined;
  if (forwarded === undefined) return networkOf(own);
  const last = String(forwarded).split(',').at(-1)?.trim() ?? '';
  // Some proxies add the port, which changes with each connection.
  const address = isIP(last) ? last : last.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
  return networkOf(isIP(address) ? address : own);
}

/** IPv4-mapped addresses (RFC 4291, section 2.5.5.2) and NAT64's (RFC 6052): the IPv4 address is in the last 32 bits. */
const embeddings = ['0:0:0:0:0:ffff', '64:ff9b:0:0:0:0'];

/** One client has a whole IPv6 network of 64 bits (RFC 6177), and could use another address of it each time. */
function networkOf(address: string): string {
  if (!address.includes(':') || !isIPv6(address)) return address;
  const groups = groupsOf(address);
  if (embeddings.includes(groups.slice(0, 6).join(':'))) return ipv4Of(groups[6], groups[7]);
  return groups.slice(0, 4).join(':');
}

/** The eight groups of an IPv6 address, without leading zeros. */
function groupsOf(address: string): string[] {
  // The URL parser knows every form of an address, and prints one; a zone (`%eth0`) is no part of it.
  const [withoutZone = ''] = address.split('%');
  const canonical = URL.parse(`http://[${withoutZone}]`)?.hostname.slice(1, -1) ?? '::';
  const [head = [], tail = []] = canonical.split('::').map((part) => part.split(':').filter(Boolean));
  return [...head, ...Array<string>(8 - head.length - tail.length).fill('0'), ...tail];
}

function ipv4Of(high = '0', low = '0'): string {
  const [first, second] = [Number.parseInt(high, 16), Number.parseInt(low, 16)];
  return [first >> 8, first & 255, second >> 8, second & 255].join('.');
}
