import { type CreateApiKeyInput, createApiKey } from './api-keys/create-api-key.ts';
import type { ApiKeyDependencies } from './api-keys/dependencies.ts';
import { type ListApiKeysInput, listApiKeys } from './api-keys/list-api-keys.ts';
import { type RevokeApiKeyInput, revokeApiKey } from './api-keys/revoke-api-key.ts';
import { type RotateApiKeyInput, rotateApiKey } from './api-keys/rotate-api-key.ts';
import { type FollowChangesInput, type FollowDependencies, followChanges } from './audit/follow-changes.ts';
import { type ListAuditEventsInput, listAuditEvents } from './audit/list-events.ts';
import { type DeliveryDependencies, type ResolveSecretsInput, resolveSecrets } from './delivery/resolve-secrets.ts';
import { authenticated } from './identity/authorize.ts';
import type { Caller } from './model/caller.ts';
import { type CreateSecretInput, createSecret } from './secrets/create-secret.ts';
import { type DeleteSecretInput, deleteSecret } from './secrets/delete-secret.ts';
import { findSecret } from './secrets/find-secret.ts';
import { type ListDeletedSecretsInput, listDeletedSecrets } from './secrets/list-deleted-secrets.ts';
import { listSealingKeys } from './secrets/list-sealing-keys.ts';
import { type ListSecretsInput, listSecrets } from './secrets/list-secrets.ts';
import { type ListVersionsInput, listVersions } from './secrets/list-versions.ts';
import { type MatchesSecretInput, matchesSecret } from './secrets/matches-secret.ts';
import { type PurgeSecretInput, purgeSecret } from './secrets/purge-secret.ts';
import { type RestoreSecretInput, restoreSecret } from './secrets/restore-secret.ts';
import { type RollbackSecretInput, rollbackSecret } from './secrets/rollback-secret.ts';
import { type UpdateSecretInput, updateSecret } from './secrets/update-secret.ts';

/** Everything that a caller can do, bound to that caller. Each operation authorises itself. */
export function bindOperations(
  dependencies: DeliveryDependencies & ApiKeyDependencies & FollowDependencies,
  caller: Caller,
) {
  return {
    viewer: () => authenticated(caller),
    listSealingKeys: () => listSealingKeys(dependencies, caller),
    findSecret: (id: string) => findSecret(dependencies, caller, id),
    listSecrets: (input: ListSecretsInput) => listSecrets(dependencies, caller, input),
    matchesSecret: (input: MatchesSecretInput) => matchesSecret(dependencies, caller, input),
    createSecret: (input: CreateSecretInput) => createSecret(dependencies, caller, input),
    updateSecret: (input: UpdateSecretInput) => updateSecret(dependencies, caller, input),
    deleteSecret: (input: DeleteSecretInput) => deleteSecret(dependencies, caller, input),
    listVersions: (input: ListVersionsInput) => listVersions(dependencies, caller, input),
    rollbackSecret: (input: RollbackSecretInput) => rollbackSecret(dependencies, caller, input),
    listDeletedSecrets: (input: ListDeletedSecretsInput) => listDeletedSecrets(dependencies, caller, input),
    restoreSecret: (input: RestoreSecretInput) => restoreSecret(dependencies, caller, input),
    purgeSecret: (input: PurgeSecretInput) => purgeSecret(dependencies, caller, input),
    resolveSecrets: (input: ResolveSecretsInput) => resolveSecrets(dependencies, caller, input),
    listAuditEvents: (input: ListAuditEventsInput) => listAuditEvents(dependencies, caller, input),
    followChanges: (input: FollowChangesInput) => followChanges(dependencies, caller, input),
    listApiKeys: (input: ListApiKeysInput) => listApiKeys(dependencies, caller, input),
    createApiKey: (input: CreateApiKeyInput) => createApiKey(dependencies, caller, input),
    rotateApiKey: (input: RotateApiKeyInput) => rotateApiKey(dependencies, caller, input),
    revokeApiKey: (input: RevokeApiKeyInput) => revokeApiKey(dependencies, caller, input),
  };
}

export type Operations = ReturnType<typeof bindOperations>;
