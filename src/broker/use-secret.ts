import { open } from '../crypto/envelope.ts';
import { openSealed, requireRecordMac } from '../crypto/record.ts';
import { DomainError } from '../errors.ts';
import { authenticated, mayReach, requireScope } from '../identity/authorize.ts';
import type { Caller } from '../model/caller.ts';
import type { Destination } from '../model/destination.ts';
import { type Owner, ownerKey } from '../model/owner.ts';
import { ownOwnerOf, type Principal } from '../model/principal.ts';
import { isDestinationOf, type Provider } from '../model/provider.ts';
import type { SecretRecord, StoredSecret } from '../model/secret.ts';
import { backOff } from '../runtime/back-off.ts';
import { auditUse, type UseDependencies } from '../secrets/audit-use.ts';
import { tooMuchContention } from '../secrets/conflicts.ts';
import type { Dependencies } from '../secrets/dependencies.ts';
import { healthOfAnswer, isNews, recordHealth } from '../secrets/record-health.ts';
import { recordsOf } from '../store/selected-records.ts';
import { requireAllowedPath } from './allowed-path.ts';
import { brokerPrefix, type Target } from './target.ts';

export interface UseSecretInput extends Target {
  readonly method: string;
  /** The header that the gateway's credential was in, in lower case; '' where it is one of the gateway's own. */
  readonly credentialHeader: string;
  /** Told whose secret it is before anything is used. May refuse it. */
  readonly admit: (owner: Owner) => void;
}

/** A value on its way to its destination. It is held for one request. */
export interface OpenedSecret {
  readonly destination: Destination;
  readonly value: string;
  readonly url: { readonly origin: string; readonly pathAndQuery: string };
  /** Where the destination is reached through the broker. */
  readonly useUrl: string;
  /** Records what the status of the answer says about the value. @returns undefined where there is nothing to be written */
  readonly recordHealth: (status: number) => Promise<unknown> | undefined;
}

/** The secret may change while its value is opened. It is then read again. */
const maxAttempts = 30;

/**
 * Opens a value for one request to its destination. The audit event is durable when this returns, so that nothing is sent without
 * one. The event tells of the version that is used: at the moment of the event it was the current one.
 * @throws DomainError UNAUTHORIZED, PERMISSION_ERROR, NOT_FOUND, UNPROCESSABLE_ENTITY, TOO_MANY_REQUESTS, SERVICE_UNAVAILABLE,
 * GATEWAY_TIMEOUT
 * @throws RecordRejected when something other than a gateway wrote the record: then it is not used
 */
export async function useSecret(
  dependencies: UseDependencies,
  caller: Caller,
  input: UseSecretInput,
): Promise<OpenedSecret> {
  const principal = authenticated(caller);
  requireScope(principal, 'secrets:use');
  let isAdmitted = false;
  for (let attempt = 1; attempt <= maxAttempts; attempt += 1) {
    const record = await recordOf(dependencies, principal, input.selector);
    if (!record) throw new DomainError('NOT_FOUND', { description: 'There is no such secret that you may use.' });
    const keyring = dependencies.keyring();
    // The destination must be the word of a gateway, and so must it be that there is none.
    requireRecordMac(record, keyring);
    const { destination, sealed } = record;
    if (!destination || !sealed) throw noDestination();
    requireCredentialHeader(input.credentialHeader, destination, dependencies.providers.find(record.provider ?? ''));
    requireAllowedPath(input.path, destination);
    if (!isAdmitted) {
      isAdmitted = true;
      input.admit(record.owner);
      const spending = dependencies.spendUse(record.id);
      if (spending) await spending;
    }
    const value = await dependencies.trace('broker.open', () => openSealed(open, record, sealed, keyring));
    if (await auditUse(dependencies, caller, principal, record, { type: 'secret.used', method: input.method })) {
      const url = { origin: destination.origin, pathAndQuery: `${input.path}${input.query}` };
      const useUrl = `${dependencies.publicUrl()}${brokerPrefix}${record.id}`;
      const recordHealth: OpenedSecret['recordHealth'] = (status) => recordAnswer(dependencies, caller, record, status);
      return { destination, value, url, useUrl, recordHealth };
    }
    await backOff(attempt);
  }
  throw tooMuchContention();
}

/** An id of anybody's secret, or a placeholder of the caller's own. */
async function recordOf({ store }: Dependencies, principal: Principal, selector: string): Promise<SecretRecord | null> {
  if (!selector.startsWith('sec_')) {
    const record = await store.findRecord(selector);
    return record && mayReach(principal, record.owner) ? record : null;
  }
  const owner = ownOwnerOf(principal);
  const selected = await store.select(owner, { names: [], placeholders: [selector], ids: [] }, 1);
  // Stores compare texts in ways of their own.
  const isAskedFor = ({ placeholder, owner: found }: StoredSecret) =>
    placeholder === selector && ownerKey(found) === ownerKey(owner);
  const found = selected.filter(({ secret }) => isAskedFor(secret));
  for await (const record of recordsOf(store, found)) return record;
  return null;
}

function recordAnswer(
  dependencies: Dependencies,
  caller: Caller,
  secret: SecretRecord,
  answered: number,
): Promise<unknown> | undefined {
  const status = healthOfAnswer(answered);
  if (!status) return undefined;
  const health = { status, checkedAt: dependencies.now(), source: 'USE' } as const;
  return isNews(secret.health, health) ? recordHealth(dependencies, caller, secret, health) : undefined;
}

/**
 * It must be where the provider's key would be: a credential elsewhere is one that its sender did not mean to use here. It is a good one,
 * so its sender is told in production, too.
 */
function requireCredentialHeader(sentIn: string, destination: Destination, provider: Provider | undefined): void {
  if (sentIn === '' || sentIn === destination.header.toLowerCase()) return;
  // A provider may take its keys in two headers, and its SDKs send them in another than its row has.
  if (provider?.sdkHeaders?.includes(sentIn) && isDestinationOf(destination, provider)) return;
  throw new DomainError('UNAUTHORIZED', {
    description:
      'Your credential is in another header than that of the secret’s destination. Send it there, or in Proxy-Authorization: Bearer TOKEN, or an API key in X-API-Key.',
    reason: 'header',
  });
}

function noDestination(): DomainError {
  const message = 'The secret has no destination, so that its value is sent nowhere. Set one, together with its value.';
  return new DomainError('UNPROCESSABLE_ENTITY', {
    description: message,
    errors: [{ field: 'destination', loc: ['destination'], message, type: 'no_destination' }],
  });
}
