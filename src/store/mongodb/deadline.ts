import { withDeadline } from '../../runtime/deadline.ts';
import { asDomainError, timedOut } from './errors.ts';

/**
 * The answer, or GATEWAY_TIMEOUT after `timeoutMs`. (`timeoutMS` of the driver has no effect.) The command itself
 * continues, until the server's maxTimeMS or the socket's time-out ends it.
 */
export function beforeDeadline<T>(timeoutMs: number, answer: Promise<T>): Promise<T> {
  const late = () => timedOut(new Error(`MongoDB did not answer within ${timeoutMs} ms`));
  return withDeadline(answer, timeoutMs, late).catch((error: unknown) => {
    throw asDomainError(error);
  });
}

/** Resolves when the work has ended, however it did, or after this time. */
export async function settledWithin(timeoutMs: number, work: Promise<void>): Promise<void> {
  await withDeadline(work, timeoutMs, () => new Error('too late')).catch(() => {});
}
