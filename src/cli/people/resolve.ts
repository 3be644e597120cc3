import { type ResolveSecretsInput, ResolveValuesDocument, type ResolveValuesMutation } from '../../client/documents.ts';
import { createDeliveryKey, openDelivery } from '../../crypto/open-delivery.ts';
import { CommandFailure } from '../failure.ts';
import type { Gateway } from './gateway.ts';

/** A secret as it was delivered, with its value. */
export type ResolvedSecret = DeliveredSecret & { readonly value: string };

type DeliveredSecret = ResolveValuesMutation['resolveSecrets']['deliveries'][number]['secret'];

/**
 * Values of the owner's secrets, delivered to a key that exists for this call. What is not there or has no value is left out.
 * @throws CommandFailure when one of the deliveries does not open; then none is returned
 */
export async function resolve(
  { request, owner }: Gateway,
  wanted: Omit<ResolveSecretsInput, 'recipient' | 'owner'>,
): Promise<ResolvedSecret[]> {
  const { publicJwk, privateKey } = createDeliveryKey();
  const { resolveSecrets } = await request(ResolveValuesDocument, {
    input: { ...wanted, owner, recipient: publicJwk },
  });
  return resolveSecrets.deliveries.map(({ secret, jwe }) => {
    const opened = openDelivery(jwe, privateKey);
    // One delivery must not be taken for another.
    if (opened?.secretId !== secret.id || opened.version !== secret.version) {
      throw new CommandFailure('A delivery does not open: it was changed on its way. Nothing was done.');
    }
    return { ...secret, value: opened.value };
  });
}
