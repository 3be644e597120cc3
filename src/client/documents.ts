/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { JWK } from 'jose';
import type { TypedDocument } from './typed-document.ts';
/** Which kind of credential somebody uses. A user and an API key are never the same, even if their ids are. */
export type ActorKind =
  /** A machine: an API key. */
  | 'API_KEY'
  /** The gateway itself, or its operator. Nobody calls as it. */
  | 'SYSTEM'
  /** Somebody who signs in: a token. */
  | 'USER';

/** Selects audit events. Every field that is given must match. */
export type AuditFilter = {
  /** By this user or API key: the `id` of `actor`. */
  actor?: string | null | undefined;
  /** Of this secret. */
  secretId?: string | null | undefined;
  /** At this moment or later. */
  since?: string | null | undefined;
  /** Any of these types: `secret.created`, `secret.updated`, `secret.deleted`, `secret.restored`, `secret.purged`, `secret.rolledBack`, `secret.duplicated`, `secret.resolved`, `secret.used`, `secret.checked`, `secret.rejected`, `apiKey.created`, `apiKey.rotated`, `apiKey.revoked`. */
  types?: Array<string> | null | undefined;
  /** Before this moment. */
  until?: string | null | undefined;
};

/** What became of an item; in a dry run, what would become of it. */
export type BatchAction =
  /** It is a new secret. */
  | 'CREATED'
  /** The secret of this name was left as it is. */
  | 'SKIPPED'
  /** The secret of this name is the same already. Told of a value only with the scope `secrets:match`; otherwise UPDATED. */
  | 'UNCHANGED'
  /** The secret of this name was changed. */
  | 'UPDATED';

/** What a provider says about a value. */
export type CheckResult =
  /** The provider has had too many requests. It did not say whether it knows the value. */
  | 'RATE_LIMITED'
  /** The provider refuses the value: it is wrong, was revoked or has expired. */
  | 'REJECTED'
  /** The provider cannot be reached, or has a failure of its own. */
  | 'UNREACHABLE'
  /** The provider cannot be asked about this value, or its answer does not say whether it knows it. The health of the secret stays as it was. */
  | 'UNSUPPORTED'
  /** The provider knows the value. */
  | 'VALID';

/** Which secret to check. */
export type CheckSecretInput = {
  /** The secret’s id. */
  id: string;
  /** A text of your choice for this one request, 1 to 255 characters, such as a UUID. Sent again within 24 hours with the same input, it gets the first result and changes nothing, also where the first answer was lost. */
  idempotencyKey?: string | null | undefined;
};

/** A new API key. */
export type CreateApiKeyInput = {
  /** The one connector of the team that it will act for; without it, the whole team. */
  connectorId?: string | null | undefined;
  /** From when on it is not accepted. Without it, it does not expire. */
  expiresAt?: string | null | undefined;
  /** A text of your choice for this one request, 1 to 255 characters, such as a UUID. Sent again within 24 hours with the same input, it gets the first result and changes nothing, also where the first answer was lost. The key itself is null then. */
  idempotencyKey?: string | null | undefined;
  /** What it is for: 1 to 255 characters in any language. */
  name: string;
  /** What it allows: scopes that you have yourself, except `keys:manage`. */
  scopes: Array<string>;
  /** The team that it will act for. You must be one of its admins. */
  teamId: string;
};

/** A new secret. */
export type CreateSecretInput = {
  /** Where the gateway may send the new value. Give it only together with a value. Left out: the destination of its provider, if the gateway knows one. Null: nowhere. */
  destination?: DestinationInput | null | undefined;
  /** When somebody should replace the value, in the years 1970 to 9999. It is a reminder: nothing happens then. */
  expiresAt?: string | null | undefined;
  /** A UUID of your choice. Without it the server makes one. */
  id?: string | null | undefined;
  /** A text of your choice for this one request, 1 to 255 characters, such as a UUID. Sent again within 24 hours with the same input, it gets the first result and changes nothing, also where the first answer was lost. */
  idempotencyKey?: string | null | undefined;
  /** Unique for the owner. For your own secret an environment variable name, such as `OPENAI_API_KEY`; otherwise 1 to 255 characters in any language. */
  name: string;
  /** At most 4 KiB. */
  notes?: string | null | undefined;
  /** Who will own the secret; you by default. */
  owner?: OwnerInput;
  /** Whose service the value is for, such as `openai`. Required for your own secret. */
  provider?: string | null | undefined;
  /** The value as a compact JWE to one of `sealingKeys`, in place of `value`: nothing between you and the gateway reads it. It is sealed for this name and owner, and works once. */
  sealedValue?: string | null | undefined;
  /** At most 50, of 1 to 64 characters each. */
  tags?: Array<string> | null | undefined;
  /** The value in clear, 1 byte to 64 KiB, kept exactly as sent. Pass it in a variable. The value of a team’s secret may be set later. */
  value?: string | null | undefined;
  /** Asks the provider about the new value before it is written. A value that it refuses is not written: that is an error of the type `rejected_by_provider`. If it cannot tell, the value is written, and `warnings` says why. Needs the scope `secrets:use`, too. Each caller has 30 checks a minute, together with `checkSecret`. False by default. */
  verify?: boolean | null | undefined;
};

/** Many new secrets of one owner. */
export type CreateSecretsInput = {
  /** Checks everything and tells what would be done. Nothing is written, and sealed values are not used up. */
  dryRun?: boolean;
  /** A text of your choice for this one request, 1 to 255 characters, such as a UUID. Sent again within 24 hours with the same input, it gets the first result and changes nothing, also where the first answer was lost. */
  idempotencyKey?: string | null | undefined;
  /** What to do with names that are taken. An UPDATE keeps what an item leaves out; null clears `provider`, `notes` and `expiresAt`. A `destination` that was given must be given again with a new value. */
  onConflict?: OnConflict;
  /** Who will own the secrets; you by default. */
  owner?: OwnerInput;
  /** At most 500. Pass them in a variable. */
  secrets: Array<NewSecretInput>;
};

