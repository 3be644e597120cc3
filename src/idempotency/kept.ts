import { DomainError } from '../errors.ts';
import { authorizeManagingKeys, mayReach, requireScope } from '../identity/authorize.ts';
import type { ApiKey } from '../model/api-key.ts';
import type { Batch } from '../model/batch.ts';
import type { Caller } from '../model/caller.ts';
import type { Owner } from '../model/owner.ts';
import type { Principal } from '../model/principal.ts';
import type { Secret, WrittenSecret } from '../model/secret.ts';
import type { CheckResult } from '../model/secret-health.ts';

/** What is kept of the result of a mutation, and who may have it again. */
export interface Kept<T> {
  readonly secretIdOf: (result: T) => string | null;
  /** Named fields only: a spread would also keep what else an object happens to hold. */
  readonly keep: (result: T) => object;
  /** The result as it was, from what was kept. */
  readonly read: (kept: never, secrets: readonly (Secret | null)[]) => T;
  /** Where it tells of many secrets: each is kept by itself, so that the purge of one leaves the others. One that was purged is null. */
  readonly secrets?: {
    readonly of: (result: T) => readonly Secret[];
    readonly count: (kept: never) => number;
  };
  /** The caller may have lost a right since. @throws DomainError */
  readonly authorize: (result: T, principal: Principal, caller: Caller) => void;
}

const secretFields: { readonly [field in keyof Secret]: true } = {
  id: true,
  owner: true,
  placeholder: true,
  name: true,
  provider: true,
  notes: true,
  tags: true,
  maskedValue: true,
  destination: true,
  version: true,
  expiresAt: true,
  createdAt: true,
  updatedAt: true,
  createdBy: true,
  updatedBy: true,
  lastUsedAt: true,
  health: true,
};

const apiKeyFields: { readonly [field in keyof ApiKey]: true } = {
  id: true,
  teamId: true,
  connectorId: true,
  name: true,
  prefix: true,
  scopes: true,
  createdAt: true,
  createdBy: true,
  expiresAt: true,
  lastUsedAt: true,
  revokedAt: true,
};

/** What was kept before a secret had these. */
const addedLater = { destination: null, lastUsedAt: null, health: null };

function pick(source: object, fields: Readonly<Record<string, true>>): object {
  return Object.fromEntries(Object.keys(fields).map((name) => [name, (source as Record<string, unknown>)[name]]));
}

/** A secret that is not the caller's any more is not found, as without an idempotency key. */
function authorizeSecret({ owner }: Pick<Secret, 'owner'>, principal: Principal): void {
  if (!mayReach(principal, owner)) throw new DomainError('NOT_FOUND');
}

/** The secret that a mutation leaves, or that it deleted. */
export const keptSecret: Kept<Secret> = {
  secretIdOf: ({ id }) => id,
  keep: (secret) => pick(secret, secretFields),
  read: (kept: Secret) => ({ ...addedLater, ...kept }),
  authorize: authorizeSecret,
};

export const keptWrittenSecret: Kept<WrittenSecret> = {
  ...keptSecret,
  keep: (secret) => ({ ...pick(secret, secretFields), warnings: secret.warnings }),
  read: (kept: WrittenSecret) => ({ ...addedLater, ...kept }),
};

/** What a provider said of a secret's value, and the secret. */
interface Checked {
  readonly result: CheckResult;
  readonly secret: Secret;
}

export const keptCheck: Kept<Checked> = {
  secretIdOf: ({ secret }) => secret.id,
  keep: ({ result, secret }) => ({ result, secret: keptSecret.keep(secret) }),
  read: ({ result, secret }: Checked) => ({ result, secret: { ...addedLater, ...secret } }),
  authorize: ({ secret }, principal) => authorizeSecret(secret, principal),
};

/** The secrets of a batch beside what became of them: one that was purged since is told of by its index alone. */
export const keptBatch: Kept<Batch> = {
  secretIdOf: () => null,
  keep: ({ owner, items, isComparedValue }) => ({
    owner,
    isComparedValue,
    items: items.map(({ index, action, warnings }) => ({ index, action, warnings })),
  }),
  secrets: {
    of: ({ items }) => items.flatMap(({ secret }) => secret ?? []),
    count: ({ items }: Batch) => items.length,
  },
  read: ({ owner, items, isComparedValue }: Batch, secrets) => ({
    owner,
    isComparedValue,
    items: items.map((item, position) => ({ ...item, secret: secrets[position] ?? null })),
  }),
  authorize: (batch, principal) => {
    authorizeSecret(batch, principal);
    if (batch.isComparedValue) requireScope(principal, 'secrets:match');
  },
};

/** A secret that is there no more. */
export interface Purged {
  readonly id: string;
  readonly owner: Owner;
}

/** Whose it was tells who may have the result again. It tells of no secret, so that it stays. */
export const keptPurge: Kept<Purged> = {
  secretIdOf: () => null,
  keep: ({ id, owner }) => ({ id, owner }),
  read: (kept) => kept,
  authorize: ({ owner }, principal, caller) => {
    if (!mayReach(principal, owner)) throw new DomainError('NOT_FOUND');
    if (owner.type !== 'user') authorizeManagingKeys(caller, owner.teamId);
  },
};

export const keptApiKey: Kept<ApiKey> = {
  secretIdOf: () => null,
  keep: (apiKey) => pick(apiKey, apiKeyFields),
  read: (kept) => kept,
  authorize: ({ teamId }, { teams }, caller) => {
    if (!teams.some(({ id }) => id === teamId)) throw new DomainError('NOT_FOUND');
    authorizeManagingKeys(caller, teamId);
  },
};

interface Issued {
  readonly apiKey: ApiKey;
  readonly key: string | null;
}

/** Without the key itself, which is nowhere kept. */
export const keptIssuedApiKey: Kept<Issued> = {
  secretIdOf: () => null,
  keep: ({ apiKey }) => keptApiKey.keep(apiKey),
  read: (kept) => ({ apiKey: kept, key: null }),
  authorize: ({ apiKey }, principal, caller) => {
    keptApiKey.authorize(apiKey, principal, caller);
    // Nobody may make a key that may do more than who makes it.
    for (const scope of apiKey.scopes) requireScope(principal, scope);
  },
};
