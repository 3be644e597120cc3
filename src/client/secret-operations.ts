import {
  CheckSecretDocument,
  type CheckSecretInput,
  type CheckSecretMutation,
  CreateSecretDocument,
  type CreateSecretInput,
  type CreateSecretMutation,
  DeleteSecretDocument,
  type DeleteSecretInput,
  type DeleteSecretMutation,
  MatchesSecretDocument,
  type MatchesSecretQueryVariables,
  type OwnerFieldsFragment,
  type OwnerInput,
  ProvidersDocument,
  type ProvidersQuery,
  SealingKeysDocument,
  SecretDocument,
  type SecretFieldsFragment,
  type SecretFilter,
  SecretOwnerDocument,
  SecretsDocument,
  type SecretsQuery,
  type SecretsQueryVariables,
  UpdateSecretDocument,
  type UpdateSecretInput,
  ViewerDocument,
  type ViewerQuery,
} from './documents.ts';
import type { CallOptions, Request } from './request.ts';
import { Sealer } from './sealer.ts';
import type { SealingKey } from './sealing-key.ts';

export interface AllSecrets {
  /** Whose secrets; your own by default. */
  readonly owner?: OwnerInput | undefined;
  readonly filter?: SecretFilter | undefined;
  /** How many are asked for at once: at most 1,000; 100 by default. */
  readonly pageSize?: number | undefined;
}

export type Viewer = ViewerQuery['viewer'];
export type Provider = ProvidersQuery['providers'][number];
export type SecretPage = SecretsQuery['secrets'];
/** The secret as credentials may see it that only write, and what looks like a mistake in its value. */
export type WrittenSecretPayload = CreateSecretMutation['createSecret'];
/** What the provider says about the value, and the secret as credentials may see it that only use it. */
export type CheckedSecretPayload = CheckSecretMutation['checkSecret'];
export type DeletedSecretPayload = DeleteSecretMutation['deleteSecret'];

/** Changes to a secret, and whose it is. */
export interface SecretChanges extends UpdateSecretInput {
  /**
   * Whose secret it is: a new value is sealed for its owner. Without it the client asks for the owner first, which needs
   * the scope `secrets:read`.
   */
  readonly owner?: OwnerInput | undefined;
}

export function secretOperations(request: Request, sealer = new Sealer(request)) {
  /** One page of an owner's secrets, in the order of their names. */
  async function secrets(page: SecretsQueryVariables = {}, options?: CallOptions): Promise<SecretPage> {
    return (await request(SecretsDocument, page, options)).secrets;
  }

  /** All of an owner's secrets, page by page: `for await (const secret of client.allSecrets()) …` */
  async function* allSecrets(
    { owner = {}, filter, pageSize }: AllSecrets = {},
    options?: CallOptions,
  ): AsyncGenerator<SecretFieldsFragment, void> {
    let after: string | null | undefined;
    do {
      const { nodes, pageInfo } = await secrets({ owner, filter, first: pageSize, after }, options);
      yield* nodes;
      after = pageInfo.hasNextPage ? pageInfo.endCursor : null;
    } while (after != null);
  }

  /** Of a secret that is not there: whatever it is, the gateway says that the secret is not found. */
  async function ownerOf(id: string, options?: CallOptions): Promise<OwnerInput> {
    const { secret } = await request(SecretOwnerDocument, { id }, options);
    return secret ? inputOf(secret.owner) : {};
  }

  return {
    secrets,
    allSecrets,

    /** Who you are for the gateway. */
    async viewer(options?: CallOptions): Promise<Viewer> {
      return (await request(ViewerDocument, {}, options)).viewer;
    },

    /** A secret by its id; null when there is none, or none that you may see. */
    async secret(id: string, options?: CallOptions): Promise<SecretFieldsFragment | null> {
      return (await request(SecretDocument, { id }, options)).secret;
    },

    /** Creates a secret. Its `value` is sealed here, so that nothing between here and the gateway can read it. */
    async createSecret(input: CreateSecretInput, options?: CallOptions): Promise<WrittenSecretPayload> {
      const { owner, name } = input;
      const send = async (sealed: CreateSecretInput) =>
        (await request(CreateSecretDocument, { input: sealed }, options)).createSecret;
      return sealer.send(input, { owner, name }, send, options);
    },

    /** Changes a secret. Its new `value` is sealed here, too. */
    async updateSecret(changes: SecretChanges, options?: CallOptions): Promise<WrittenSecretPayload> {
      const { owner: given, ...input } = changes;
      const { id, value } = input;
      const owner = given ?? (value == null ? {} : await ownerOf(id, options));
      const send = async (sealed: UpdateSecretInput) =>
        (await request(UpdateSecretDocument, { input: sealed }, options)).updateSecret;
      return sealer.send(input, { owner, id }, send, options);
    },

    /** Asks the provider of a secret whether it knows the value. It needs `secrets:use`; the value stays where it is. */
    async checkSecret(input: CheckSecretInput, options?: CallOptions): Promise<CheckedSecretPayload> {
      return (await request(CheckSecretDocument, { input }, options)).checkSecret;
    },

    /** Which secrets of an owner have this value. It is sealed here, too. */
    async matchesSecret(asked: MatchesSecretQueryVariables, options?: CallOptions): Promise<SecretFieldsFragment[]> {
      const send = async (sealed: MatchesSecretQueryVariables) =>
        (await request(MatchesSecretDocument, sealed, options)).matchesSecret;
      return sealer.send(asked, { owner: asked.owner, use: 'match' }, send, options);
    },

    /** The providers that the gateway knows, and where it may send their keys. */
    async providers(options?: CallOptions): Promise<Provider[]> {
      return (await request(ProvidersDocument, {}, options)).providers;
    },

    /** The keys that values are sealed to. */
    async sealingKeys(options?: CallOptions): Promise<SealingKey[]> {
      return (await request(SealingKeysDocument, {}, options)).sealingKeys;
    },

    async deleteSecret(input: DeleteSecretInput, options?: CallOptions): Promise<DeletedSecretPayload> {
      return (await request(DeleteSecretDocument, { input }, options)).deleteSecret;
    },
  };
}

function inputOf(owner: OwnerFieldsFragment): OwnerInput {
  if (owner.__typename === 'User') return {};
  if (owner.__typename === 'Team') return { teamId: owner.id };
  return { teamId: owner.teamId, connectorId: owner.id };
}
