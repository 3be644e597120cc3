/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
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

/** Whose secrets. Empty: your own, and for an API key those of its team or connector. `teamId`: a team’s. Both: those of a team’s connector. */
export type OwnerInput = {
  /** A connector of that team. */
  connectorId?: string | null | undefined;
  /** A team you are in. */
  teamId?: string | null | undefined;
};

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

export type CreateConnectorSecretMutationVariables = Exact<{
  teamId: string;
  connectorId: string;
  name: string;
  value: string;
}>;


export type CreateConnectorSecretMutation = { createSecret: { secret: { id: string, placeholder: string, name: string }, secrets: { totalCount: number, nodes: Array<{ placeholder: string, name: string }> } | null } };

export type ConnectorSecretsQueryVariables = Exact<{
  teamId: string;
  connectorId: string;
  first?: number | null | undefined;
  after?: string | null | undefined;
}>;


export type ConnectorSecretsQuery = { secrets: { totalCount: number, nodes: Array<{ placeholder: string, name: string }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type ReplaceConnectorSecretMutationVariables = Exact<{
  id: string;
  value: string;
}>;


export type ReplaceConnectorSecretMutation = { updateSecret: { secret: { placeholder: string, name: string, version: number } } };

export type CreateControllerSecretMutationVariables = Exact<{
  input: CreateSecretInput;
}>;


export type CreateControllerSecretMutation = { createSecret: { secret: { id: string, name: string, notes: string | null, tags: Array<string>, maskedValue: string | null, version: number, createdAt: string, updatedAt: string } } };

export type ControllerSecretsQueryVariables = Exact<{
  teamId: string;
  filter?: SecretFilter | null | undefined;
}>;


export type ControllerSecretsQuery = { secrets: { totalCount: number, nodes: Array<{ id: string, name: string, notes: string | null, tags: Array<string>, maskedValue: string | null, version: number, createdAt: string, updatedAt: string }> } };

export type UpdateControllerSecretMutationVariables = Exact<{
  input: UpdateSecretInput;
}>;


export type UpdateControllerSecretMutation = { updateSecret: { secret: { id: string, name: string, notes: string | null, tags: Array<string>, maskedValue: string | null, version: number, createdAt: string, updatedAt: string } } };

export type ControllerSecretFragment = { id: string, name: string, notes: string | null, tags: Array<string>, maskedValue: string | null, version: number, createdAt: string, updatedAt: string };

export type DeleteSecretMutationVariables = Exact<{
  id: string;
}>;


export type DeleteSecretMutation = { deleteSecret: { id: string } };

export type KeysToLookAtQueryVariables = Exact<{
  owner: OwnerInput;
  unusedSince: string;
  dueBefore: string;
  first?: number | null | undefined;
}>;


export type KeysToLookAtQuery = { dead: { totalCount: number, nodes: Array<{ id: string, name: string, lastUsedAt: string | null, expiresAt: string | null, health: { status: HealthStatus, checkedAt: string, source: HealthSource } | null }> }, unused: { totalCount: number, nodes: Array<{ id: string, name: string, lastUsedAt: string | null, expiresAt: string | null, health: { status: HealthStatus, checkedAt: string, source: HealthSource } | null }> }, due: { totalCount: number, nodes: Array<{ id: string, name: string, lastUsedAt: string | null, expiresAt: string | null, health: { status: HealthStatus, checkedAt: string, source: HealthSource } | null }> } };

export type KeysOfAListFragment = { totalCount: number, nodes: Array<{ id: string, name: string, lastUsedAt: string | null, expiresAt: string | null, health: { status: HealthStatus, checkedAt: string, source: HealthSource } | null }> };

export type CreateProviderSecretMutationVariables = Exact<{
  name: string;
  provider: string;
  value: string;
}>;


export type CreateProviderSecretMutation = { createSecret: { secret: { id: string, name: string, provider: string | null, maskedValue: string | null, createdAt: string, updatedAt: string } } };

export type ProviderSecretsQueryVariables = Exact<{
  filter?: SecretFilter | null | undefined;
}>;


export type ProviderSecretsQuery = { secrets: { totalCount: number, nodes: Array<{ id: string, name: string, provider: string | null, maskedValue: string | null, createdAt: string, updatedAt: string }> } };

export type ReplaceProviderSecretMutationVariables = Exact<{
  id: string;
  value: string;
}>;


export type ReplaceProviderSecretMutation = { updateSecret: { secret: { id: string, name: string, provider: string | null, maskedValue: string | null, createdAt: string, updatedAt: string } } };

export type ProviderSecretFragment = { id: string, name: string, provider: string | null, maskedValue: string | null, createdAt: string, updatedAt: string };

export type ViewerQueryVariables = Exact<{ [key: string]: never; }>;


export type ViewerQuery = { viewer: { subject: string, scopes: Array<string>, teams: Array<{ id: string, role: TeamRole }> } };

export class TypedDocumentString<TResult, TVariables>
  extends String
  implements DocumentTypeDecoration<TResult, TVariables>
{
  __apiType?: NonNullable<DocumentTypeDecoration<TResult, TVariables>['__apiType']>;
  private value: string;
  public __meta__?: Record<string, any> | undefined;

  constructor(value: string, __meta__?: Record<string, any> | undefined) {
    super(value);
    this.value = value;
    this.__meta__ = __meta__;
  }

  override toString(): string & DocumentTypeDecoration<TResult, TVariables> {
    return this.value;
  }
}
export const ControllerSecretFragmentDoc = new TypedDocumentString(`
    fragment ControllerSecret on Secret {
  id
  name
  notes
  tags
  maskedValue
  version
  createdAt
  updatedAt
}
    `, {"fragmentName":"ControllerSecret"}) as unknown as TypedDocumentString<ControllerSecretFragment, unknown>;
export const KeysOfAListFragmentDoc = new TypedDocumentString(`
    fragment KeysOfAList on SecretConnection {
  totalCount
  nodes {
    id
    name
    lastUsedAt
    expiresAt
    health {
      status
      checkedAt
      source
    }
  }
}
    `, {"fragmentName":"KeysOfAList"}) as unknown as TypedDocumentString<KeysOfAListFragment, unknown>;
export const ProviderSecretFragmentDoc = new TypedDocumentString(`
    fragment ProviderSecret on Secret {
  id
  name
  provider
  maskedValue
  createdAt
  updatedAt
}
    `, {"fragmentName":"ProviderSecret"}) as unknown as TypedDocumentString<ProviderSecretFragment, unknown>;
export const CreateConnectorSecretDocument = new TypedDocumentString(`
    mutation CreateConnectorSecret($teamId: ID!, $connectorId: ID!, $name: String!, $value: String!) {
  createSecret(
    input: {owner: {teamId: $teamId, connectorId: $connectorId}, name: $name, value: $value}
  ) {
    secret {
      id
      placeholder
      name
    }
    secrets {
      totalCount
      nodes {
        placeholder
        name
      }
    }
  }
}
    `) as unknown as TypedDocumentString<CreateConnectorSecretMutation, CreateConnectorSecretMutationVariables>;
export const ConnectorSecretsDocument = new TypedDocumentString(`
    query ConnectorSecrets($teamId: ID!, $connectorId: ID!, $first: Int, $after: String) {
  secrets(
    owner: {teamId: $teamId, connectorId: $connectorId}
    first: $first
    after: $after
  ) {
    totalCount
    nodes {
      placeholder
      name
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
    `) as unknown as TypedDocumentString<ConnectorSecretsQuery, ConnectorSecretsQueryVariables>;
export const ReplaceConnectorSecretDocument = new TypedDocumentString(`
    mutation ReplaceConnectorSecret($id: ID!, $value: String!) {
  updateSecret(input: {id: $id, value: $value}) {
    secret {
      placeholder
      name
      version
    }
  }
}
    `) as unknown as TypedDocumentString<ReplaceConnectorSecretMutation, ReplaceConnectorSecretMutationVariables>;
export const CreateControllerSecretDocument = new TypedDocumentString(`
    mutation CreateControllerSecret($input: CreateSecretInput!) {
  createSecret(input: $input) {
    secret {
      ...ControllerSecret
    }
  }
}
    fragment ControllerSecret on Secret {
  id
  name
  notes
  tags
  maskedValue
  version
  createdAt
  updatedAt
}`) as unknown as TypedDocumentString<CreateControllerSecretMutation, CreateControllerSecretMutationVariables>;
export const ControllerSecretsDocument = new TypedDocumentString(`
    query ControllerSecrets($teamId: ID!, $filter: SecretFilter) {
  secrets(owner: {teamId: $teamId}, filter: $filter) {
    totalCount
    nodes {
      ...ControllerSecret
    }
  }
}
    fragment ControllerSecret on Secret {
  id
  name
  notes
  tags
  maskedValue
  version
  createdAt
  updatedAt
}`) as unknown as TypedDocumentString<ControllerSecretsQuery, ControllerSecretsQueryVariables>;
export const UpdateControllerSecretDocument = new TypedDocumentString(`
    mutation UpdateControllerSecret($input: UpdateSecretInput!) {
  updateSecret(input: $input) {
    secret {
      ...ControllerSecret
    }
  }
}
    fragment ControllerSecret on Secret {
  id
  name
  notes
  tags
  maskedValue
  version
  createdAt
  updatedAt
}`) as unknown as TypedDocumentString<UpdateControllerSecretMutation, UpdateControllerSecretMutationVariables>;
export const DeleteSecretDocument = new TypedDocumentString(`
    mutation DeleteSecret($id: ID!) {
  deleteSecret(input: {id: $id}) {
    id
  }
}
    `) as unknown as TypedDocumentString<DeleteSecretMutation, DeleteSecretMutationVariables>;
export const KeysToLookAtDocument = new TypedDocumentString(`
    query KeysToLookAt($owner: OwnerInput!, $unusedSince: DateTime!, $dueBefore: DateTime!, $first: Int) {
  dead: secrets(owner: $owner, filter: {health: REJECTED}, first: $first) {
    ...KeysOfAList
  }
  unused: secrets(
    owner: $owner
    filter: {notUsedSince: $unusedSince}
    first: $first
  ) {
    ...KeysOfAList
  }
  due: secrets(owner: $owner, filter: {expiresBefore: $dueBefore}, first: $first) {
    ...KeysOfAList
  }
}
    fragment KeysOfAList on SecretConnection {
  totalCount
  nodes {
    id
    name
    lastUsedAt
    expiresAt
    health {
      status
      checkedAt
      source
    }
  }
}`) as unknown as TypedDocumentString<KeysToLookAtQuery, KeysToLookAtQueryVariables>;
export const CreateProviderSecretDocument = new TypedDocumentString(`
    mutation CreateProviderSecret($name: String!, $provider: String!, $value: String!) {
  createSecret(input: {name: $name, provider: $provider, value: $value}) {
    secret {
      ...ProviderSecret
    }
  }
}
    fragment ProviderSecret on Secret {
  id
  name
  provider
  maskedValue
  createdAt
  updatedAt
}`) as unknown as TypedDocumentString<CreateProviderSecretMutation, CreateProviderSecretMutationVariables>;
export const ProviderSecretsDocument = new TypedDocumentString(`
    query ProviderSecrets($filter: SecretFilter) {
  secrets(filter: $filter) {
    totalCount
    nodes {
      ...ProviderSecret
    }
  }
}
    fragment ProviderSecret on Secret {
  id
  name
  provider
  maskedValue
  createdAt
  updatedAt
}`) as unknown as TypedDocumentString<ProviderSecretsQuery, ProviderSecretsQueryVariables>;
export const ReplaceProviderSecretDocument = new TypedDocumentString(`
    mutation ReplaceProviderSecret($id: ID!, $value: String!) {
  updateSecret(input: {id: $id, value: $value}) {
    secret {
      ...ProviderSecret
    }
  }
}
    fragment ProviderSecret on Secret {
  id
  name
  provider
  maskedValue
  createdAt
  updatedAt
}`) as unknown as TypedDocumentString<ReplaceProviderSecretMutation, ReplaceProviderSecretMutationVariables>;
export const ViewerDocument = new TypedDocumentString(`
    query Viewer {
  viewer {
    subject
    scopes
    teams {
      id
      role
    }
  }
}
    `) as unknown as TypedDocumentString<ViewerQuery, ViewerQueryVariables>;