import { macOfRecord, requireRecordMac } from '../crypto/record.ts';
import { openVersionBytes } from '../crypto/version-record.ts';
import { keptSecret } from '../idempotency/kept.ts';
import { type IdempotentInput, once } from '../idempotency/once.ts';
import { authenticated, requireScope } from '../identity/authorize.ts';
import type { Caller } from '../model/caller.ts';
import type { Sealed } from '../model/envelope.ts';
import { actorOf } from '../model/principal.ts';
import type { Secret, SecretRecord } from '../model/secret.ts';
import type { VersionRecord } from '../model/secret-version.ts';
import { FieldErrors } from '../rules/field-errors.ts';
import { checkId } from '../rules/id.ts';
import { eventOf } from './audit-event.ts';
import { changeSecret, type PreparedChange, requireVersion } from './change-secret.ts';
import { noSuchVersion } from './conflicts.ts';
import type { Dependencies } from './dependencies.ts';
import { type Disclosure, requireDisclosure } from './disclosure.ts';
import { existingRecord } from './find-secret.ts';
import { replacedValue } from './replaced-value.ts';
import { sealForStore } from './seal-for-store.ts';

export interface RollbackSecretInput extends Disclosure, IdempotentInput {
  readonly id: string;
  /** A version in which the value was set. */
  readonly toVersion: number;
  readonly expectedVersion?: number | null | undefined;
}

/**
 * Gives a secret an earlier value again, in a new version, and the destination of that value. It is opened and sealed anew; nobody sees it. Where it is the value
 * that the secret has, nothing changes.
 * @throws DomainError UNAUTHORIZED, PERMISSION_ERROR, NOT_FOUND (the secret, or the version), UNPROCESSABLE_ENTITY,
 * CONFLICT_ERROR, SERVICE_UNAVAILABLE (also when the keyring lacks a key)
 * @throws RecordRejected when something other than a gateway wrote the secret, or that version
 */
export async function rollbackSecret(
  dependencies: Dependencies,
  caller: Caller,
  input: RollbackSecretInput,
): Promise<Secret> {
  const principal = authenticated(caller);
  requireScope(principal, 'secrets:write');
  requireDisclosure(principal, input);
  const errors = new FieldErrors();
  const id = checkId(input.id, errors.at('id'));
  const prepare = async (current: SecretRecord): Promise<PreparedChange<Secret>> => {
    requireVersion(current, input.expectedVersion);
    const { sealed, mac: from, ...before } = current;
    if (sealed?.version === input.toVersion) return { write: null, result: before };
    const earlier = await dependencies.store.versions.find(current.owner, id, input.toVersion);
    if (!earlier) throw noSuchVersion();

    const keyring = dependencies.keyring();
    // A new MAC must not make a record valid that something other than a gateway wrote.
    requireRecordMac(current, keyring);
    const at = dependencies.now();
    const secret: Secret = {
      ...before,
      maskedValue: earlier.maskedValue,
      destination: earlier.destination,
      health: null,
      version: current.version + 1,
      updatedAt: at,
      updatedBy: actorOf(principal),
    };
    const again = await sealAgain(earlier, secret, sealed, dependencies);
    const replaced = replacedValue(current, keyring);
    const mac = macOfRecord({ ...secret, sealed: again }, keyring);
    const event = eventOf('secret.rolledBack', secret, principal, caller, at);
    return {
      write: { type: 'updateSecret', from, secret, sealed: again, ...(replaced && { replaced }), mac, event },
      result: secret,
    };
  };
  return once(dependencies, caller, { mutation: 'rollbackSecret', input, errors }, keptSecret, (commit) => {
    errors.throwIfAny();
    return changeSecret(dependencies, caller, id, existingRecord, commit, prepare);
  });
}

/** The value is in clear for no longer than that, in bytes that are then overwritten. */
async function sealAgain(
  earlier: VersionRecord,
  secret: Secret,
  before: Sealed | null,
  dependencies: Dependencies,
): Promise<Sealed> {
  // Of this secret, whatever the store says whose it is.
  const { id: secretId, owner } = secret;
  const value = await openVersionBytes({ ...earlier, secretId, owner }, dependencies.keyring());
  try {
    return sealForStore(value, secret, before, dependencies);
  } finally {
    value.fill(0);
  }
}
