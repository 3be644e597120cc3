import { brokerPrefix, readTarget } from '../../broker/target.ts';
import { DomainError } from '../../errors.ts';
import { CommandFailure } from '../failure.ts';
import { printable } from '../printable.ts';
import { UsageError } from '../usage-error.ts';
import { openClient } from './client.ts';
import { type Broker, type Credential, readBroker } from './connection.ts';
import { environment } from './environment.ts';
import type { Secret } from './gateway.ts';
import type { GatewayOptions } from './options.ts';
import { isPlaceholder, selectSecret } from './select-secret.ts';

/** Where a request goes, and with whose credential. */
export interface UseTarget {
  readonly broker: Broker;
  /** Behind its URL: with the secret, and the path at the destination. */
  readonly path: string;
  readonly credential: Credential;
  /** For messages. */
  readonly shownName: string;
  /** What was looked up; null where only the broker knows the secret. */
  readonly secret: Secret | null;
}

/**
 * @param path with its query, as it is sent
 * @throws UsageError, CommandFailure, and what the client throws
 */
export async function openTarget(options: GatewayOptions, name: string, path: string): Promise<UseTarget> {
  const broker = readBroker(environment());
  const gateway = await openClient(options);
  refusePath(path);
  // The broker itself finds those of the caller's own.
  const isFound = isPlaceholder(name) && options.team === undefined;
  const secret = isFound ? null : await selectSecret(gateway, name);
  const shownName = printable(name);
  if (secret?.destination === null) throw noDestination(shownName);
  return {
    broker,
    path: `${brokerPrefix}${secret?.id ?? name}${path}`,
    credential: gateway.credential,
    shownName,
    secret,
  };
}

const anyId = '00000000-0000-0000-0000-000000000000';

/** What the gateway would refuse is not sent: a proxy before it may read `..` as another route of the gateway. */
function refusePath(path: string): void {
  try {
    readTarget(`${brokerPrefix}${anyId}${path}`);
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    throw new UsageError(`PATH: ${error.details.description}`);
  }
}

/** What to do about a secret that the gateway may send nowhere. */
export function noDestination(shownName: string): CommandFailure {
  return new CommandFailure(
    `${shownName} has no destination: the gateway may send its value nowhere. It is set together with the value: secrets-gateway set NAME --destination https://api.example.com`,
  );
}
