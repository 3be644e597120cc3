import { isGatewayError } from '../../client/gateway-error.ts';
import { CommandFailure } from '../failure.ts';
import type { GatewayClient } from './client.ts';
import type { Secret } from './gateway.ts';
import { requireSecret } from './secret.ts';

const id = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;
const placeholder = /^sec_[\da-f]{9}$/;

/** Whether a secret is named by its placeholder. A name of that form is taken for one. */
export function isPlaceholder(name: string): boolean {
  return placeholder.test(name);
}

/**
 * A secret of the owner by its name or its placeholder.
 * @returns null for an id, with which nothing need be looked up: an agent that may use secrets need not be able to list them
 * @throws CommandFailure where there is none, or the credential may not look it up
 */
export async function selectSecret(gateway: GatewayClient, name: string): Promise<Secret | null> {
  if (id.test(name)) return null;
  try {
    if (!isPlaceholder(name)) return await requireSecret(gateway, name);
    const { nodes } = await gateway.client.secrets({ owner: gateway.owner, filter: { placeholder: name }, first: 1 });
    if (nodes[0]) return nodes[0];
  } catch (error) {
    if (!isGatewayError(error, 'PERMISSION_ERROR')) throw error;
    throw new CommandFailure(
      'The credential may not look secrets up (scope secrets:read). Give the id of the secret: for it secrets:use is enough.',
    );
  }
  throw new CommandFailure(`There is no secret ${name}.`);
}
