import type { ErrorCode } from './error-code.ts';

/** After these the same call may succeed later. */
export const temporaryCodes = [
  'SERVICE_UNAVAILABLE',
  'GATEWAY_TIMEOUT',
  'BAD_GATEWAY',
  'TOO_MANY_REQUESTS',
  'REQUEST_TIMEOUT',
  'INTERNAL_SERVER_ERROR',
] as const satisfies readonly ErrorCode[];
