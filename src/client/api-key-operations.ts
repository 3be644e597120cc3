import {
  type ApiKeyFieldsFragment,
  ApiKeysDocument,
  type ApiKeysQuery,
  type ApiKeysQueryVariables,
  CreateApiKeyDocument,
  type CreateApiKeyInput,
  type CreateApiKeyMutation,
  RevokeApiKeyDocument,
  type RevokeApiKeyInput,
  RotateApiKeyDocument,
  type RotateApiKeyInput,
  type RotateApiKeyMutation,
} from './documents.ts';
import type { CallOptions, Request } from './request.ts';

/** For admins of a team, with the scope `keys:manage`. */
export function apiKeyOperations(request: Request) {
  return {
    /** One page of a team's API keys, in the order of their names. */
    async apiKeys(page: ApiKeysQueryVariables, options?: CallOptions): Promise<ApiKeysQuery['apiKeys']> {
      return (await request(ApiKeysDocument, page, options)).apiKeys;
    },

    /** Makes an API key. Its `key` is shown this once. */
    async createApiKey(input: CreateApiKeyInput, options?: CallOptions): Promise<CreateApiKeyMutation['createApiKey']> {
      return (await request(CreateApiKeyDocument, { input }, options)).createApiKey;
    },

    /** Replaces an API key by a new one with the same rights and expiry. Its `key` is shown this once. */
    async rotateApiKey(input: RotateApiKeyInput, options?: CallOptions): Promise<RotateApiKeyMutation['rotateApiKey']> {
      return (await request(RotateApiKeyDocument, { input }, options)).rotateApiKey;
    },

    /** Ends an API key for good. */
    async revokeApiKey(input: RevokeApiKeyInput, options?: CallOptions): Promise<ApiKeyFieldsFragment> {
      return (await request(RevokeApiKeyDocument, { input }, options)).revokeApiKey.apiKey;
    },
  };
}
