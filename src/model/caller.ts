import type { Answer } from '../runtime/answer.ts';
import type { Principal } from './principal.ts';

/** What a caller was identified by, to be looked at again while something goes on for the caller. */
export interface Credentials {
  /** @throws DomainError UNAUTHORIZED when they are not accepted any more, SERVICE_UNAVAILABLE when they cannot be verified */
  verify(): Principal | Promise<Principal>;
  /** When they end, as far as they tell it themselves. Milliseconds since 1970. */
  readonly expiresAtMs: number;
  /** How often they are to be verified again. */
  readonly verifyEveryMs: number;
}

/** Who calls, in one request. */
export interface Caller {
  /** Null without credentials. */
  readonly principal: Principal | null;
  readonly requestId: string;
  /** What is made for the caller: stopped when the client has gone, or when it would be too large. */
  readonly answer: Answer;
  /** On the clock of `performance.now()`: no write is begun after it. */
  readonly writeDeadlineMs: number;
  /** Whether values may come in clear: over TLS, over loopback, or where the operator does not require TLS. */
  readonly secureTransport: boolean;
  /** For what goes on after the first answer; null without credentials. Left out where nothing does. */
  readonly credentials?: () => Credentials | null;
}
