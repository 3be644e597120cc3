import { setTimeout } from 'node:timers/promises';
import { isGatewayError } from '../../client/gateway-error.ts';
import type { Request } from '../../client/request.ts';
import { isTransportError } from '../../client/transport-error.ts';

const longestWaitSeconds = 120;
/** Before each further attempt, where the gateway does not say how long to wait. */
const pausesSeconds = [1, 2, 4];

/**
 * Sends a request again, exactly as it was, after a rate limit and where no answer came. Only for requests that may come twice:
 * queries, dry runs, and mutations with an idempotency key.
 * @param signal ends the wait; what is under way is finished
 */
export function patient(request: Request, signal?: AbortSignal): Request {
  return async (document, variables, options) => {
    const pauses = pausesSeconds.values();
    for (;;) {
      try {
        return await request(document, variables, options);
      } catch (error) {
        const waitSeconds = waitBeforeNext(error, pauses);
        if (waitSeconds === undefined || waitSeconds > longestWaitSeconds) throw error;
        const hasWaited = await setTimeout(waitSeconds * 1000, true, signal ? { signal } : {}).catch(() => false);
        if (!hasWaited) throw error;
      }
    }
  };
}

function waitBeforeNext(error: unknown, pauses: Iterator<number, undefined>): number | undefined {
  if (isGatewayError(error, 'TOO_MANY_REQUESTS')) return error.retryAfter;
  const mayPass =
    isTransportError(error, 'UNREACHABLE', 'TIMEOUT') ||
    isGatewayError(error, 'SERVICE_UNAVAILABLE', 'GATEWAY_TIMEOUT') ||
    // The answer of the first attempt was lost, and the gateway is still at it.
    (isGatewayError(error) && error.errors.some(({ type }) => type === 'idempotency_key_in_use'));
  if (!mayPass) return undefined;
  const pause = pauses.next().value;
  return pause && Math.max(pause, isGatewayError(error) ? (error.retryAfter ?? 0) : 0);
}
