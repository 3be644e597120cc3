import { DomainError } from '../../errors.ts';
import { withDeadline } from '../../runtime/deadline.ts';
import { asDomainError } from './errors.ts';

/**
 * The answer, or GATEWAY_TIMEOUT after `timeoutMs`. (`timeoutMS` of the driver 7.8 has no effect.) The command itself
 * continues, until the server's maxTimeMS or the socket's time-out ends it.
 */
export function beforeDeadline<T>(timeoutMs: number, answer: Promise<T>): Promise<T> {
  const late = () =>
    new DomainError('GATEWAY_TIMEOUT', {
      retryAfterSeconds: 1,
      cause: new Error(`MongoDB did not answer within ${timeoutMs} ms`),
    });
  return withDeadline(answer, timeoutMs, late).catch((error: unknown) => {
    throw asDomainError(error);
  });
}
