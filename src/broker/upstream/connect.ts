import type { LookupAddress } from 'node:dns';
import { connect as connectTcp, isIP, type LookupFunction, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { AbortSignalLike } from '../../runtime/abort.ts';
import { isLoopbackAddress } from './addresses.ts';
import { badGateway, clientGone, failureOf, type UpstreamDelay, upstreamTimeout } from './failure.ts';
import type { Resolve } from './resolve.ts';

export interface ConnectionRules {
  readonly isAllowedAddress: (address: string) => boolean;
  readonly resolve: Resolve;
  /** For the look-up, the connection and TLS together. */
  readonly connectMs: number;
}

/** What a connection is made to. */
export interface Upstream {
  readonly isSecure: boolean;
  /** An IPv6 address without brackets. */
  readonly hostname: string;
  readonly port: number;
}

/**
 * Connects to the addresses that the name has now, and to no other. Nothing has been written yet, and the certificate has been
 * checked.
 * @param signal ends it
 * @throws DomainError BAD_GATEWAY or GATEWAY_TIMEOUT
 */
export async function connect(upstream: Upstream, rules: ConnectionRules, signal: AbortSignalLike): Promise<Socket> {
  const ended = Promise.withResolvers<never>();
  ended.promise.catch(() => {});
  const onAbort = () => ended.reject(clientGone());
  let delay: UpstreamDelay = 'lookUp';
  const timer = setTimeout(() => ended.reject(upstreamTimeout(delay)), rules.connectMs);
  signal.addEventListener('abort', onAbort);
  if (signal.aborted) onAbort();
  try {
    const addresses = await Promise.race([addressesOf(upstream, rules), ended.promise]);
    delay = 'connection';
    return await open(upstream, addresses, rules, ended.promise);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}

/** @throws DomainError when one of them is not allowed: to choose among mixed answers would let their order decide */
async function addressesOf(
  { hostname, isSecure }: Upstream,
  { isAllowedAddress, resolve }: ConnectionRules,
): Promise<readonly LookupAddress[]> {
  const family = isIP(hostname);
  const addresses = family > 0 ? [{ address: hostname, family }] : await found(hostname, resolve);
  if (addresses.length === 0) throw badGateway('unknownName');
  const isAllowed = addresses.every(
    ({ address }) => isAllowedAddress(address) && (isSecure || isLoopbackAddress(address)),
  );
  if (!isAllowed) throw badGateway('forbiddenAddress');
  return addresses;
}

async function found(hostname: string, resolve: Resolve): Promise<readonly LookupAddress[]> {
  try {
    return await resolve(hostname);
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ETIMEOUT') throw upstreamTimeout('lookUp');
    throw failureOf(error, 'lookUp');
  }
}

async function open(
  { hostname, port, isSecure }: Upstream,
  addresses: readonly LookupAddress[],
  { isAllowedAddress }: ConnectionRules,
  ended: Promise<never>,
): Promise<Socket> {
  const pinned: LookupFunction = (_hostname, { all }, callback) => {
    const [{ address, family } = { address: '', family: 0 }] = addresses;
    if (all) callback(null, [...addresses]);
    else callback(null, address, family);
  };
  const options = { host: hostname, port, lookup: pinned, autoSelectFamily: true, noDelay: true };
  const socket = isSecure ? connectTls({ ...options, ...tlsOptions(hostname) }) : connectTcp(options);
  let isConnected = false;
  const ready = new Promise<void>((resolve, reject) => {
    socket.once('connect', () => {
      isConnected = true;
    });
    socket.once(isSecure ? 'secureConnect' : 'connect', resolve);
    socket.once('error', (error) => reject(failureOf(error, isConnected ? 'tls' : 'unreachable')));
    socket.once('close', () => reject(badGateway(isConnected ? 'tls' : 'unreachable')));
  });
  // An idle socket may fail at any time. Whoever uses it then is told by its end.
  socket.on('error', () => {});
  try {
    await Promise.race([ready, ended]);
    if (!isAllowedAddress(socket.remoteAddress ?? '')) throw badGateway('forbiddenAddress');
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

function tlsOptions(hostname: string) {
  return {
    minVersion: 'TLSv1.2',
    // NODE_TLS_REJECT_UNAUTHORIZED cannot turn it off.
    rejectUnauthorized: true,
    ALPNProtocols: ['http/1.1'],
    // Without the dot at the end of a name (RFC 6066, section 3). An address is none.
    ...(isIP(hostname) === 0 && { servername: hostname.replace(/\.$/, '') }),
  } as const;
}
