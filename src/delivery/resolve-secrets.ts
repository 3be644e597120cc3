import { setImmediate } from 'node:timers/promises';
import { type Recipient, recipientOf } from '../crypto/recipient.ts';
import { requireRecordMac } from '../crypto/record.ts';
import { type Commit, type IdempotentInput, once } from '../idempotency/once.ts';
import { authenticated, authorize, requireScope } from '../identity/authorize.ts';
import type { Caller } from '../model/caller.ts';
import type { Owner } from '../model/owner.ts';
import { actorKey, actorOf, type Principal } from '../model/principal.ts';
import type { Secret, StoredSecret } from '../model/secret.ts';
import { FieldErrors } from '../rules/field-errors.ts';
import { type OwnerInput, resolveOwner } from '../rules/owner-input.ts';
import { checkLabel } from '../rules/text.ts';
import { requireBeforeWriteDeadline } from '../rules/write-deadline.ts';
import { backOff } from '../runtime/back-off.ts';
import { largeBytes } from '../runtime/large-work.ts';
import { eventOf } from '../secrets/audit-event.ts';
import { tooMuchContention } from '../secrets/conflicts.ts';
import type { Dependencies } from '../secrets/dependencies.ts';
import { maxSelectedBytes, type SelectedSecret, StoreConflict, type Write } from '../store/store.ts';
import {
  checkRequestedSecrets,
  maxSecrets,
  type RequestedSecrets,
  type RequestedSecretsInput,
  tooMany,
} from './requested-secrets.ts';
import { type SealedBefore, type SealedSecret, sealSecrets } from './seal-secrets.ts';

export interface ResolveSecretsInput extends RequestedSecretsInput, IdempotentInput {
  readonly owner: OwnerInput;
  /** A JWK, as it was sent. */
  readonly recipient?: unknown;
  readonly purpose?: string | null | undefined;
  /** Whether lists of secrets are shown below what is delivered. When it is left out, they may be. */
  readonly lists?: boolean;
}

export interface Delivery {
  readonly secret: Secret;
  /** A compact JWE to the recipient. */
  readonly jwe: string;
}

export interface ResolvedSecrets {
  /** In the order of the secrets' names. */
  readonly deliveries: readonly Delivery[];
  /** What was asked for and is not there or has no value, as it was sent. */
  readonly missing: readonly string[];
}

const maxPurposeCharacters = 255;
/** Secrets may change while their values are sealed. They are then read again, and those that changed are sealed again. */
const maxAttempts = 30;

/** What has been checked of a request. */
interface CheckedRequest {
  readonly principal: Principal;
  readonly owner: Owner;
  readonly requested: RequestedSecrets;
  readonly recipient: Recipient;
  readonly purpose: string | null;
}

/**
 * Delivers values, sealed to a key of the caller. Nothing leaves before an audit event of each is durable, and the event tells
 * of the version that is delivered: at the moment of the event it was the current one.
 * @throws DomainError UNAUTHORIZED, FORBIDDEN, PERMISSION_ERROR, UNPROCESSABLE_ENTITY, BAD_REQUEST, SERVICE_UNAVAILABLE,
 * GATEWAY_TIMEOUT
 * @throws RecordRejected when something other than a gateway wrote one of the records: then none is delivered
 */
export async function resolveSecrets(
  dependencies: Dependencies,
  caller: Caller,
  input: ResolveSecretsInput,
): Promise<ResolvedSecrets> {
  const errors = new FieldErrors();
  const { principal, owner } = authorizeRequest(caller, input, errors);
  const call = { mutation: 'resolveSecrets', input, errors };
  // Nothing is kept of a delivery. The same call again is a delivery of its own, with audit events of its own.
  return once(dependencies, caller, call, null, async (commit) => {
    const request = await checkRequest(input, principal, owner, errors);
    return resolve(dependencies, caller, request, commit);
  });
}

async function resolve(
  dependencies: Dependencies,
  caller: Caller,
  request: CheckedRequest,
  commit: Commit<ResolvedSecrets>,
): Promise<ResolvedSecrets> {
  const { requested } = request;
  const before: SealedBefore = new Map();
  for (let attempt = 1; attempt <= maxAttempts; attempt += 1) {
    requireBeforeWriteDeadline(caller);
    caller.answer.throwIfStopped();
    const selected = await select(dependencies, caller, request);
    if (selected.length > maxSecrets) throw tooMany();
    const found = selected.filter(({ secret }) => requested.includes(secret));
    const missing = requested.missing(found.map(({ secret }) => secret));
    const audit: Audit = (writes) => commit(writes, { deliveries: [], missing });
    const sealed = await deliver(dependencies, caller, request, found, before, audit);
    if (sealed) {
      caller.answer.countDeliveries(sealed.length);
      return { deliveries: sealed, missing };
    }
    await backOff(attempt);
  }
  throw tooMuchContention();
}

/** However large they are, there need not be a slot for them. */
const few = Math.floor(largeBytes / maxSelectedBytes);