/** Which secret to delete. */
export type DeleteSecretInput = {
  /** Delete it only if this is still its version. */
  expectedVersion?: number | null | undefined;
  /** The secret’s id. */
  id: string;
  /** A text of your choice for this one request, 1 to 255 characters, such as a UUID. Sent again within 24 hours with the same input, it gets the first result and changes nothing, also where the first answer was lost. */
  idempotencyKey?: string | null | undefined;
};

/** Where the gateway may send a value, and where in the request the value is put. */
export type DestinationInput = {
  /** What the header gets: at most 200 characters of ASCII, with exactly one `{value}`. */
  format?: string;
  /** The header that gets the value. Headers with another meaning, such as `Host` or `Cookie`, are refused. */
  header?: string;
  /** Scheme, host and perhaps port, such as `https://api.example.com`: without a path, a user or a slash at the end. Only `https`; in development also `http` to loopback. */
  origin: string;
  /** Prefixes of the paths that may be requested, at most 20; without them every path. A prefix stands for whole segments: `/v1` allows `/v1` and `/v1/models`, and not `/v10`. */
  paths?: Array<string> | null | undefined;
};

/** Which secrets to copy, from whom and to whom. */
export type DuplicateSecretsInput = {
  /** Checks everything, also that each value opens, and tells what would be done. Nothing is written. */
  dryRun?: boolean;
  /** Whose secrets; your own by default. */
  from?: OwnerInput;
  /** A text of your choice for this one request, 1 to 255 characters, such as a UUID. Sent again within 24 hours with the same input, it gets the first result and changes nothing, also where the first answer was lost. */
  idempotencyKey?: string | null | undefined;
  /** The names of the secrets to copy, at most 500. Without it all of `from` are copied, if there are no more than 500. */
  names?: Array<string> | null | undefined;
  /** What to do with names that `to` has already. An UPDATE sets the value with its destination, provider, notes, tags and `expiresAt`. */
  onConflict?: OnConflict;
  /** Who gets the copies; you by default. Another owner than `from`. */
  to?: OwnerInput;
};

/** How it was found out. */
export type HealthSource =
  /** The provider was asked: `checkSecret` or `verify`. */
  | 'CHECK'
  /** The value was used through the broker, and the status of the answer told. */
  | 'USE';

/** What was last found out about a value. */
export type HealthStatus =
  /** The provider has had too many requests. It did not say whether it knows the value. */
  | 'RATE_LIMITED'
  /** The provider refuses it: it is wrong, was revoked or has expired. */
  | 'REJECTED'
  /** The provider could not be reached, or had a failure of its own. It says nothing about the value. */
  | 'UNREACHABLE'
  /** The provider knows it. */
  | 'VALID';

/** A new secret of a batch. The rules are those of `createSecret`. */
export type NewSecretInput = {
  /** Where the gateway may send the new value. Give it only together with a value. Left out: the destination of its provider, if the gateway knows one. Null: nowhere. */
  destination?: DestinationInput | null | undefined;
  /** When somebody should replace the value. It is a reminder: nothing happens then. */
  expiresAt?: string | null | undefined;
  /** A UUID of your choice. Without it the server makes one. */
  id?: string | null | undefined;
  /** Unique for the owner, and among the items. */
  name: string;
  /** At most 4 KiB. */
  notes?: string | null | undefined;
  /** Whose service the value is for. Required for your own secrets. */
  provider?: string | null | undefined;
  /** The value as a compact JWE to one of `sealingKeys`, in place of `value`, sealed for this name and owner. It works once. */
  sealedValue?: string | null | undefined;
  /** At most 50, of 1 to 64 characters each. */
  tags?: Array<string> | null | undefined;
  /** The value in clear, 1 byte to 64 KiB, kept exactly as sent. */
  value?: string | null | undefined;
};

/** What to do with an item whose name a secret of the owner has already. */
export type OnConflict =
  /** Write nothing at all, and tell of every such item. */
  | 'FAIL'
  /** Leave that secret as it is. */
  | 'SKIP'
  /** Change that secret, as an update does. */
  | 'UPDATE';

/** Whose secrets. Empty: your own, and for an API key those of its team or connector. `teamId`: a team’s. Both: those of a team’s connector. */
export type OwnerInput = {
  /** A connector of that team. */
  connectorId?: string | null | undefined;
  /** A team you are in. */
  teamId?: string | null | undefined;
};

/** Which secret to remove for good. */
export type PurgeSecretInput = {
  /** The secret’s id. It may be deleted, and need not be. */
  id: string;
  /** A text of your choice for this one request, 1 to 255 characters, such as a UUID. Sent again within 24 hours with the same input, it gets the first result and changes nothing, also where the first answer was lost. */
  idempotencyKey?: string | null | undefined;
};

/** Which values to deliver, and to which key. Without `names`, `placeholders` and `ids` all secrets of the owner; an empty list asks for none. At most 1,000 secrets, and 16 MiB of values. */
export type ResolveSecretsInput = {
  /** A text of your choice for this one request, 1 to 255 characters. A delivery is never kept: sent again within 24 hours with the same input, it is delivered and audited again. With another input it is refused. */
  idempotencyKey?: string | null | undefined;
  /** Secrets by their UUIDs, in either case. Those of another owner are `missing`. */
  ids?: Array<string> | null | undefined;
  /** Secrets by their names. */
  names?: Array<string> | null | undefined;
  /** Whose secrets; your own by default. */
  owner?: OwnerInput;
  /** Secrets by their placeholders, such as `sec_a23f23d26`. */
  placeholders?: Array<string> | null | undefined;
  /** What the values are needed for, in 1 to 255 characters. It is kept in the audit events. */
  purpose?: string | null | undefined;
  /** The public key that the values are sealed to, as a JWK: X25519 or P-256. Keep the private key where the values are needed. */
  recipient: JWK;
};

