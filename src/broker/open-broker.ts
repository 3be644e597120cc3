import type { Route } from '../http/route.ts';
import { type BrokerRouteOptions, brokerRoute } from './route.ts';
import { createAddressRule } from './upstream/addresses.ts';
import { createForwarder } from './upstream/forward.ts';
import { Uses, usesEndMs } from './uses.ts';

export interface BrokerOptions extends Omit<BrokerRouteOptions, 'forwarder' | 'uses'> {
  /** CIDRs that may be reached besides public addresses. */
  readonly allowPrivate: readonly string[];
  /** Whether plain HTTP is spoken to loopback. */
  readonly allowHttp: boolean;
}

export interface Broker {
  readonly route: Route;
  /** How many uses are open. */
  readonly count: () => number;
  /** How long `endUses` may take now. */
  readonly endMs: () => number;
  /** Resolves when no use is open. Those that take too long are cut off. */
  readonly endUses: () => Promise<void>;
  /** Closes what is left of connections to upstreams. */
  readonly close: () => void;
}

export function openBroker({ allowPrivate, allowHttp, ...options }: BrokerOptions): Broker {
  const uses = new Uses();
  const { timeoutMs } = options;
  const forwarder = createForwarder({ isAllowedAddress: createAddressRule(allowPrivate), allowHttp, timeoutMs });
  return {
    route: brokerRoute({ ...options, forwarder, uses }),
    count: () => uses.count,
    endMs: () => (uses.count === 0 ? 0 : usesEndMs),
    endUses: () => uses.close(),
    close: () => forwarder.close(),
  };
}
