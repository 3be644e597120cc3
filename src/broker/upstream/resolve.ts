import type { LookupAddress } from 'node:dns';
import { lookup, Resolver } from 'node:dns/promises';
import { createKeyedMutex } from '../../runtime/keyed-mutex.ts';

/** All addresses of a name. */
export type Resolve = (hostname: string) => Promise<readonly LookupAddress[]>;

/** Whom to ask for addresses. */
export interface NameSources {
  /** DNS servers. */
  readonly dns: () => Pick<Resolver, 'resolve4' | 'resolve6'>;
  /** The rest of the system: the hosts file, and names with search domains. */
  readonly system: Resolve;
}

const ofThisMachine: NameSources = {
  // Made anew each time: the machine may have other servers by now. A slow one has some 5 s, half of what a connection may take.
  dns: () => new Resolver({ timeout: 1500, tries: 2 }),
  system: (hostname) => lookup(hostname, { all: true }),
};

/** RFC 6761, section 6.3. */
const loopback: readonly LookupAddress[] = [
  { address: '127.0.0.1', family: 4 },
  { address: '::1', family: 6 },
];

/** DNS servers have no address for the name, or there are no servers. */
const unknownToDns: ReadonlySet<string> = new Set(['ENOTFOUND', 'ENODATA', 'ECONNREFUSED']);

/** How long the look-up of a name that DNS does not know waits for those before it. */
const maxWaitMs = 5000;

/**
 * Looks names up. Nothing is kept: the next request asks again. Names that are being looked up already are not looked up twice.
 *
 * DNS servers are asked by c-ares, which takes no thread. The system's own look-up takes one of two for as long as it lasts:
 * whoever chooses names could fill them with names whose servers do not answer, and then nobody's names would be found. So it is asked
 * only for what DNS does not know, and for one name at a time: a server may deny a name to DNS, and then be silent.
 */
export function createResolve({ dns, system }: NameSources = ofThisMachine): Resolve {
  const pending = new Map<string, Promise<readonly LookupAddress[]>>();
  const mutex = createKeyedMutex(maxWaitMs, () => Object.assign(new Error('too many names'), { code: 'EAI_AGAIN' }));

  async function find(hostname: string): Promise<readonly LookupAddress[]> {
    if (/(?:^|\.)localhost\.?$/i.test(hostname)) return loopback;
    const servers = dns();
    const [four, six] = await Promise.allSettled([servers.resolve4(hostname), servers.resolve6(hostname)]);
    const addresses = [...addressesIn(four, 4), ...addressesIn(six, 6)];
    if (addresses.length > 0) return addresses;
    for (const answer of [four, six]) {
      if (answer.status === 'rejected' && !unknownToDns.has(answer.reason.code)) throw answer.reason;
    }
    return mutex('', () => system(hostname));
  }

  return (hostname) => {
    const known = pending.get(hostname);
    if (known) return known;
    const found = find(hostname);
    pending.set(hostname, found);
    const forget = () => pending.delete(hostname);
    found.then(forget, forget);
    return found;
  };
}

function addressesIn(answer: PromiseSettledResult<string[]>, family: 4 | 6): LookupAddress[] {
  return answer.status === 'rejected' ? [] : answer.value.map((address) => ({ address, family }));
}
