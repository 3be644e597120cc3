// biome-ignore-all lint/performance/noBarrelFile: what "secrets-gateway/client" exports; bundlers drop what is not used
export type { FollowedChanges, FollowOptions, SecretChange } from './change-operations.ts';
export { type Client, createClient } from './create-client.ts';
export { createRecipient, type RecipientKeys } from './create-recipient.ts';
export type { ResolvedSecret, ResolvedSecrets, WantedSecrets } from './delivery-operations.ts';
export type {
  ActorFieldsFragment as Actor,
  ApiKeyFieldsFragment as ApiKey,
  AuditEventFieldsFragment as AuditEvent,
  AuditFilter,
  BatchItemFieldsFragment as BatchItem,
  CheckResult,
  CheckSecretInput,
  CreateApiKeyInput,
  CreateSecretInput,
  CreateSecretsInput,
  DeleteSecretInput,
  DestinationFieldsFragment as Destination,
  DestinationInput,
  DuplicateSecretsInput,
  HealthFieldsFragment as SecretHealth,
  NewSecretInput,
  OwnerFieldsFragment as Owner,
  OwnerInput,
  PurgeSecretInput,
  ResolveSecretsInput,
  RestoreSecretInput,
  RevokeApiKeyInput,
  RollbackSecretInput,
  RotateApiKeyInput,
  SecretFieldsFragment as Secret,
  SecretFilter,
  SecretVersionFieldsFragment as SecretVersion,
  UpdateSecretInput,
  WrittenSecretFieldsFragment as WrittenSecret,
} from './documents.ts';
export type { ErrorCode } from './error-code.ts';
export { type Answer, type FieldError, GatewayError, isGatewayError } from './gateway-error.ts';
export type { AuditEventPage, DeletedSecretPage, WantedVersions } from './history-operations.ts';
export { DeliveryError, type OpenedDelivery, openDelivery } from './open-delivery.ts';
export type { CallOptions, ClientOptions, Credential } from './request.ts';
export { type SealOptions, sealValue } from './seal-value.ts';
export { type AnySealingKey, chooseSealingKey, type SealingKey } from './sealing-key.ts';
export type {
  AllSecrets,
  CheckedSecretPayload,
  DeletedSecretPayload,
  Provider,
  SecretChanges,
  SecretPage,
  Viewer,
  WrittenSecretPayload,
} from './secret-operations.ts';
export { isTransportError, TransportError, type TransportErrorCode } from './transport-error.ts';
export type { TypedDocument } from './typed-document.ts';
