import { randomUUIDv7 } from 'node:crypto';
import { keptIssuedApiKey } from '../idempotency/kept.ts';
import { type IdempotentInput, once } from '../idempotency/once.ts';
import { hashOfApiKey, newApiKey, shownPrefixOf } from '../identity/api-key.ts';
import { macOfApiKey } from '../identity/api-key-mac.ts';
import { authorizeManagingKeys } from '../identity/authorize.ts';
import type { ApiKey, ApiKeyRecord } from '../model/api-key.ts';
import type { Caller } from '../model/caller.ts';
import { actorOf, type Principal } from '../model/principal.ts';
import { FieldErrors } from '../rules/field-errors.ts';
import { requireSecureTransport } from '../rules/secure-transport.ts';
import { checkLabel, maxNameCharacters } from '../rules/text.ts';
import { requireBeforeWriteDeadline } from '../rules/write-deadline.ts';
import { eventOf } from './audit-event.ts';
import type { ApiKeyDependencies } from './dependencies.ts';
import { checkExpiry, checkScopes } from './rules.ts';

export interface CreateApiKeyInput extends IdempotentInput {
  readonly teamId: string;
  readonly connectorId?: string | null | undefined;
  readonly name: string;
  readonly scopes: readonly string[];
  readonly expiresAt?: Date | null | undefined;
}

/** A key that was just made. The key itself is told this once, and kept nowhere: an idempotent call that is sent again does not get it. */
export interface IssuedApiKey {
  readonly apiKey: ApiKey;
  readonly key: string | null;
}

/**
 * Makes an API key for a team, or for one connector of it.
 * @throws DomainError UNAUTHORIZED, FORBIDDEN, PERMISSION_ERROR, UPGRADE_REQUIRED, UNPROCESSABLE_ENTITY
 */
export async function createApiKey(
  dependencies: ApiKeyDependencies,
  caller: Caller,
  input: CreateApiKeyInput,
): Promise<IssuedApiKey> {
  const principal = authorizeManagingKeys(caller, input.teamId);
  requireSecureTransport(caller, keyInClear);
  const errors = new FieldErrors();
  const call = { mutation: 'createApiKey', input, errors };
  return once<IssuedApiKey>(dependencies, caller, call, keptIssuedApiKey, async (commit) => {
    const at = dependencies.now();
    const rights = checkRights(input, principal, at, errors);
    errors.throwIfAny();
    const { record, key } = issue(rights, principal, at, dependencies);
    const event = eventOf('apiKey.created', record, principal, caller, at);
    requireBeforeWriteDeadline(caller);
    const issued = { apiKey: record, key };
    await commit([{ type: 'insertApiKey', record, event }], issued);
    return issued;
  });
}

function checkRights(input: CreateApiKeyInput, principal: Principal, at: Date, errors: FieldErrors) {
  const { teamId, connectorId, expiresAt } = input;
  const rights = {
    teamId,
    connectorId: connectorId == null ? null : checkLabel(connectorId, maxNameCharacters, errors.at('connectorId')),
    name: checkLabel(input.name, maxNameCharacters, errors.at('name')),
    scopes: checkScopes(input.scopes, principal, errors.at('scopes')),
    expiresAt: expiresAt ?? null,
  };
  if (expiresAt != null) checkExpiry(expiresAt, at, errors.at('expiresAt'));
  return rights;
}

export const keyInClear =
  'The new key would be sent over plain HTTP. Send the request over HTTPS. Nothing was changed.';

/** A new key with these rights, and what is kept of it. */
export function issue(
  rights: Pick<ApiKey, 'teamId' | 'connectorId' | 'name' | 'scopes' | 'expiresAt'>,
  principal: Principal,
  createdAt: Date,
  { keyring }: ApiKeyDependencies,
): { record: ApiKeyRecord; key: string } {
  const key = newApiKey();
  const said = {
    id: randomUUIDv7(),
    ...rights,
    prefix: shownPrefixOf(key),
    createdAt,
    createdBy: actorOf(principal),
    lastUsedAt: null,
    revokedAt: null,
    hash: hashOfApiKey(key),
  };
  return { record: { ...said, mac: macOfApiKey(said, keyring()) }, key };
}