/** Which deleted secret to restore. */
export type RestoreSecretInput = {
  /** The secret’s id. */
  id: string;
  /** A text of your choice for this one request, 1 to 255 characters, such as a UUID. Sent again within 24 hours with the same input, it gets the first result and changes nothing, also where the first answer was lost. */
  idempotencyKey?: string | null | undefined;
};

/** Which API key to end. */
export type RevokeApiKeyInput = {
  /** The id of the key. */
  id: string;
  /** A text of your choice for this one request, 1 to 255 characters, such as a UUID. Sent again within 24 hours with the same input, it gets the first result and changes nothing, also where the first answer was lost. */
  idempotencyKey?: string | null | undefined;
};

/** Which secret gets which of its earlier values again. */
export type RollbackSecretInput = {
  /** Roll it back only if this is still its version. */
  expectedVersion?: number | null | undefined;
  /** The secret’s id. */
  id: string;
  /** A text of your choice for this one request, 1 to 255 characters, such as a UUID. Sent again within 24 hours with the same input, it gets the first result and changes nothing, also where the first answer was lost. */
  idempotencyKey?: string | null | undefined;
  /** A version in which the value was set, as `versions` lists them. The last 10 values are kept. */
  toVersion: number;
};

/** Which API key to replace, and when the old one ends. */
export type RotateApiKeyInput = {
  /** How long the old key is still accepted, so that machines can be given the new one: at most 7 days (604,800). An earlier expiry stays. */
  graceSeconds?: number;
  /** The id of the old key. */
  id: string;
  /** A text of your choice for this one request, 1 to 255 characters, such as a UUID. Sent again within 24 hours with the same input, it gets the first result and changes nothing, also where the first answer was lost. The key itself is null then. */
  idempotencyKey?: string | null | undefined;
};

/** What happened to a secret. */
export type SecretChangeType =
  /** It was created. */
  | 'CREATED'
  /** It was deleted. It can be restored for a while. */
  | 'DELETED'
  /** It was removed for good. */
  | 'PURGED'
  /** Its value does not work any more: the service that it is for refused it. */
  | 'REJECTED'
  /** It was restored after a deletion. */
  | 'RESTORED'
  /** It has a new version: it was updated, or rolled back. */
  | 'UPDATED';

/** Selects secrets of a list. Every field that is given must match. */
export type SecretFilter = {
  /** `expiresAt` is before this moment. A secret without `expiresAt` does not match. */
  expiresBefore?: string | null | undefined;
  /** Whether a value is set. */
  hasValue?: boolean | null | undefined;
  /** The status of `health` is exactly this. A secret whose `health` is null does not match. */
  health?: HealthStatus | null | undefined;
  /** Exactly this name. */
  name?: string | null | undefined;
  /** A name that begins with this text. */
  nameStartsWith?: string | null | undefined;
  /** Last updated before this moment: one that was updated at it does not match. */
  notUpdatedSince?: string | null | undefined;
  /** Last used before this moment, or never: one that was used at it does not match. */
  notUsedSince?: string | null | undefined;
  /** Exactly this placeholder. */
  placeholder?: string | null | undefined;
  /** Exactly this provider. */
  provider?: string | null | undefined;
  /** All of these tags; the secret may have others, too. */
  tags?: Array<string> | null | undefined;
};

/** The role of a team’s member. */
export type TeamRole =
  /** Works with the team’s secrets, and manages the team. */
  | 'ADMIN'
  /** Works with the team’s secrets. */
  | 'MEMBER';

/** Changes to a secret. A field that is left out is kept. */
export type UpdateSecretInput = {
  /** Where the gateway may send the new value. Give it only together with a value. Left out: the destination of its provider, if the gateway knows one. Null: nowhere. One that was given for the present value must be given again. */
  destination?: DestinationInput | null | undefined;
  /** Change it only if this is still its version. */
  expectedVersion?: number | null | undefined;
  /** When somebody should replace the value; null clears it. A new value leaves it as it is. */
  expiresAt?: string | null | undefined;
  /** Which secret. */
  id: string;
  /** A text of your choice for this one request, 1 to 255 characters, such as a UUID. Sent again within 24 hours with the same input, it gets the first result and changes nothing, also where the first answer was lost. */
  idempotencyKey?: string | null | undefined;
  /** A new name. */
  name?: string | null | undefined;
  /** New notes; null clears them. */
  notes?: string | null | undefined;
  /** A new provider; null clears it, except for your own secret. */
  provider?: string | null | undefined;
  /** A new value as a compact JWE to one of `sealingKeys`, in place of `value`. It is sealed for this id and its owner, and works once. */
  sealedValue?: string | null | undefined;
  /** The new tags, all of them; an empty list clears them. */
  tags?: Array<string> | null | undefined;
  /** A new value in clear. Pass it in a variable. A mask is refused. */
  value?: string | null | undefined;
  /** Asks the provider about the new value before it is written. A value that it refuses is not written: that is an error of the type `rejected_by_provider`. If it cannot tell, the value is written, and `warnings` says why. Needs the scope `secrets:use`, too. Each caller has 30 checks a minute, together with `checkSecret`. False by default. */
  verify?: boolean | null | undefined;
};

export type ApiKeysQueryVariables = Exact<{
  teamId: string;
  first?: number | null | undefined;
  after?: string | null | undefined;
}>;


