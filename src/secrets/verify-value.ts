import type { Destination } from '../model/destination.ts';
import type { Owner } from '../model/owner.ts';
import type { CheckResult, SecretHealth } from '../model/secret-health.ts';
import type { Warning } from '../model/warning.ts';
import { FieldErrors } from '../rules/field-errors.ts';
import { requireBeforeWriteDeadline } from '../rules/write-deadline.ts';
import { eventOf } from './audit-event.ts';
import { idTaken, nameTaken } from './conflicts.ts';
import type { Dependencies } from './dependencies.ts';
import type { Author } from './first-version.ts';
import { providerCheckOf } from './provider-check-of.ts';
import type { PlaintextValue, ValueInput } from './value-input.ts';

/** An input whose new value may be verified. */
export interface VerifiedInput extends ValueInput {
  /** Whether the provider is asked about the value before it is written. null is false. */
  readonly verify?: boolean | null | undefined;
}

/** A value that is about to be written. */
export interface ValueToVerify {
  /** The secret as it is, or as it would be created. */
  readonly secret: { readonly id: string; readonly owner: Owner; readonly name: string; readonly version: number };
  /** Of the secret as it is. */
  readonly recordMac?: string;
  readonly plaintext: PlaintextValue;
  readonly destination: Destination | null;
  readonly provider: string | null;
}

/** What was found out about a value that is not refused. */
export interface Verdict {
  readonly health: SecretHealth | null;
  readonly warnings: readonly Warning[];
}

export const forVerify = 'To have a value verified needs the scope secrets:use. Nothing was changed.';

export const unverified: Verdict = { health: null, warnings: [] };

/** There must be something to verify. */
export function checkVerify({ verify, value, sealedValue }: VerifiedInput, errors: FieldErrors): void {
  if (verify && value == null && sealedValue == null)
    errors.at('verify').add('value_required', 'Must not be true without a new value: there is nothing to verify.');
}

/**
 * Nothing is sent for a secret that could not be written. Others may take them still.
 * @throws DomainError CONFLICT_ERROR
 */
export async function requireFree(
  { store }: Dependencies,
  owner: Owner,
  { id, name }: { readonly id?: string | null; readonly name?: string | undefined },
): Promise<void> {
  if (id != null && (await store.takenIds([id])).size > 0) throw idTaken();
  if (name === undefined) return;
  const [found] = await store.select(owner, { names: [name], placeholders: [], ids: [] }, 1);
  if (found) throw nameTaken();
}

/**
 * Asks the provider about a value that is about to be written. All rules of the input must hold. The audit event is durable before
 * anything is sent. Nothing is written if the value is refused.
 * @throws DomainError TOO_MANY_REQUESTS, UNPROCESSABLE_ENTITY when the provider refuses the value, SERVICE_UNAVAILABLE,
 * GATEWAY_TIMEOUT
 */
export async function verifyValue(dependencies: Dependencies, author: Author, asked: ValueToVerify): Promise<Verdict> {
  await dependencies.spendCheck(author.principal);
  const result = await ask(dependencies, author, asked);
  if (result === 'REJECTED') refuse(asked.plaintext);
  if (result === 'UNSUPPORTED') return { health: null, warnings: [notVerified(result)] };
  const health = { status: result, checkedAt: dependencies.now(), source: 'CHECK' } as const;
  return { health, warnings: result === 'VALID' ? [] : [notVerified(result)] };
}

async function ask(
  dependencies: Dependencies,
  { principal, caller }: Author,
  { secret, recordMac, plaintext, destination, provider }: ValueToVerify,
): Promise<CheckResult> {
  const { owner } = secret;
  const { value } = plaintext;
  const check = providerCheckOf(value, destination, provider, dependencies);
  if (!check || !destination) return 'UNSUPPORTED';
  requireBeforeWriteDeadline(caller);
  caller.answer.throwIfStopped();
  const { method } = check;
  const { origin } = destination;
  const event = { ...eventOf('secret.checked', secret, principal, caller, dependencies.now()), method, origin };
  await dependencies.store.commit([{ type: 'appendEvent', owner, event, ...(recordMac && { recordMac }) }]);
  return dependencies.trace('broker.check', () => dependencies.askProvider({ owner, value, destination, check }));
}

/** Why a value that was to be verified is written without. */
const reasons = {
  RATE_LIMITED: 'the provider has had too many requests, and did not say whether it knows it.',
  UNREACHABLE: 'the provider cannot be reached, or has a failure of its own.',
  UNSUPPORTED: 'its provider cannot be asked about it, or did not say whether it knows it.',
  CHANGED: 'the provider or the destination of the secret was changed at the same time.',
} as const;

export function notVerified(reason: keyof typeof reasons): Warning {
  const message = `The value was not verified: ${reasons[reason]} It was kept. Check the secret later, or use it.`;
  return { field: 'verify', type: 'not_verified', message };
}

function refuse({ field }: PlaintextValue): never {
  const errors = new FieldErrors();
  const message = 'Is refused by its provider. Send another value, or the same without verify.';
  errors.at(field).add('rejected_by_provider', message);
  errors.throwIfAny();
  throw new Error('a refused value was not reported');
}
