import { authenticated } from './identity/authorize.ts';
import type { Caller } from './model/caller.ts';
import { type CreateSecretInput, createSecret } from './secrets/create-secret.ts';
import { type DeleteSecretInput, deleteSecret } from './secrets/delete-secret.ts';
import type { Dependencies } from './secrets/dependencies.ts';
import { findSecret } from './secrets/find-secret.ts';
import { type ListSecretsInput, listSecrets } from './secrets/list-secrets.ts';
import { type UpdateSecretInput, updateSecret } from './secrets/update-secret.ts';

/** Everything that a caller can do, bound to that caller. Each operation authorises itself. */
export function bindOperations(dependencies: Dependencies, caller: Caller) {
  return {
    viewer: () => authenticated(caller),
    findSecret: (id: string) => findSecret(dependencies, caller, id),
    listSecrets: (input: ListSecretsInput) => listSecrets(dependencies, caller, input),
    createSecret: (input: CreateSecretInput) => createSecret(dependencies, caller, input),
    updateSecret: (input: UpdateSecretInput) => updateSecret(dependencies, caller, input),
    deleteSecret: (input: DeleteSecretInput) => deleteSecret(dependencies, caller, input),
  };
}

export type Operations = ReturnType<typeof bindOperations>;
