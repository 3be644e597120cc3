import { decodeCursor, encodeCursor } from '../crypto/cursor.ts';
import { authorizeManagingKeys } from '../identity/authorize.ts';
import type { ApiKey } from '../model/api-key.ts';
import type { Caller } from '../model/caller.ts';
import { ownerKey } from '../model/owner.ts';
import { FieldErrors } from '../rules/field-errors.ts';
import { checkPageSize, maxPageSize } from '../rules/page.ts';
import type { Answer } from '../runtime/answer.ts';
import { createPacing } from '../runtime/pacing.ts';
import type { ApiKeyList, ApiKeyQuery, ApiKeyStore } from '../store/api-keys.ts';
import type { ApiKeyDependencies } from './dependencies.ts';

export interface ListApiKeysInput {
  readonly teamId: string;
  readonly first?: number | null | undefined;
  readonly after?: string | null | undefined;
  /** What the caller will look at. The rest is not read. */
  readonly select: { readonly page: boolean; readonly totalCount: boolean };
}

export interface ApiKeyPage {
  readonly apiKeys: readonly ApiKey[];
  /** Null when it was not selected. */
  readonly totalCount: number | null;
  readonly hasNextPage: boolean;
  readonly hasPreviousPage: boolean;
  /** The signed position of a key in this list. */
  cursorOf(apiKey: ApiKey): string;
}

/** In keys: other requests are answered between the lists of one document. */
const pace = createPacing(maxPageSize);

/**
 * A team's API keys and those of its connectors, by name, also those that have ended.
 * @throws DomainError UNAUTHORIZED, FORBIDDEN, PERMISSION_ERROR, UNPROCESSABLE_ENTITY, BAD_REQUEST (cursor)
 */
export async function listApiKeys(
  { apiKeys, keyring }: ApiKeyDependencies,
  caller: Caller,
  { teamId, first, after, select }: ListApiKeysInput,
): Promise<ApiKeyPage> {
  authorizeManagingKeys(caller, teamId);
  const errors = new FieldErrors();
  const { limit } = checkPageSize({ first }, errors);
  errors.throwIfAny();

  const ring = keyring();
  const list = ['apiKeys', ownerKey({ type: 'team', teamId })];
  // A client that has no cursor yet may send it as empty text.
  const position = after ? decodeCursor(after, list, ring) : undefined;
  await pace(1);
  const read = await readInTurn(apiKeys, caller.answer, {
    teamId,
    ...(position && { after: position }),
    // An empty page still tells whether there is more: one key is read for that.
    limit: select.page ? Math.max(1, limit) : 0,
    count: select.totalCount,
  });
  return {
    apiKeys: limit === 0 ? [] : read.apiKeys,
    totalCount: read.totalCount,
    hasNextPage: limit === 0 ? read.apiKeys.length > 0 : read.hasMore,
    hasPreviousPage: position !== undefined,
    cursorOf: (apiKey) => encodeCursor(apiKey, list, ring),
  };
}

/** With the longest names; in memory. */
const apiKeyBytes = 1500;

/** Reads a page when as much as others of the same request had under way has been read. @throws DomainError when it is stopped */
async function readInTurn(apiKeys: ApiKeyStore, answer: Answer, query: ApiKeyQuery): Promise<ApiKeyList> {
  const rows = 1 + query.limit;
  const others = answer.beginRead(rows);
  if (others) await others;
  try {
    answer.throwIfStopped();
    const read = await apiKeys.list(query);
    await pace(read.apiKeys.length);
    return read;
  } finally {
    answer.endRead(rows, () => apiKeyBytes);
  }
}
