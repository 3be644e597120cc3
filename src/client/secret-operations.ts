import {
  CreateSecretDocument,
  type CreateSecretInput,
  type CreateSecretMutation,
  DeleteSecretDocument,
  type DeleteSecretInput,
  type DeleteSecretMutation,
  type OwnerInput,
  SecretDocument,
  type SecretFieldsFragment,
  type SecretFilter,
  SecretsDocument,
  type SecretsQuery,
  type SecretsQueryVariables,
  UpdateSecretDocument,
  type UpdateSecretInput,
  type UpdateSecretMutation,
  ViewerDocument,
  type ViewerQuery,
} from './documents.ts';
import type { CallOptions, Request } from './request.ts';

export interface AllSecrets {
  /** Whose secrets; your own by default. */
  readonly owner?: OwnerInput | undefined;
  readonly filter?: SecretFilter | undefined;
  /** How many are asked for at once: at most 1,000; 100 by default. */
  readonly pageSize?: number | undefined;
}

export function secretOperations(request: Request) {
  /** One page of an owner's secrets, in the order of their names. */
  async function secrets(page: SecretsQueryVariables = {}, options?: CallOptions): Promise<SecretsQuery['secrets']> {
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

  return {
    secrets,
    allSecrets,

    /** Who you are for the gateway. */
    async viewer(options?: CallOptions): Promise<ViewerQuery['viewer']> {
      return (await request(ViewerDocument, {}, options)).viewer;
    },

    /** A secret by its id; null when there is none, or none that you may see. */
    async secret(id: string, options?: CallOptions): Promise<SecretFieldsFragment | null> {
      return (await request(SecretDocument, { id }, options)).secret;
    },

    async createSecret(input: CreateSecretInput, options?: CallOptions): Promise<CreateSecretMutation['createSecret']> {
      return (await request(CreateSecretDocument, { input }, options)).createSecret;
    },

    async updateSecret(input: UpdateSecretInput, options?: CallOptions): Promise<UpdateSecretMutation['updateSecret']> {
      return (await request(UpdateSecretDocument, { input }, options)).updateSecret;
    },

    async deleteSecret(input: DeleteSecretInput, options?: CallOptions): Promise<DeleteSecretMutation['deleteSecret']> {
      return (await request(DeleteSecretDocument, { input }, options)).deleteSecret;
    },
  };
}
