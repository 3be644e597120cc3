import { exportJWK, generateKeyPair, type JWK } from 'jose';
import { createRecipient } from '../../src/client/create-recipient.ts';
import { openDelivery } from '../../src/client/open-delivery.ts';
import type { GraphQLAnswer, RequestOptions, TestGateway } from './gateway.ts';

/** Resolves secrets. @param fields of each secret @param beside other fields of the payload */
export function resolveSecrets(fields = 'id name version', beside = 'missing'): string {
  return `mutation ($input: ResolveSecretsInput!) {
    resolveSecrets(input: $input) { deliveries { secret { ${fields} } jwe } ${beside} }
  }`;
}

export const curves = ['X25519', 'P-256'] as const;
export type Curve = (typeof curves)[number];

export interface TestRecipient {
  readonly publicJwk: JWK;
  readonly privateKey: CryptoKey;
}

export async function newRecipient(crv?: Curve): Promise<TestRecipient> {
  if (crv === undefined) return createRecipient();
  const { publicKey, privateKey } = await generateKeyPair('ECDH-ES+A256KW', { crv });
  return { publicJwk: await exportJWK(publicKey), privateKey };
}

/** Who may only resolve. */
export function resolver(gateway: TestGateway, claims: Record<string, unknown> = {}): Promise<string> {
  return gateway.issuer.token({ scope: 'secrets:resolve', ...claims });
}

export async function resolve(
  gateway: TestGateway,
  input: Record<string, unknown>,
  { recipient, ...options }: RequestOptions & { recipient?: TestRecipient; fields?: string } = {},
): Promise<GraphQLAnswer> {
  const token = options.headers ? null : await resolver(gateway);
  const publicJwk = (recipient ?? (await newRecipient())).publicJwk;
  return gateway.run(
    resolveSecrets(options.fields),
    { input: { recipient: publicJwk, ...input } },
    { token, ...options },
  );
}

/** The delivered values by the secrets' names. */
export async function opened(answer: GraphQLAnswer, { privateKey }: TestRecipient): Promise<Record<string, string>> {
  const values: Record<string, string> = {};
  for (const { secret, jwe } of answer.data.resolveSecrets.deliveries) {
    values[secret.name] = (await openDelivery(jwe, privateKey)).value;
  }
  return values;
}
