/**
 * - `UNREACHABLE`: no connection, or it broke
 * - `TIMEOUT`: no answer within `timeoutMs`
 * - `ABORTED`: by your signal
 * - `REDIRECTED`: the URL leads elsewhere, and credentials are not sent there
 * - `UNEXPECTED_ANSWER`: something else than a gateway answered, such as a proxy
 */
export type TransportErrorCode = 'UNREACHABLE' | 'TIMEOUT' | 'ABORTED' | 'REDIRECTED' | 'UNEXPECTED_ANSWER';

/** No gateway answered. A mutation may have been made all the same, unless the code is `REDIRECTED`. */
export class TransportError extends Error {
  override readonly name = 'TransportError';
  readonly code: TransportErrorCode;
  /** The HTTP status, where there was an answer. */
  readonly status: number | undefined;
  readonly #answer: unknown;

  constructor(
    code: TransportErrorCode,
    message: string,
    { status, answer }: { status?: number | undefined; answer?: unknown } = {},
  ) {
    super(message);
    this.code = code;
    this.status = status;
    this.#answer = answer;
  }

  /** What a router answered. It is not printed with the error, since it may repeat what was sent. */
  get answer(): unknown {
    return this.#answer;
  }
}

/** Whether it is a TransportError, with one of these codes if any is given. */
export function isTransportError(error: unknown, ...codes: readonly TransportErrorCode[]): error is TransportError {
  // By its name: a program that is bundled twice has two classes.
  if (!(error instanceof Error) || error.name !== 'TransportError') return false;
  return codes.length === 0 || codes.includes((error as TransportError).code);
}
