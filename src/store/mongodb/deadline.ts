import { DomainError } from '../../errors.ts';
import { withDeadline } from '../../runtime/deadline.ts';
import { asDomainError } from './errors.ts';

/**
 * The answer, or GATEWAY_TIMEOUT once `timeoutMs` have passed. (`timeoutMS` of the driver 7.8 does nothing.)
 * What was sent goes on by itself, and ends by the server's maxTimeMS or the socket's own timeout.
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
