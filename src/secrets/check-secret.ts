import { open } from '../crypto/envelope.ts';
import { openSealed, requireRecordMac } from '../crypto/record.ts';
import { keptCheck } from '../idempotency/kept.ts';
import { type Commit, type IdempotentInput, once } from '../idempotency/once.ts';
import { authenticated, requireScope } from '../identity/authorize.ts';
import type { Caller } from '../model/caller.ts';
import type { Principal } from '../model/principal.ts';
import type { Secret, SecretRecord, StoredSecret } from '../model/secret.ts';
import type { CheckResult } from '../model/secret-health.ts';
import { FieldErrors } from '../rules/field-errors.ts';
import { checkId } from '../rules/id.ts';
import { backOff } from '../runtime/back-off.ts';
import { StoreConflict } from '../store/store.ts';
import { auditUse, type UseDependencies } from './audit-use.ts';
import { tooMuchContention } from './conflicts.ts';
import type { Dependencies, KeyToCheck } from './dependencies.ts';
import { type Disclosure, requireDisclosure } from './disclosure.ts';
import { existingRecord, existingSecret } from './find-secret.ts';
import { providerCheckAt, providerCheckOf } from './provider-check-of.ts';
import { recordHealth } from './record-health.ts';

export interface CheckSecretInput extends Disclosure, IdempotentInput {
  readonly id: string;
}

/** What a provider said of a secret's value, and the secret with that value. */
export interface CheckedSecret {
  readonly result: CheckResult;
  readonly secret: Secret;
}

/** The secret may change at the same time. It is then read again. */
const maxAttempts = 30;

/**
 * Asks the provider of a secret whether it knows the value. The audit event is durable before anything is sent, and what was found
 * out is recorded while the secret has that value.
 * @throws DomainError UNAUTHORIZED, PERMISSION_ERROR, NOT_FOUND, UNPROCESSABLE_ENTITY, TOO_MANY_REQUESTS, SERVICE_UNAVAILABLE,
 * GATEWAY_TIMEOUT
 * @throws RecordRejected when something other than a gateway wrote the record: then nothing is sent
 */
export async function checkSecret(
  dependencies: UseDependencies,
  caller: Caller,
  input: CheckSecretInput,
): Promise<CheckedSecret> {
  const principal = authenticated(caller);
  requireScope(principal, 'secrets:use');
  requireDisclosure(principal, input);
  const errors = new FieldErrors();
  const id = checkId(input.id, errors.at('id'));
  return once(dependencies, caller, { mutation: 'checkSecret', input, errors }, keptCheck, async (commit) => {
    errors.throwIfAny();
    // Before anything is looked up, so that it tells nothing about the secret.
    await dependencies.spendCheck(principal);
    const { record, key } = await begin(dependencies, caller, principal, id);
    const result = key ? await dependencies.trace('broker.check', () => dependencies.askProvider(key)) : 'UNSUPPORTED';
    const current = result === 'UNSUPPORTED' ? record : await recordResult(dependencies, caller, record, result);
    // If it has another value now, the answer has the secret as it was checked.
    return keep(dependencies, principal, commit, { result, secret: current ?? record }, current);
  });
}

/** The secret, and what its provider is to be asked: null where it cannot be asked. Otherwise the event is durable. */
async function begin(
  dependencies: UseDependencies,
  caller: Caller,
  principal: Principal,
  id: string,
): Promise<{ readonly record: SecretRecord; readonly key: KeyToCheck | null }> {
  let isSpent = false;
  for (let attempt = 1; attempt <= maxAttempts; attempt += 1) {
    const record = await existingRecord(dependencies, principal, id);
    const keyring = dependencies.keyring();
    requireRecordMac(record, keyring);
    const { owner, provider, destination, sealed } = record;
    // It is opened only where there is somebody to ask.
    const row = dependencies.providers.find(provider ?? '');
    if (!destination || !sealed || !row || !providerCheckAt(destination, row)) return { record, key: null };
    const value = await dependencies.trace('broker.open', () => openSealed(open, record, sealed, keyring));
    const check = providerCheckOf(value, destination, provider, dependencies);
    if (!check) return { record, key: null };
    // What the provider allows for a key, checks and uses of it share.
    if (!isSpent) await dependencies.spendUse(id);
    isSpent = true;
    if (await auditUse(dependencies, caller, principal, record, { type: 'secret.checked', method: check.method }))
      return { record, key: { owner, value, destination, check } };
    await backOff(attempt);
  }
  throw tooMuchContention();
}

function recordResult(
  dependencies: Dependencies,
  caller: Caller,
  record: SecretRecord,
  status: Exclude<CheckResult, 'UNSUPPORTED'>,
): Promise<StoredSecret | null> {
  return recordHealth(dependencies, caller, record, { status, checkedAt: dependencies.now(), source: 'CHECK' });
}

/**
 * Nothing more is to be written but what is kept for the same call again.
 * @param current null where it is to be read
 * @throws DomainError NOT_FOUND when the secret is not there any more
 */
async function keep(
  dependencies: Dependencies,
  principal: Principal,
  commit: Commit<CheckedSecret>,
  told: CheckedSecret,
  current: StoredSecret | null,
): Promise<CheckedSecret> {
  let stored = current;
  for (let attempt = 1; attempt <= maxAttempts; attempt += 1) {
    stored ??= await existingSecret(dependencies, principal, told.secret.id);
    try {
      await commit([], told, [stored]);
      return told;
    } catch (error) {
      if (!(error instanceof StoreConflict)) throw error;
      stored = null;
      await backOff(attempt);
    }
  }
  throw tooMuchContention();
}
