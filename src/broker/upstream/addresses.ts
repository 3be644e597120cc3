import { BlockList, isIP } from 'node:net';
import { isMappedIpv4, parseAddressRange } from '../../runtime/address-range.ts';

/**
 * Every IPv4 block of IANA's special-purpose registry (RFC 6890), multicast and reserved addresses, those with an entry
 * "globally reachable" too: no API is served there.
 */
const special4 = [
  '0.0.0.0/8', // this network
  '10.0.0.0/8', // private
  '100.64.0.0/10', // shared with a carrier
  '127.0.0.0/8', // loopback
  '169.254.0.0/16', // link-local, and the metadata of most clouds
  '172.16.0.0/12', // private
  '192.0.0.0/24', // protocol assignments
  '192.0.2.0/24', // documentation
  '192.31.196.0/24', // AS112
  '192.52.193.0/24', // AMT
  '192.88.99.0/24', // 6to4 relays
  '192.168.0.0/16', // private
  '192.175.48.0/24', // AS112
  '198.18.0.0/15', // benchmarks
  '198.51.100.0/24', // documentation
  '203.0.113.0/24', // documentation
  '224.0.0.0/4', // multicast
  '240.0.0.0/4', // reserved, and broadcast
];

/** What is global unicast (RFC 4291), which is the only kind of IPv6 address that is allowed. */
const global6 = '2000::/3';

/** The blocks of global unicast that are special. 6to4 and Teredo hide an IPv4 address in theirs. */
const special6 = [
  '2001::/23', // protocol assignments: Teredo, benchmarks, ORCHID, DRIP
  '2001:db8::/32', // documentation
  '2002::/16', // 6to4
  '2620:4f:8000::/48', // AS112
  '3fff::/20', // documentation
];

/** What clouds serve the credentials of a machine at. No setting allows these. */
const metadata = [
  '169.254.169.254', // AWS, Google, Azure, Oracle, DigitalOcean, OpenStack
  '169.254.170.2', // AWS, containers
  '169.254.170.23', // AWS, pods
  '169.254.0.23', // Tencent
  '100.100.100.200', // Alibaba
  '192.0.0.192', // Oracle
  '168.63.129.16', // Azure's host, at a public address
  'fd00:ec2::254', // AWS
  'fd00:ec2::23', // AWS, pods
  'fd20:ce::254', // Google
];

/** A network that translates to IPv4 has these addresses (RFC 6052). The last 32 bits are the IPv4 address. */
const translated = '64:ff9b::';
const translatedBits = 96;

/**
 * Which addresses the gateway may connect to. An IPv4 address within an IPv6 address (IPv4-mapped or NAT64) is judged as IPv4 is.
 * In all other forms that have one (IPv4-compatible, 6to4, Teredo, NAT64 of a network's own) it is refused, for no API is served there.
 * @param allowPrivate CIDRs that are allowed besides public addresses
 */
export function createAddressRule(allowPrivate: readonly string[]): (address: string) => boolean {
  const never = blockLists(metadata);
  const allowed = blockLists(allowPrivate);
  const special = blockLists([...special4, ...special6]);
  const judge = (address: string): boolean => {
    const kind = kindOf(address);
    if (kind === null || isIn(never, address, kind)) return false;
    if (isIn(allowed, address, kind)) return true;
    return !isIn(special, address, kind) && (kind !== 'ipv6' || isIn(global, address, kind));
  };
  // The address of a kept connection is judged for each request, and nothing but its text decides.
  const judged = new Map<string, boolean>();
  return (address) => {
    const earlier = judged.get(address);
    if (earlier !== undefined) return earlier;
    const isAllowed = judge(address);
    if (judged.size >= mostJudged) judged.clear();
    if (address.length <= longestAddress) judged.set(address, isAllowed);
    return isAllowed;
  };
}

const mostJudged = 1000;
const longestAddress = 64;

/** Whether only this machine can be reached by an address. */
export function isLoopbackAddress(address: string): boolean {
  const kind = kindOf(address);
  return kind !== null && isIn(loopback, address, kind);
}

type Kind = 'ipv4' | 'mapped' | 'ipv6';

/** A BlockList with IPv6 blocks answers for IPv4 addresses, too. So there is one for each. */
interface BlockLists {
  readonly ipv4: BlockList;
  readonly ipv6: BlockList;
}

const global = blockLists([global6, `${translated}/${translatedBits}`]);
const loopback = blockLists(['127.0.0.0/8', '::1']);

/** @returns null for what is no address, and for one with a zone: it names an interface, which only link-local addresses need */
function kindOf(address: string): Kind | null {
  const version = isIP(address);
  if (version === 0 || address.includes('%')) return null;
  if (version === 4) return 'ipv4';
  return isMappedIpv4(address) ? 'mapped' : 'ipv6';
}

function isIn(lists: BlockLists, address: string, kind: Kind): boolean {
  // A list of IPv4 blocks knows the addresses that IPv6 maps to IPv4.
  return kind === 'ipv6' ? lists.ipv6.check(address, kind) : lists.ipv4.check(address, kind === 'ipv4' ? kind : 'ipv6');
}

function blockLists(texts: readonly string[]): BlockLists {
  const lists = { ipv4: new BlockList(), ipv6: new BlockList() };
  for (const text of texts) {
    const range = parseAddressRange(text);
    if (!range) throw new Error('a list of addresses has something that is no CIDR');
    const { address, prefix, family } = range;
    lists[family].addSubnet(address, prefix, family);
    if (family === 'ipv4') lists.ipv6.addSubnet(`${translated}${address}`, translatedBits + prefix, 'ipv6');
  }
  return lists;
}
