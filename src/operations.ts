import { type CreateApiKeyInput, createApiKey } from './api-keys/create-api-key.ts';
import type { ApiKeyDependencies } from './api-keys/dependencies.ts';
import { type ListApiKeysInput, listApiKeys } from './api-keys/list-api-keys.ts';
import { type RevokeApiKeyInput, revokeApiKey } from './api-keys/revoke-api-key.ts';
import { type RotateApiKeyInput, rotateApiKey } from './api-keys/rotate-api-key.ts';
import { type FollowChangesInput, type FollowDependencies, followChanges } from './audit/follow-changes.ts';
import { type ListAuditEventsInput, listAuditEvents } from './audit/list-events.ts';
import { listProviders } from './broker/providers/list-providers.ts';
import { type UseSecretInput, useSecret } from './broker/use-secret.ts';
import { type ResolveSecretsInput, resolveSecrets } from './delivery/resolve-secrets.ts';
import { authenticated } from './identity/authorize.ts';
import type { Caller } from './model/caller.ts';
import type { Owner } from './model/owner.ts';
import type { Secret } from './model/secret.ts';
import type { UseDependencies } from './secrets/audit-use.ts';
import { type CheckSecretInput, checkSecret } from './secrets/check-secret.ts';
import { countSecrets } from './secrets/count-secrets.ts';
import { type CreateSecretInput, createSecret } from './secrets/create-secret.ts';
import { type CreateSecretsInput, createSecrets } from './secrets/create-secrets.ts';
import { type DeleteSecretInput, deleteSecret } from './secrets/delete-secret.ts';
import type { Dependencies } from './secrets/dependencies.ts';
import { type DuplicateSecretsInput, duplicateSecrets } from './secrets/duplicate-secrets.ts';
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
import { useUrlOf } from './secrets/use-url.ts';

type OperationDependencies = Dependencies & ApiKeyDependencies & FollowDependencies & UseDependencies;

/** Everything that a caller can do, bound to that caller. Each operation authorises itself. */
export class Operations {
  readonly #dependencies: OperationDependencies;
  readonly #caller: Caller;

  constructor(dependencies: OperationDependencies, caller: Caller) {
    this.#dependencies = dependencies;
    this.#caller = caller;
  }

  viewer() {
    return authenticated(this.#caller);
  }

  listSealingKeys() {
    return listSealingKeys(this.#dependencies, this.#caller);
  }

  listProviders() {
    return listProviders(this.#dependencies, this.#caller);
  }

  findSecret(id: string) {
    return findSecret(this.#dependencies, this.#caller, id);
  }

  useUrl(secret: Secret) {
    return useUrlOf(this.#dependencies, secret);
  }

  listSecrets(input: ListSecretsInput) {
    return listSecrets(this.#dependencies, this.#caller, input);
  }

  matchesSecret(input: MatchesSecretInput) {
    return matchesSecret(this.#dependencies, this.#caller, input);
  }

  createSecret(input: CreateSecretInput) {
    return createSecret(this.#dependencies, this.#caller, input);
  }

  createSecrets(input: CreateSecretsInput) {
    return createSecrets(this.#dependencies, this.#caller, input);
  }

  countSecrets(owner: Owner) {
    return countSecrets(this.#dependencies, this.#caller, owner);
  }

  duplicateSecrets(input: DuplicateSecretsInput) {
    return duplicateSecrets(this.#dependencies, this.#caller, input);
  }

  updateSecret(input: UpdateSecretInput) {
    return updateSecret(this.#dependencies, this.#caller, input);
  }

  deleteSecret(input: DeleteSecretInput) {
    return deleteSecret(this.#dependencies, this.#caller, input);
  }

  listVersions(input: ListVersionsInput) {
    return listVersions(this.#dependencies, this.#caller, input);
  }

  rollbackSecret(input: RollbackSecretInput) {
    return rollbackSecret(this.#dependencies, this.#caller, input);
  }

  listDeletedSecrets(input: ListDeletedSecretsInput) {
    return listDeletedSecrets(this.#dependencies, this.#caller, input);
  }

  restoreSecret(input: RestoreSecretInput) {
    return restoreSecret(this.#dependencies, this.#caller, input);
  }

  purgeSecret(input: PurgeSecretInput) {
    return purgeSecret(this.#dependencies, this.#caller, input);
  }

  resolveSecrets(input: ResolveSecretsInput) {
    return resolveSecrets(this.#dependencies, this.#caller, input);
  }

  checkSecret(input: CheckSecretInput) {
    return checkSecret(this.#dependencies, this.#caller, input);
  }

  useSecret(input: UseSecretInput) {
    return useSecret(this.#dependencies, this.#caller, input);
  }

  listAuditEvents(input: ListAuditEventsInput) {
    return listAuditEvents(this.#dependencies, this.#caller, input);
  }

  followChanges(input: FollowChangesInput) {
    return followChanges(this.#dependencies, this.#caller, input);
  }

  listApiKeys(input: ListApiKeysInput) {
    return listApiKeys(this.#dependencies, this.#caller, input);
  }

  createApiKey(input: CreateApiKeyInput) {
    return createApiKey(this.#dependencies, this.#caller, input);
  }

  rotateApiKey(input: RotateApiKeyInput) {
    return rotateApiKey(this.#dependencies, this.#caller, input);
  }

  revokeApiKey(input: RevokeApiKeyInput) {
    return revokeApiKey(this.#dependencies, this.#caller, input);
  }
}