/**
 * What many secrets take is known only when they have been read. They wait for their slot before that: calls that wait would
 * otherwise hold all of it. Where all are asked for, a few are read first, as most owners have no more.
 * @throws DomainError SERVICE_UNAVAILABLE
 */
async function select(
  { store, largeWork }: Dependencies,
  { answer }: Caller,
  { principal, owner, requested: { named, size } }: CheckedRequest,
): Promise<SelectedSecret[]> {
  if (!named) {
    const some = await store.select(owner, null, few + 1);
    if (some.length <= few) return some;
  }
  const most = named ? Math.min(size, maxSecrets) : maxSecrets;
  await largeWork.enter(most * maxSelectedBytes, actorKey(actorOf(principal)), answer);
  return store.select(owner, named, maxSecrets + 1);
}

const forLists = 'Lists of secrets below what is delivered need the scope secrets:read. Nothing was delivered.';

function authorizeRequest(caller: Caller, input: ResolveSecretsInput, errors: FieldErrors) {
  const principal = authenticated(caller);
  const owner = resolveOwner(input.owner, principal, errors.at('owner'));
  if (owner) authorize(caller, owner, 'secrets:resolve');
  if (input.lists ?? true) requireScope(principal, 'secrets:read', forLists);
  return { principal, owner };
}

async function checkRequest(
  input: ResolveSecretsInput,
  principal: Principal,
  owner: Owner | null,
  errors: FieldErrors,
): Promise<CheckedRequest> {
  const requested = await checkRequestedSecrets(input, errors);
  const recipient = recipientOf(input.recipient);
  if (!recipient) errors.at('recipient').add('public_key', publicKey);
  const purpose = input.purpose == null ? null : checkLabel(input.purpose, maxPurposeCharacters, errors.at('purpose'));
  errors.throwIfAny();
  if (!owner || !recipient) throw new Error('a request that cannot be carried out was not reported');
  return { principal, owner, requested, recipient, purpose };
}

const publicKey =
  'Must be a public key as a JWK: X25519 (kty OKP) or P-256 (kty EC), without private members, for ECDH-ES+A256KW where it says what it is for. If you sent a private key, treat it as disclosed.';

/** Makes the events durable. */
type Audit = (writes: readonly Write[]) => Promise<void>;

/** @returns null when a secret has changed meanwhile: nothing was audited then */
async function deliver(
  dependencies: Dependencies,
  caller: Caller,
  request: CheckedRequest,
  found: readonly SelectedSecret[],
  before: SealedBefore,
  audit: Audit,
): Promise<readonly SealedSecret[] | null> {
  const { answer } = caller;
  const counted = { bytes: 0 };
  const count = (valueBytes: number) => {
    answer.addValueBytes(valueBytes - counted.bytes);
    counted.bytes = valueBytes;
  };
  try {
    const sealed = await sealFound(dependencies, caller, request, found, before, count);
    if (!sealed) {
      count(0);
      return null;
    }
    requireBeforeWriteDeadline(caller);
    const at = dependencies.now();
    await audit(sealed.map(({ secret }) => useOf(secret, caller, request, at)));
    // A commit to SQLite ends in a tick of its own, and what makes the answer of a thousand is one. Others are answered in between.
    await setImmediate();
    return sealed;
  } catch (error) {
    count(0);
    if (error instanceof StoreConflict) return null;
    throw error;
  }
}

function useOf(secret: StoredSecret, caller: Caller, { principal, purpose }: CheckedRequest, at: Date): Write {
  const event = eventOf('secret.resolved', secret, principal, caller, at);
  return { type: 'useSecret', secret, event: purpose === null ? event : { ...event, purpose } };
}

/** @param count told the bytes of the values: at first how many they are at least, so that too many are not read */
async function sealFound(
  { store, keyring, now, trace, largeWork }: Dependencies,
  { answer }: Caller,
  { principal, recipient }: CheckedRequest,
  found: readonly SelectedSecret[],
  before: SealedBefore,
  count: (valueBytes: number) => void,
): Promise<readonly SealedSecret[] | null> {
  const ring = keyring();
  // That a secret has no value must be the word of a gateway, too.
  for (const { secret } of found) if (!secret.sealed) requireRecordMac(secret, ring);
  const valued = found.filter(({ secret }) => secret.sealed);
  count(valued.reduce((sum, { envelopeBytes }) => sum + leastValueBytes(envelopeBytes), 0));
  const envelopeBytes = valued.reduce((sum, one) => sum + one.envelopeBytes, 0);
  await largeWork.enter(envelopeBytes, actorKey(actorOf(principal)), answer);
  const options = { recipient, sub: principal.subject, iat: Math.floor(now().getTime() / 1000), answer };
  const result = await trace('delivery.seal', () => sealSecrets(store, ring, valued, before, options));
  if (result) count(result.valueBytes);
  return result?.sealed ?? null;
}

/** An envelope has no more around its ciphertext, which has four characters for three bytes of the value. */
const aroundCiphertext = 1024;

function leastValueBytes(envelopeBytes: number): number {
  return Math.max(0, Math.floor(((envelopeBytes - aroundCiphertext) * 3) / 4));
}
