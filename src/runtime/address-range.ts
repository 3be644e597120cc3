import { BlockList, isIP } from 'node:net';

/** A block of addresses (RFC 4632, RFC 4291). */
export interface AddressRange {
  readonly address: string;
  readonly prefix: number;
  readonly family: 'ipv4' | 'ipv6';
}

/** @returns null for what is no CIDR. An address alone is a block of one. IPv4 blocks are written as IPv4. */
export function parseAddressRange(text: string): AddressRange | null {
  const [, address = '', prefix] = /^([0-9a-f.:]+)(?:\/(0|[1-9]\d{0,2}))?$/i.exec(text) ?? [];
  const version = isIP(address);
  if (version === 0 || (version === 6 && isMappedIpv4(address))) return null;
  const bits = version === 4 ? 32 : 128;
  const length = prefix === undefined ? bits : Number(prefix);
  return length > bits ? null : { address, prefix: length, family: version === 4 ? 'ipv4' : 'ipv6' };
}

const ipv4 = new BlockList();
ipv4.addSubnet('0.0.0.0', 0, 'ipv4');

/** Whether an IPv6 address stands for an IPv4 address (`::ffff:0:0/96`). */
export function isMappedIpv4(address: string): boolean {
  return ipv4.check(address, 'ipv6');
}
