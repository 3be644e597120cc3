import {
  AuditEventsDocument,
  type AuditEventsQuery,
  type AuditEventsQueryVariables,
  DeletedSecretsDocument,
  type DeletedSecretsQuery,
  type DeletedSecretsQueryVariables,
  PurgeSecretDocument,
  type PurgeSecretInput,
  RestoreSecretDocument,
  type RestoreSecretInput,
  RollbackSecretDocument,
  type RollbackSecretInput,
  type SecretVersionFieldsFragment,
  SecretVersionsDocument,
  type SecretVersionsQueryVariables,
  type WrittenSecretFieldsFragment,
} from './documents.ts';
import type { CallOptions, Request } from './request.ts';

/** Which versions; all that are kept by default. */
export type WantedVersions = Omit<SecretVersionsQueryVariables, 'id'>;
export type DeletedSecretPage = DeletedSecretsQuery['deletedSecrets'];
export type AuditEventPage = AuditEventsQuery['auditEvents'];

/** What secrets were, and what was done to them. */
export function historyOperations(request: Request) {
  return {
    /** The values that a secret has and had, newest first, as masks; null when there is no such secret, or none that you may see. */
    async versions(
      id: string,
      wanted: WantedVersions = {},
      options?: CallOptions,
    ): Promise<SecretVersionFieldsFragment[] | null> {
      return (await request(SecretVersionsDocument, { id, ...wanted }, options)).secret?.versions ?? null;
    },

    /** Gives a secret one of its earlier values again. */
    async rollbackSecret(input: RollbackSecretInput, options?: CallOptions): Promise<WrittenSecretFieldsFragment> {
      return (await request(RollbackSecretDocument, { input }, options)).rollbackSecret.secret;
    },

    /** One page of an owner's deleted secrets that can still be restored, in the order of their names. */
    async deletedSecrets(page: DeletedSecretsQueryVariables = {}, options?: CallOptions): Promise<DeletedSecretPage> {
      return (await request(DeletedSecretsDocument, page, options)).deletedSecrets;
    },

    /** Brings a deleted secret back. */
    async restoreSecret(input: RestoreSecretInput, options?: CallOptions): Promise<WrittenSecretFieldsFragment> {
      return (await request(RestoreSecretDocument, { input }, options)).restoreSecret.secret;
    },

    /** Removes a secret with all its values at once and for good, whether it was deleted or not. It needs `keys:manage`. */
    async purgeSecret(input: PurgeSecretInput, options?: CallOptions): Promise<{ id: string }> {
      return (await request(PurgeSecretDocument, { input }, options)).purgeSecret;
    },

    /** One page of what was done to an owner's secrets and API keys, in the order of `sequence`. */
    async auditEvents(page: AuditEventsQueryVariables = {}, options?: CallOptions): Promise<AuditEventPage> {
      return (await request(AuditEventsDocument, page, options)).auditEvents;
    },
  };
}
