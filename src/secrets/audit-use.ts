import type { Caller } from '../model/caller.ts';
import type { Principal } from '../model/principal.ts';
import type { SecretRecord } from '../model/secret.ts';
import { requireBeforeWriteDeadline } from '../rules/write-deadline.ts';
import { StoreConflict } from '../store/store.ts';
import { eventOf } from './audit-event.ts';
import type { Dependencies } from './dependencies.ts';

export interface UseDependencies extends Dependencies {
  /** Takes one from what a secret may be used in a window. @throws DomainError TOO_MANY_REQUESTS */
  readonly spendUse: (secretId: string) => Promise<void> | void;
}

/**
 * Before a value is sent to its destination. The event tells of the version that is sent.
 * @returns whether the event is durable; not where the secret has changed since it was read
 */
export async function auditUse(
  { store, now }: Dependencies,
  caller: Caller,
  principal: Principal,
  secret: SecretRecord,
  { type, method }: { readonly type: 'secret.used' | 'secret.checked'; readonly method: string },
): Promise<boolean> {
  requireBeforeWriteDeadline(caller);
  caller.answer.throwIfStopped();
  const origin = secret.destination?.origin ?? '';
  const event = { ...eventOf(type, secret, principal, caller, now()), method, origin };
  try {
    await store.commit([{ type: 'useSecret', secret, event }]);
    return true;
  } catch (error) {
    if (error instanceof StoreConflict) return false;
    throw error;
  }
}
