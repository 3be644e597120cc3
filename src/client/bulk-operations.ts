import {
  type BatchItemFieldsFragment,
  CreateSecretsDocument,
  type CreateSecretsInput,
  DuplicateSecretsDocument,
  type DuplicateSecretsInput,
} from './documents.ts';
import type { CallOptions, Request } from './request.ts';
import type { Sealer } from './sealer.ts';

/** Many secrets in one call. */
export function bulkOperations(request: Request, sealer: Sealer) {
  return {
    /** Creates up to 500 secrets of one owner, all or none. Each `value` is sealed here. Returns what became of each. */
    async createSecrets(input: CreateSecretsInput, options?: CallOptions): Promise<BatchItemFieldsFragment[]> {
      const { owner, secrets } = input;
      const send = async (sealed: CreateSecretsInput['secrets']) =>
        (await request(CreateSecretsDocument, { input: { ...input, secrets: sealed } }, options)).createSecrets.items;
      return sealer.sendAll(secrets, ({ name }) => ({ owner, name }), send, options);
    },

    /** Copies secrets to another owner, all or none. Nobody sees a value. Returns what became of each. */
    async duplicateSecrets(input: DuplicateSecretsInput, options?: CallOptions): Promise<BatchItemFieldsFragment[]> {
      return (await request(DuplicateSecretsDocument, { input }, options)).duplicateSecrets.items;
    },
  };
}