export type ApiKeysQuery = { apiKeys: { totalCount: number, nodes: Array<{ id: string, teamId: string, connectorId: string | null, name: string, prefix: string, scopes: Array<string>, createdAt: string, expiresAt: string | null, lastUsedAt: string | null, revokedAt: string | null, createdBy: { kind: ActorKind, id: string } }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type CreateApiKeyMutationVariables = Exact<{
  input: CreateApiKeyInput;
}>;


export type CreateApiKeyMutation = { createApiKey: { key: string | null, apiKey: { id: string, teamId: string, connectorId: string | null, name: string, prefix: string, scopes: Array<string>, createdAt: string, expiresAt: string | null, lastUsedAt: string | null, revokedAt: string | null, createdBy: { kind: ActorKind, id: string } } } };

export type RotateApiKeyMutationVariables = Exact<{
  input: RotateApiKeyInput;
}>;


export type RotateApiKeyMutation = { rotateApiKey: { key: string | null, apiKey: { id: string, teamId: string, connectorId: string | null, name: string, prefix: string, scopes: Array<string>, createdAt: string, expiresAt: string | null, lastUsedAt: string | null, revokedAt: string | null, createdBy: { kind: ActorKind, id: string } } } };

export type RevokeApiKeyMutationVariables = Exact<{
  input: RevokeApiKeyInput;
}>;


export type RevokeApiKeyMutation = { revokeApiKey: { apiKey: { id: string, teamId: string, connectorId: string | null, name: string, prefix: string, scopes: Array<string>, createdAt: string, expiresAt: string | null, lastUsedAt: string | null, revokedAt: string | null, createdBy: { kind: ActorKind, id: string } } } };

export type CreateSecretsMutationVariables = Exact<{
  input: CreateSecretsInput;
}>;


export type CreateSecretsMutation = { createSecrets: { items: Array<{ index: number, action: BatchAction, secret: { id: string, placeholder: string, name: string, version: number, createdAt: string, updatedAt: string, owner:
          | { __typename: 'Connector', teamId: string, id: string }
          | { __typename: 'Team', id: string }
          | { __typename: 'User', id: string }
         } | null, warnings: Array<{ field: string, type: string, message: string }> }> } };

export type DuplicateSecretsMutationVariables = Exact<{
  input: DuplicateSecretsInput;
}>;


export type DuplicateSecretsMutation = { duplicateSecrets: { items: Array<{ index: number, action: BatchAction, secret: { id: string, placeholder: string, name: string, version: number, createdAt: string, updatedAt: string, owner:
          | { __typename: 'Connector', teamId: string, id: string }
          | { __typename: 'Team', id: string }
          | { __typename: 'User', id: string }
         } | null, warnings: Array<{ field: string, type: string, message: string }> }> } };

export type SecretChangesSubscriptionVariables = Exact<{
  owner?: OwnerInput;
  after?: string | null | undefined;
}>;


export type SecretChangesSubscription = { secretChanged: { type: SecretChangeType, secretId: string, version: number | null, cursor: string, at: string, secret: { id: string, placeholder: string, name: string, provider: string | null, notes: string | null, tags: Array<string>, maskedValue: string | null, useUrl: string | null, version: number, expiresAt: string | null, createdAt: string, updatedAt: string, lastUsedAt: string | null, owner:
        | { __typename: 'Connector', teamId: string, id: string }
        | { __typename: 'Team', id: string }
        | { __typename: 'User', id: string }
      , destination: { origin: string, header: string, format: string, paths: Array<string> | null } | null, health: { status: HealthStatus, checkedAt: string, source: HealthSource } | null } | null } };

export type ResolveSecretsMutationVariables = Exact<{
  input: ResolveSecretsInput;
}>;


export type ResolveSecretsMutation = { resolveSecrets: { missing: Array<string>, deliveries: Array<{ jwe: string, secret: { id: string, placeholder: string, name: string, provider: string | null, notes: string | null, tags: Array<string>, maskedValue: string | null, useUrl: string | null, version: number, expiresAt: string | null, createdAt: string, updatedAt: string, lastUsedAt: string | null, owner:
          | { __typename: 'Connector', teamId: string, id: string }
          | { __typename: 'Team', id: string }
          | { __typename: 'User', id: string }
        , destination: { origin: string, header: string, format: string, paths: Array<string> | null } | null, health: { status: HealthStatus, checkedAt: string, source: HealthSource } | null } }> } };

export type ResolveValuesMutationVariables = Exact<{
  input: ResolveSecretsInput;
}>;


export type ResolveValuesMutation = { resolveSecrets: { deliveries: Array<{ jwe: string, secret: { id: string, placeholder: string, name: string, version: number } }> } };

type OwnerFields_Connector_Fragment = { __typename: 'Connector', teamId: string, id: string };

type OwnerFields_Team_Fragment = { __typename: 'Team', id: string };

type OwnerFields_User_Fragment = { __typename: 'User', id: string };

export type OwnerFieldsFragment =
  | OwnerFields_Connector_Fragment
  | OwnerFields_Team_Fragment
  | OwnerFields_User_Fragment
;

export type ActorFieldsFragment = { kind: ActorKind, id: string };

export type DestinationFieldsFragment = { origin: string, header: string, format: string, paths: Array<string> | null };

export type HealthFieldsFragment = { status: HealthStatus, checkedAt: string, source: HealthSource };

export type SecretFieldsFragment = { id: string, placeholder: string, name: string, provider: string | null, notes: string | null, tags: Array<string>, maskedValue: string | null, useUrl: string | null, version: number, expiresAt: string | null, createdAt: string, updatedAt: string, lastUsedAt: string | null, owner:
    | { __typename: 'Connector', teamId: string, id: string }
    | { __typename: 'Team', id: string }
    | { __typename: 'User', id: string }
  , destination: { origin: string, header: string, format: string, paths: Array<string> | null } | null, health: { status: HealthStatus, checkedAt: string, source: HealthSource } | null };

export type WrittenSecretFieldsFragment = { id: string, placeholder: string, name: string, version: number, createdAt: string, updatedAt: string, owner:
    | { __typename: 'Connector', teamId: string, id: string }
    | { __typename: 'Team', id: string }
    | { __typename: 'User', id: string }
   };

export type BatchItemFieldsFragment = { index: number, action: BatchAction, secret: { id: string, placeholder: string, name: string, version: number, createdAt: string, updatedAt: string, owner:
      | { __typename: 'Connector', teamId: string, id: string }
      | { __typename: 'Team', id: string }
      | { __typename: 'User', id: string }
     } | null, warnings: Array<{ field: string, type: string, message: string }> };

export type WarningFieldsFragment = { field: string, type: string, message: string };

export type ApiKeyFieldsFragment = { id: string, teamId: string, connectorId: string | null, name: string, prefix: string, scopes: Array<string>, createdAt: string, expiresAt: string | null, lastUsedAt: string | null, revokedAt: string | null, createdBy: { kind: ActorKind, id: string } };

export type SecretVersionFieldsFragment = { version: number, maskedValue: string | null, createdAt: string, current: boolean, destination: { origin: string, header: string, format: string, paths: Array<string> | null } | null, actor: { kind: ActorKind, id: string } };

export type AuditEventFieldsFragment = { sequence: number, type: string, requestId: string, at: string, secretId: string | null, secretName: string | null, apiKeyId: string | null, version: number | null, purpose: string | null, method: string | null, origin: string | null, hash: string, actor: { kind: ActorKind, id: string } };

export type SecretVersionsQueryVariables = Exact<{
  id: string;
  first?: number | null | undefined;
  before?: number | null | undefined;
}>;


export type SecretVersionsQuery = { secret: { versions: Array<{ version: number, maskedValue: string | null, createdAt: string, current: boolean, destination: { origin: string, header: string, format: string, paths: Array<string> | null } | null, actor: { kind: ActorKind, id: string } }> } | null };

export type DeletedSecretsQueryVariables = Exact<{
  owner?: OwnerInput;
  first?: number | null | undefined;
  after?: string | null | undefined;
}>;


export type DeletedSecretsQuery = { deletedSecrets: { totalCount: number, nodes: Array<{ id: string, placeholder: string, name: string, provider: string | null, notes: string | null, tags: Array<string>, maskedValue: string | null, useUrl: string | null, version: number, expiresAt: string | null, createdAt: string, updatedAt: string, lastUsedAt: string | null, owner:
        | { __typename: 'Connector', teamId: string, id: string }
        | { __typename: 'Team', id: string }
        | { __typename: 'User', id: string }
      , destination: { origin: string, header: string, format: string, paths: Array<string> | null } | null, health: { status: HealthStatus, checkedAt: string, source: HealthSource } | null }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type AuditEventsQueryVariables = Exact<{
  owner?: OwnerInput;
  filter?: AuditFilter | null | undefined;
  first?: number | null | undefined;
  after?: string | null | undefined;
  last?: number | null | undefined;
  before?: string | null | undefined;
}>;


export type AuditEventsQuery = { auditEvents: { nodes: Array<{ sequence: number, type: string, requestId: string, at: string, secretId: string | null, secretName: string | null, apiKeyId: string | null, version: number | null, purpose: string | null, method: string | null, origin: string | null, hash: string, actor: { kind: ActorKind, id: string } }>, pageInfo: { hasNextPage: boolean, hasPreviousPage: boolean, startCursor: string | null, endCursor: string | null } } };

export type RollbackSecretMutationVariables = Exact<{
  input: RollbackSecretInput;
}>;


export type RollbackSecretMutation = { rollbackSecret: { secret: { id: string, placeholder: string, name: string, version: number, createdAt: string, updatedAt: string, owner:
        | { __typename: 'Connector', teamId: string, id: string }
        | { __typename: 'Team', id: string }
        | { __typename: 'User', id: string }
       } } };

export type RestoreSecretMutationVariables = Exact<{
  input: RestoreSecretInput;
}>;


export type RestoreSecretMutation = { restoreSecret: { secret: { id: string, placeholder: string, name: string, version: number, createdAt: string, updatedAt: string, owner:
        | { __typename: 'Connector', teamId: string, id: string }
        | { __typename: 'Team', id: string }
        | { __typename: 'User', id: string }
       } } };

export type PurgeSecretMutationVariables = Exact<{
  input: PurgeSecretInput;
}>;


export type PurgeSecretMutation = { purgeSecret: { id: string } };

export type ViewerQueryVariables = Exact<{ [key: string]: never; }>;


export type ViewerQuery = { viewer: { kind: ActorKind, subject: string, scopes: Array<string>, teams: Array<{ id: string, role: TeamRole }> } };

export type SecretQueryVariables = Exact<{
  id: string;
}>;


export type SecretQuery = { secret: { id: string, placeholder: string, name: string, provider: string | null, notes: string | null, tags: Array<string>, maskedValue: string | null, useUrl: string | null, version: number, expiresAt: string | null, createdAt: string, updatedAt: string, lastUsedAt: string | null, owner:
      | { __typename: 'Connector', teamId: string, id: string }
      | { __typename: 'Team', id: string }
      | { __typename: 'User', id: string }
    , destination: { origin: string, header: string, format: string, paths: Array<string> | null } | null, health: { status: HealthStatus, checkedAt: string, source: HealthSource } | null } | null };

export type SecretsQueryVariables = Exact<{
  owner?: OwnerInput;
  filter?: SecretFilter | null | undefined;
  first?: number | null | undefined;
  after?: string | null | undefined;
  last?: number | null | undefined;
  before?: string | null | undefined;
}>;


export type SecretsQuery = { secrets: { totalCount: number, nodes: Array<{ id: string, placeholder: string, name: string, provider: string | null, notes: string | null, tags: Array<string>, maskedValue: string | null, useUrl: string | null, version: number, expiresAt: string | null, createdAt: string, updatedAt: string, lastUsedAt: string | null, owner:
        | { __typename: 'Connector', teamId: string, id: string }
        | { __typename: 'Team', id: string }
        | { __typename: 'User', id: string }
      , destination: { origin: string, header: string, format: string, paths: Array<string> | null } | null, health: { status: HealthStatus, checkedAt: string, source: HealthSource } | null }>, pageInfo: { hasNextPage: boolean, hasPreviousPage: boolean, startCursor: string | null, endCursor: string | null } } };

export type CreateSecretMutationVariables = Exact<{
  input: CreateSecretInput;
}>;


export type CreateSecretMutation = { createSecret: { secret: { id: string, placeholder: string, name: string, version: number, createdAt: string, updatedAt: string, owner:
        | { __typename: 'Connector', teamId: string, id: string }
        | { __typename: 'Team', id: string }
        | { __typename: 'User', id: string }
       }, warnings: Array<{ field: string, type: string, message: string }> } };

export type UpdateSecretMutationVariables = Exact<{
  input: UpdateSecretInput;
}>;


export type UpdateSecretMutation = { updateSecret: { secret: { id: string, placeholder: string, name: string, version: number, createdAt: string, updatedAt: string, owner:
        | { __typename: 'Connector', teamId: string, id: string }
        | { __typename: 'Team', id: string }
        | { __typename: 'User', id: string }
       }, warnings: Array<{ field: string, type: string, message: string }> } };

export type DeleteSecretMutationVariables = Exact<{
  input: DeleteSecretInput;
}>;


export type DeleteSecretMutation = { deleteSecret: { id: string, secret: { id: string, placeholder: string, name: string, version: number, createdAt: string, updatedAt: string, owner:
        | { __typename: 'Connector', teamId: string, id: string }
        | { __typename: 'Team', id: string }
        | { __typename: 'User', id: string }
       } } };

export type CheckSecretMutationVariables = Exact<{
  input: CheckSecretInput;
}>;


export type CheckSecretMutation = { checkSecret: { result: CheckResult, secret: { id: string, placeholder: string, name: string, version: number, createdAt: string, updatedAt: string, owner:
        | { __typename: 'Connector', teamId: string, id: string }
        | { __typename: 'Team', id: string }
        | { __typename: 'User', id: string }
       } } };

export type ProvidersQueryVariables = Exact<{ [key: string]: never; }>;


export type ProvidersQuery = { providers: Array<{ id: string, title: string, checkable: boolean, destination: { origin: string, header: string, format: string, paths: Array<string> | null } }> };

export type SealingKeysQueryVariables = Exact<{ [key: string]: never; }>;


export type SealingKeysQuery = { sealingKeys: Array<{ kid: string, alg: string, jwk: JWK }> };

export type SealingQueryVariables = Exact<{ [key: string]: never; }>;


export type SealingQuery = { viewer: { subject: string }, sealingKeys: Array<{ kid: string, alg: string, jwk: JWK }> };

export type SecretOwnerQueryVariables = Exact<{
  id: string;
}>;


export type SecretOwnerQuery = { secret: { owner:
      | { __typename: 'Connector', teamId: string, id: string }
      | { __typename: 'Team', id: string }
      | { __typename: 'User', id: string }
     } | null };

export type MatchesSecretQueryVariables = Exact<{
  owner?: OwnerInput;
  value?: string | null | undefined;
  sealedValue?: string | null | undefined;
}>;


export type MatchesSecretQuery = { matchesSecret: Array<{ id: string, placeholder: string, name: string, provider: string | null, notes: string | null, tags: Array<string>, maskedValue: string | null, useUrl: string | null, version: number, expiresAt: string | null, createdAt: string, updatedAt: string, lastUsedAt: string | null, owner:
      | { __typename: 'Connector', teamId: string, id: string }
      | { __typename: 'Team', id: string }
      | { __typename: 'User', id: string }
    , destination: { origin: string, header: string, format: string, paths: Array<string> | null } | null, health: { status: HealthStatus, checkedAt: string, source: HealthSource } | null }> };

export const ApiKeysDocument: TypedDocument<ApiKeysQuery, ApiKeysQueryVariables> =
  'query ApiKeys($teamId:ID!$first:Int$after:String){apiKeys(teamId:$teamId first:$first after:$after){totalCount nodes{...ApiKeyFields}pageInfo{hasNextPage endCursor}}}fragment ApiKeyFields on ApiKey{id teamId connectorId name prefix scopes createdAt createdBy{...ActorFields}expiresAt lastUsedAt revokedAt}fragment ActorFields on Actor{kind id}';

export const CreateApiKeyDocument: TypedDocument<CreateApiKeyMutation, CreateApiKeyMutationVariables> =
  'mutation CreateApiKey($input:CreateApiKeyInput!){createApiKey(input:$input){apiKey{...ApiKeyFields}key}}fragment ApiKeyFields on ApiKey{id teamId connectorId name prefix scopes createdAt createdBy{...ActorFields}expiresAt lastUsedAt revokedAt}fragment ActorFields on Actor{kind id}';

export const RotateApiKeyDocument: TypedDocument<RotateApiKeyMutation, RotateApiKeyMutationVariables> =
  'mutation RotateApiKey($input:RotateApiKeyInput!){rotateApiKey(input:$input){apiKey{...ApiKeyFields}key}}fragment ApiKeyFields on ApiKey{id teamId connectorId name prefix scopes createdAt createdBy{...ActorFields}expiresAt lastUsedAt revokedAt}fragment ActorFields on Actor{kind id}';

export const RevokeApiKeyDocument: TypedDocument<RevokeApiKeyMutation, RevokeApiKeyMutationVariables> =
  'mutation RevokeApiKey($input:RevokeApiKeyInput!){revokeApiKey(input:$input){apiKey{...ApiKeyFields}}}fragment ApiKeyFields on ApiKey{id teamId connectorId name prefix scopes createdAt createdBy{...ActorFields}expiresAt lastUsedAt revokedAt}fragment ActorFields on Actor{kind id}';

export const CreateSecretsDocument: TypedDocument<CreateSecretsMutation, CreateSecretsMutationVariables> =
  'mutation CreateSecrets($input:CreateSecretsInput!){createSecrets(input:$input){items{...BatchItemFields}}}fragment BatchItemFields on BatchItem{index action secret{...WrittenSecretFields}warnings{...WarningFields}}fragment WrittenSecretFields on Secret{id placeholder name owner{...OwnerFields}version createdAt updatedAt}fragment OwnerFields on SecretOwner{__typename ...on User{id}...on Team{id}...on Connector{teamId id}}fragment WarningFields on InputWarning{field type message}';

export const DuplicateSecretsDocument: TypedDocument<DuplicateSecretsMutation, DuplicateSecretsMutationVariables> =
  'mutation DuplicateSecrets($input:DuplicateSecretsInput!){duplicateSecrets(input:$input){items{...BatchItemFields}}}fragment BatchItemFields on BatchItem{index action secret{...WrittenSecretFields}warnings{...WarningFields}}fragment WrittenSecretFields on Secret{id placeholder name owner{...OwnerFields}version createdAt updatedAt}fragment OwnerFields on SecretOwner{__typename ...on User{id}...on Team{id}...on Connector{teamId id}}fragment WarningFields on InputWarning{field type message}';

export const SecretChangesDocument: TypedDocument<SecretChangesSubscription, SecretChangesSubscriptionVariables> =
  'subscription SecretChanges($owner:OwnerInput!={}$after:String){secretChanged(owner:$owner after:$after){type secretId version secret{...SecretFields}cursor at}}fragment SecretFields on Secret{id placeholder name owner{...OwnerFields}provider notes tags maskedValue destination{...DestinationFields}useUrl version expiresAt createdAt updatedAt lastUsedAt health{...HealthFields}}fragment OwnerFields on SecretOwner{__typename ...on User{id}...on Team{id}...on Connector{teamId id}}fragment DestinationFields on Destination{origin header format paths}fragment HealthFields on SecretHealth{status checkedAt source}';

export const ResolveSecretsDocument: TypedDocument<ResolveSecretsMutation, ResolveSecretsMutationVariables> =
  'mutation ResolveSecrets($input:ResolveSecretsInput!){resolveSecrets(input:$input){deliveries{secret{...SecretFields}jwe}missing}}fragment SecretFields on Secret{id placeholder name owner{...OwnerFields}provider notes tags maskedValue destination{...DestinationFields}useUrl version expiresAt createdAt updatedAt lastUsedAt health{...HealthFields}}fragment OwnerFields on SecretOwner{__typename ...on User{id}...on Team{id}...on Connector{teamId id}}fragment DestinationFields on Destination{origin header format paths}fragment HealthFields on SecretHealth{status checkedAt source}';

export const ResolveValuesDocument: TypedDocument<ResolveValuesMutation, ResolveValuesMutationVariables> =
  'mutation ResolveValues($input:ResolveSecretsInput!){resolveSecrets(input:$input){deliveries{secret{id placeholder name version}jwe}}}';

export const SecretVersionsDocument: TypedDocument<SecretVersionsQuery, SecretVersionsQueryVariables> =
  'query SecretVersions($id:ID!$first:Int$before:Int){secret(id:$id){versions(first:$first before:$before){...SecretVersionFields}}}fragment SecretVersionFields on SecretVersion{version maskedValue destination{...DestinationFields}createdAt actor{...ActorFields}current}fragment DestinationFields on Destination{origin header format paths}fragment ActorFields on Actor{kind id}';

export const DeletedSecretsDocument: TypedDocument<DeletedSecretsQuery, DeletedSecretsQueryVariables> =
  'query DeletedSecrets($owner:OwnerInput!={}$first:Int$after:String){deletedSecrets(owner:$owner first:$first after:$after){totalCount nodes{...SecretFields}pageInfo{hasNextPage endCursor}}}fragment SecretFields on Secret{id placeholder name owner{...OwnerFields}provider notes tags maskedValue destination{...DestinationFields}useUrl version expiresAt createdAt updatedAt lastUsedAt health{...HealthFields}}fragment OwnerFields on SecretOwner{__typename ...on User{id}...on Team{id}...on Connector{teamId id}}fragment DestinationFields on Destination{origin header format paths}fragment HealthFields on SecretHealth{status checkedAt source}';

export const AuditEventsDocument: TypedDocument<AuditEventsQuery, AuditEventsQueryVariables> =
  'query AuditEvents($owner:OwnerInput!={}$filter:AuditFilter$first:Int$after:String$last:Int$before:String){auditEvents(owner:$owner filter:$filter first:$first after:$after last:$last before:$before){nodes{...AuditEventFields}pageInfo{hasNextPage hasPreviousPage startCursor endCursor}}}fragment AuditEventFields on AuditEvent{sequence type actor{...ActorFields}requestId at secretId secretName apiKeyId version purpose method origin hash}fragment ActorFields on Actor{kind id}';

export const RollbackSecretDocument: TypedDocument<RollbackSecretMutation, RollbackSecretMutationVariables> =
  'mutation RollbackSecret($input:RollbackSecretInput!){rollbackSecret(input:$input){secret{...WrittenSecretFields}}}fragment WrittenSecretFields on Secret{id placeholder name owner{...OwnerFields}version createdAt updatedAt}fragment OwnerFields on SecretOwner{__typename ...on User{id}...on Team{id}...on Connector{teamId id}}';

export const RestoreSecretDocument: TypedDocument<RestoreSecretMutation, RestoreSecretMutationVariables> =
  'mutation RestoreSecret($input:RestoreSecretInput!){restoreSecret(input:$input){secret{...WrittenSecretFields}}}fragment WrittenSecretFields on Secret{id placeholder name owner{...OwnerFields}version createdAt updatedAt}fragment OwnerFields on SecretOwner{__typename ...on User{id}...on Team{id}...on Connector{teamId id}}';

export const PurgeSecretDocument: TypedDocument<PurgeSecretMutation, PurgeSecretMutationVariables> =
  'mutation PurgeSecret($input:PurgeSecretInput!){purgeSecret(input:$input){id}}';

export const ViewerDocument: TypedDocument<ViewerQuery, ViewerQueryVariables> =
  'query Viewer{viewer{kind subject scopes teams{id role}}}';

export const SecretDocument: TypedDocument<SecretQuery, SecretQueryVariables> =
  'query Secret($id:ID!){secret(id:$id){...SecretFields}}fragment SecretFields on Secret{id placeholder name owner{...OwnerFields}provider notes tags maskedValue destination{...DestinationFields}useUrl version expiresAt createdAt updatedAt lastUsedAt health{...HealthFields}}fragment OwnerFields on SecretOwner{__typename ...on User{id}...on Team{id}...on Connector{teamId id}}fragment DestinationFields on Destination{origin header format paths}fragment HealthFields on SecretHealth{status checkedAt source}';

export const SecretsDocument: TypedDocument<SecretsQuery, SecretsQueryVariables> =
  'query Secrets($owner:OwnerInput!={}$filter:SecretFilter$first:Int$after:String$last:Int$before:String){secrets(owner:$owner filter:$filter first:$first after:$after last:$last before:$before){totalCount nodes{...SecretFields}pageInfo{hasNextPage hasPreviousPage startCursor endCursor}}}fragment SecretFields on Secret{id placeholder name owner{...OwnerFields}provider notes tags maskedValue destination{...DestinationFields}useUrl version expiresAt createdAt updatedAt lastUsedAt health{...HealthFields}}fragment OwnerFields on SecretOwner{__typename ...on User{id}...on Team{id}...on Connector{teamId id}}fragment DestinationFields on Destination{origin header format paths}fragment HealthFields on SecretHealth{status checkedAt source}';

export const CreateSecretDocument: TypedDocument<CreateSecretMutation, CreateSecretMutationVariables> =
  'mutation CreateSecret($input:CreateSecretInput!){createSecret(input:$input){secret{...WrittenSecretFields}warnings{...WarningFields}}}fragment WrittenSecretFields on Secret{id placeholder name owner{...OwnerFields}version createdAt updatedAt}fragment OwnerFields on SecretOwner{__typename ...on User{id}...on Team{id}...on Connector{teamId id}}fragment WarningFields on InputWarning{field type message}';

export const UpdateSecretDocument: TypedDocument<UpdateSecretMutation, UpdateSecretMutationVariables> =
  'mutation UpdateSecret($input:UpdateSecretInput!){updateSecret(input:$input){secret{...WrittenSecretFields}warnings{...WarningFields}}}fragment WrittenSecretFields on Secret{id placeholder name owner{...OwnerFields}version createdAt updatedAt}fragment OwnerFields on SecretOwner{__typename ...on User{id}...on Team{id}...on Connector{teamId id}}fragment WarningFields on InputWarning{field type message}';

export const DeleteSecretDocument: TypedDocument<DeleteSecretMutation, DeleteSecretMutationVariables> =
  'mutation DeleteSecret($input:DeleteSecretInput!){deleteSecret(input:$input){id secret{...WrittenSecretFields}}}fragment WrittenSecretFields on Secret{id placeholder name owner{...OwnerFields}version createdAt updatedAt}fragment OwnerFields on SecretOwner{__typename ...on User{id}...on Team{id}...on Connector{teamId id}}';

export const CheckSecretDocument: TypedDocument<CheckSecretMutation, CheckSecretMutationVariables> =
  'mutation CheckSecret($input:CheckSecretInput!){checkSecret(input:$input){result secret{...WrittenSecretFields}}}fragment WrittenSecretFields on Secret{id placeholder name owner{...OwnerFields}version createdAt updatedAt}fragment OwnerFields on SecretOwner{__typename ...on User{id}...on Team{id}...on Connector{teamId id}}';

export const ProvidersDocument: TypedDocument<ProvidersQuery, ProvidersQueryVariables> =
  'query Providers{providers{id title destination{...DestinationFields}checkable}}fragment DestinationFields on Destination{origin header format paths}';

export const SealingKeysDocument: TypedDocument<SealingKeysQuery, SealingKeysQueryVariables> =
  'query SealingKeys{sealingKeys{kid alg jwk}}';

export const SealingDocument: TypedDocument<SealingQuery, SealingQueryVariables> =
  'query Sealing{viewer{subject}sealingKeys{kid alg jwk}}';

export const SecretOwnerDocument: TypedDocument<SecretOwnerQuery, SecretOwnerQueryVariables> =
  'query SecretOwner($id:ID!){secret(id:$id){owner{...OwnerFields}}}fragment OwnerFields on SecretOwner{__typename ...on User{id}...on Team{id}...on Connector{teamId id}}';

export const MatchesSecretDocument: TypedDocument<MatchesSecretQuery, MatchesSecretQueryVariables> =
  'query MatchesSecret($owner:OwnerInput!={}$value:String$sealedValue:String){matchesSecret(owner:$owner value:$value sealedValue:$sealedValue){...SecretFields}}fragment SecretFields on Secret{id placeholder name owner{...OwnerFields}provider notes tags maskedValue destination{...DestinationFields}useUrl version expiresAt createdAt updatedAt lastUsedAt health{...HealthFields}}fragment OwnerFields on SecretOwner{__typename ...on User{id}...on Team{id}...on Connector{teamId id}}fragment DestinationFields on Destination{origin header format paths}fragment HealthFields on SecretHealth{status checkedAt source}';