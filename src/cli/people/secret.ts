import type { SecretFilter } from '../../client/documents.ts';
import { didYouMean, nearestWords } from '../../runtime/spelling.ts';
import { CommandFailure } from '../failure.ts';
import { printable } from '../printable.ts';
import type { GatewayClient } from './client.ts';
import type { Secret } from './gateway.ts';

/** All secrets of the owner, or those that match, in the order of their names. */
export async function allSecrets({ client, owner }: GatewayClient, filter: SecretFilter = {}): Promise<Secret[]> {
  const all: Secret[] = [];
  for await (const secret of client.allSecrets({ owner, filter, pageSize: 1000 })) all.push(secret);
  return all;
}

export async function findSecret({ client, owner }: GatewayClient, name: string): Promise<Secret | null> {
  const { nodes } = await client.secrets({ owner, filter: { name: name.normalize('NFC') }, first: 1 });
  return nodes[0] ?? null;
}

/** @throws CommandFailure with names that are nearly the same */
export async function requireSecret(gateway: GatewayClient, name: string): Promise<Secret> {
  const found = await findSecret(gateway, name);
  if (found) return found;
  const names = (await allSecrets(gateway)).map((secret) => secret.name);
  const near = nearestWords(name, names).slice(0, 3).map(printable);
  throw new CommandFailure(`There is no secret ${printable(name)}.${didYouMean(near)}`);
}
