import { createRecipient } from './create-recipient.ts';
import {
  ResolveSecretsDocument,
  type ResolveSecretsInput,
  type ResolveSecretsMutation,
  type SecretFieldsFragment,
} from './documents.ts';
import { DeliveryError, openDelivery } from './open-delivery.ts';
import type { CallOptions, Request } from './request.ts';

/** Which values. Without names, placeholders and ids, all of the owner's; an empty list asks for none. */
export type WantedSecrets = Omit<ResolveSecretsInput, 'recipient'>;

export interface ResolvedSecrets {
  /** In the order of their names. */
  readonly secrets: ResolvedSecret[];
  /** What was asked for and is not there or has no value. */
  readonly missing: string[];
}

/** A secret as it was delivered, with its value. */
export interface ResolvedSecret extends SecretFieldsFragment {
  readonly value: string;
}

/** For credentials with the scope `secrets:resolve`. */
export function deliveryOperations(request: Request) {
  /** Delivers values to a recipient of yours; `openDelivery` opens them. */
  async function resolveSecrets(
    input: ResolveSecretsInput,
    options?: CallOptions,
  ): Promise<ResolveSecretsMutation['resolveSecrets']> {
    return (await request(ResolveSecretsDocument, { input }, options)).resolveSecrets;
  }

  /**
   * Values, delivered to a key that exists for this call: `const { secrets } = await client.resolve({ names: ['A'] })`
   * @throws DeliveryError when one of the deliveries does not open; then none is returned
   */
  async function resolve(wanted: WantedSecrets = {}, options?: CallOptions): Promise<ResolvedSecrets> {
    const { publicJwk, privateKey } = await createRecipient();
    const { deliveries, missing } = await resolveSecrets({ ...wanted, recipient: publicJwk }, options);
    const secrets = deliveries.map(async ({ secret, jwe }) => {
      const { value, secretId, version } = await openDelivery(jwe, privateKey);
      // One delivery must not be taken for another.
      if (secretId !== secret.id || version !== secret.version) {
        throw new DeliveryError('This is the delivery of another secret, or of another version of it.');
      }
      return { ...secret, value };
    });
    return { secrets: await Promise.all(secrets), missing };
  }

  return { resolveSecrets, resolve };
}
