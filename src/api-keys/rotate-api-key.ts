import { DomainError } from '../errors.ts';
import { keptIssuedApiKey } from '../idempotency/kept.ts';
import { type IdempotentInput, once } from '../idempotency/once.ts';
import type { ApiKey, ApiKeyRecord } from '../model/api-key.ts';
import type { Caller } from '../model/caller.ts';
import type { Principal } from '../model/principal.ts';
import { FieldErrors } from '../rules/field-errors.ts';
import { checkId } from '../rules/id.ts';
import { requireSecureTransport } from '../rules/secure-transport.ts';
import { eventOf } from './audit-event.ts';
import { changeApiKey, ended, type PreparedChange, requireManager } from './change-api-key.ts';
import { type IssuedApiKey, issue, keyInClear } from './create-api-key.ts';
import type { ApiKeyDependencies } from './dependencies.ts';
import { checkGrace } from './rules.ts';

export interface RotateApiKeyInput extends IdempotentInput {
  readonly id: string;
  readonly graceSeconds: number;
}

/**
 * Makes a successor with the rights and the expiry of an old key. The old key ends after `graceSeconds`, or when it would have ended anyway.
 * @returns the successor
 * @throws DomainError UNAUTHORIZED, PERMISSION_ERROR, NOT_FOUND, UPGRADE_REQUIRED, UNPROCESSABLE_ENTITY, CONFLICT_ERROR,
 * SERVICE_UNAVAILABLE
 */
export async function rotateApiKey(
  dependencies: ApiKeyDependencies,
  caller: Caller,
  input: RotateApiKeyInput,
): Promise<IssuedApiKey> {
  requireManager(caller);
  requireSecureTransport(caller, keyInClear);
  const errors = new FieldErrors();
  const id = checkId(input.id, errors.at('id'));
  checkGrace(input.graceSeconds, errors.at('graceSeconds'));
  const call = { mutation: 'rotateApiKey', input, errors };
  return once<IssuedApiKey>(dependencies, caller, call, keptIssuedApiKey, (commit) => {
    errors.throwIfAny();
    return changeApiKey<IssuedApiKey>(dependencies, caller, id, commit, (current, principal) =>
      rotation(dependencies, caller, input, current, principal),
    );
  });
}

function rotation(
  dependencies: ApiKeyDependencies,
  caller: Caller,
  { graceSeconds }: RotateApiKeyInput,
  current: ApiKeyRecord,
  principal: Principal,
): PreparedChange<IssuedApiKey> {
  requireEveryScope(principal, current);
  const at = dependencies.now();
  requireLive(current, at);
  const graceEnd = new Date(at.getTime() + graceSeconds * 1000);
  const expiresAt = current.expiresAt && current.expiresAt < graceEnd ? current.expiresAt : graceEnd;
  const to = ended(current, { expiresAt }, dependencies);
  const { record: successor, key } = issue(rightsOf(current), principal, at, dependencies);
  const event = eventOf('apiKey.rotated', current, principal, caller, at);
  return { write: { type: 'changeApiKey', from: current, to, successor, event }, result: { apiKey: successor, key } };
}

function rightsOf({ teamId, connectorId, name, scopes, expiresAt }: ApiKey) {
  return { teamId, connectorId, name, scopes, expiresAt };
}

/** Whoever rotates a key gets to know its successor. @throws DomainError PERMISSION_ERROR */
function requireEveryScope(principal: Principal, { scopes }: ApiKey): void {
  if (scopes.every((scope) => principal.scopes.has(scope))) return;
  throw new DomainError('PERMISSION_ERROR', {
    description: 'Who rotates an API key must hold every scope of the key.',
  });
}

/** @throws DomainError CONFLICT_ERROR */
function requireLive({ expiresAt, revokedAt }: ApiKey, at: Date): void {
  if (!revokedAt && (!expiresAt || expiresAt > at)) return;
  throw new DomainError('CONFLICT_ERROR', {
    description: 'The API key has been revoked or has expired, and cannot be rotated. Create a new one.',
    errors: [{ field: 'id', loc: ['id'], message: 'Must be a key that has not ended.', type: 'ended' }],
  });
}
