import { brokerPrefix, readTarget } from '../../broker/target.ts';
import { isGatewayError } from '../../client/gateway-error.ts';
import { DomainError } from '../../errors.ts';
import { CommandFailure } from '../failure.ts';
import { printable } from '../printable.ts';
import { UsageError } from '../usage-error.ts';
import { type GatewayClient, openClient } from './client.ts';
import { type Broker, type Credential, readBroker } from './connection.ts';
import { environment } from './environment.ts';
import type { Secret } from './gateway.ts';
import type { GatewayOptions } from './options.ts';
import { requireSecret } from './secret.ts';

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
export async function openUse(options: GatewayOptions, name: string, path: string): Promise<UseTarget> {
  const broker = readBroker(environment());
  const gateway = await openClient(options);
  refusePath(path);
  const secret = await lookUp(gateway, options, name);
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

const idPattern = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;
const placeholderPattern = /^sec_[\da-f]{9}$/;

/** @returns null where the broker itself finds it: an agent that may use secrets need not be able to list them */
async function lookUp(gateway: GatewayClient, { team }: GatewayOptions, name: string): Promise<Secret | null> {
  if (idPattern.test(name)) return null;
  const isPlaceholder = placeholderPattern.test(name);
  // The broker takes it for one of the caller's own.
  if (isPlaceholder && team === undefined) return null;
  try {
    if (!isPlaceholder) return await requireSecret(gateway, name);
    const { nodes } = await gateway.client.secrets({ owner: gateway.owner, filter: { placeholder: name }, first: 1 });
    if (nodes[0]) return nodes[0];
  } catch (error) {
    if (!isGatewayError(error, 'PERMISSION_ERROR')) throw error;
    throw new CommandFailure(
      'Your credential may not look secrets up by their names (scope secrets:read). Give the id of the secret instead, or its placeholder if it is your own.',
    );
  }
  throw new CommandFailure(`There is no secret ${name}.`);
}

/** What to do about a secret that the gateway may send nowhere. */
export function noDestination(shownName: string): CommandFailure {
  return new CommandFailure(
    `${shownName} has no destination: the gateway may send its value nowhere. It is set together with the value: secrets-gateway set NAME --destination https://api.example.com`,
  );
}
