import { randomUUID } from 'node:crypto';
import type { CheckResult } from '../../client/documents.ts';
import { type CheckedSecretPayload, secretOperations } from '../../client/secret-operations.ts';
import { printable } from '../printable.ts';
import type { GatewayClient } from './client.ts';
import { patient } from './patient-request.ts';
import { allSecrets } from './secret.ts';
import { selectSecret } from './select-secret.ts';

/** A secret that is to be checked. */
interface ToCheck {
  readonly id: string;
}

/**
 * So often a gateway checks secrets for one caller. Only the message below is made from it, before the first check: how long a call
 * over the limit waits, the gateway says.
 */
const checksPerMinute = 30;

/** All of them are found before the first is checked. */
export async function namedSecrets(gateway: GatewayClient, names: readonly string[]): Promise<ToCheck[]> {
  const ids = new Set<string>();
  for (const name of names) ids.add((await selectSecret(gateway, name))?.id ?? name.toLowerCase());
  return [...ids].map((id) => ({ id }));
}

/** Those of the owner whose destination is that of a provider which can be asked: of the others the result is known. */
export async function checkableSecrets(gateway: GatewayClient): Promise<ToCheck[]> {
  const providers = (await gateway.client.providers()).filter(({ checkable }) => checkable);
  const origins = new Set(providers.map(({ destination }) => destination.origin));
  const secrets = await allSecrets(gateway, { hasValue: true });
  return secrets.filter(({ destination }) => destination !== null && origins.has(destination.origin));
}

const words: Readonly<Record<CheckResult, string>> = {
  VALID: 'its provider knows it.',
  REJECTED: 'its provider refuses it. It is wrong, was revoked or has expired.',
  RATE_LIMITED: 'its provider has had too many requests, and did not say. Check it later.',
  UNREACHABLE: 'its provider cannot be reached, or has a failure of its own. Check it later.',
  UNSUPPORTED: 'its provider cannot be asked about it, or did not say whether it knows it.',
};

/**
 * Checks one after the other, and prints each result when it is there; as JSON, all of them at the end.
 * @returns whether every one is VALID
 */
export async function checkSecrets(
  gateway: GatewayClient,
  secrets: readonly ToCheck[],
  json: boolean,
): Promise<boolean> {
  if (secrets.length > checksPerMinute) {
    const minutes = Math.ceil(secrets.length / checksPerMinute);
    process.stderr.write(
      `${secrets.length} secrets: the gateway checks ${checksPerMinute} in a minute. This takes up to ${minutes} minutes.\n`,
    );
  }
  // Who checks one sees at once what is wrong.
  const client = secrets.length > 1 ? secretOperations(patient(gateway.request)) : gateway.client;
  const checked: object[] = [];
  let isEachValid = true;
  try {
    for (const { id } of secrets) {
      const payload = await client.checkSecret({ id, idempotencyKey: randomUUID() });
      isEachValid &&= payload.result === 'VALID';
      if (json) checked.push(forMachines(payload));
      else process.stdout.write(`${printable(payload.secret.name)}: ${payload.result}, ${words[payload.result]}\n`);
    }
  } finally {
    if (json) {
      const { printableJson } = await import('./json.ts');
      process.stdout.write(printableJson(checked));
    } else if (secrets.length === 0) process.stderr.write('There is no secret that can be checked.\n');
  }
  return isEachValid;
}

function forMachines({ secret: { id, placeholder, name, version }, result }: CheckedSecretPayload) {
  return { id, placeholder, name, version, result };
}
