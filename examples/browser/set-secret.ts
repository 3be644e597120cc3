import { type Client, chooseSealingKey, sealValue } from 'secrets-gateway/client';

export interface Wanted {
  readonly name: string;
  readonly provider: string;
  readonly value: string;
  /** Which of the gateway's keys to seal to. */
  readonly curve: string;
}

/**
 * Creates the caller's secret of this name, or gives it a new value. The value is sealed here, and is in no request.
 * The client also seals the `value` of createSecret and updateSecret by itself; this shows how.
 * @throws GatewayError when the gateway refuses
 */
export async function setSecret(client: Client, { name, provider, value, curve }: Wanted) {
  const [{ subject }, sealingKeys, { nodes }] = await Promise.all([
    client.viewer(),
    client.sealingKeys(),
    client.secrets({ filter: { name } }),
  ]);
  const sealingKey = await chooseSealingKey(sealingKeys.filter(({ jwk }) => jwk.crv === curve));
  const id = nodes[0]?.id;
  const sealedValue = await sealValue(value, { sealingKey, subject, ...(id ? { id } : { name }) });
  const { secret } = id
    ? await client.updateSecret({ id, sealedValue })
    : await client.createSecret({ name, provider, sealedValue });
  return { sealedValue, secret: await client.secret(secret.id) };
}
