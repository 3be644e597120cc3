import type { Answer } from '../runtime/answer.ts';
import type { Principal } from './principal.ts';

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
}
