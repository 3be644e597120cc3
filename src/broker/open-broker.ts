import type { Route } from '../http/route.ts';
import type { AskProvider } from '../secrets/dependencies.ts';
import { createAskProvider, type OnCheck } from './check/ask-provider.ts';
import { OpenUses, usesEndMs } from './open-uses.ts';
import { type BrokerRouteOptions, brokerRoute } from './route.ts';
import { createAddressRule } from './upstream/addresses.ts';
import { createForwarder } from './upstream/forward.ts';

export interface BrokerOptions {
  /** CIDRs that may be reached besides public addresses. */
  readonly allowPrivate: readonly string[];
  /** Whether plain HTTP is spoken to loopback. */
  readonly allowHttp: boolean;
  /** How long an upstream may be silent. */
  readonly timeoutMs: number;
  /** Of the gateway: it is told to providers that are asked about keys. */
  readonly version: string;
  readonly onCheck: OnCheck;
}

export interface Broker {
  readonly askProvider: AskProvider;
  /** What secrets are used at. */
  readonly route: (options: Omit<BrokerRouteOptions, 'forwarder' | 'uses' | 'timeoutMs'>) => Route;
  /** How many uses and checks are open. */
  readonly count: () => number;
  /** How long `endUses` may take now. */
  readonly endMs: () => number;
  /** Resolves when none is open. Those that take too long are cut off. */
  readonly endUses: () => Promise<void>;
  /** Closes what is left of connections to upstreams. */
  readonly close: () => void;
}

/** All that goes to destinations: uses and checks share their limits and their end. */
export function openBroker({ allowPrivate, allowHttp, timeoutMs, version, onCheck }: BrokerOptions): Broker {
  const uses = new OpenUses();
  const forwarder = createForwarder({ isAllowedAddress: createAddressRule(allowPrivate), allowHttp, timeoutMs });
  return {
    askProvider: createAskProvider({ forwarder, uses, version, onCheck }),
    route: (options) => brokerRoute({ ...options, forwarder, uses, timeoutMs }),
    count: () => uses.count,
    endMs: () => (uses.count === 0 ? 0 : usesEndMs),
    endUses: () => uses.close(),
    close: () => forwarder.close(),
  };
}
