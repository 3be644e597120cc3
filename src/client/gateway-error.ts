import type { ErrorCode } from './error-code.ts';

/** One field of the input that breaks a rule. */
export interface FieldError {
  readonly field: string;
  /** The path to it from the arguments of the operation. */
  readonly loc: readonly (string | number)[];
  readonly message: string;
  /** Stable: branch on it. */
  readonly type: string;
}

/** What the gateway answered, as it came. */
export interface Answer {
  readonly data?: unknown;
  readonly errors?: readonly AnsweredError[];
}

export interface AnsweredError {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly extensions?: Readonly<Record<string, unknown>>;
}

/** The gateway refused. Branch on `code` with `isGatewayError`, show `message` and `description`, log `requestId`. */
export class GatewayError<Code extends ErrorCode = ErrorCode> extends Error {
  override readonly name = 'GatewayError';
  readonly code: Code;
  /** The HTTP status that belongs to the code. */
  readonly status: number;
  /** Tells two cases of one code apart. */
  readonly type: string;
  /** The log of the gateway has it, too. */
  readonly requestId: string;
  /** What is wrong in this case, and how to fix it. */
  readonly description: string | undefined;
  /** Every field that breaks a rule. */
  readonly errors: readonly FieldError[];
  /** In how many seconds a retry may succeed. */
  readonly retryAfter: number | undefined;
  /** Of the secret, when `expectedVersion` was stale. */
  readonly currentVersion: number | undefined;
  readonly #answer: Answer;

  constructor({ message, extensions = {} }: AnsweredError, answer: Answer) {
    super(message);
    this.code = extensions.code as Code;
    this.status = extensions.status as number;
    this.type = extensions.type as string;
    this.requestId = extensions.requestId as string;
    this.description = extensions.description as string | undefined;
    this.errors = (extensions.errors as FieldError[] | undefined) ?? [];
    this.retryAfter = extensions.retryAfter as number | undefined;
    this.currentVersion = extensions.currentVersion as number | undefined;
    this.#answer = answer;
  }

  /** The whole answer: every error, and the part of the data that came in spite of them. It is not printed with the error. */
  get answer(): Answer {
    return this.#answer;
  }
}

/**
 * Whether it is an error of the gateway, with one of these codes if any is given:
 * `if (isGatewayError(error, 'CONFLICT_ERROR')) …`
 */
export function isGatewayError<Code extends ErrorCode = ErrorCode>(
  error: unknown,
  ...codes: readonly Code[]
): error is GatewayError<Code> {
  // By its name: a program that is bundled twice has two classes.
  if (!(error instanceof Error) || error.name !== 'GatewayError') return false;
  return codes.length === 0 || codes.includes((error as GatewayError<Code>).code);
}

/** Whether the gateway itself made the error. A router has errors of its own. */
export function isOfGateway({ message, extensions }: AnsweredError): boolean {
  const { code, status, type, requestId } = extensions ?? {};
  const words = [message, code, type, requestId];
  return words.every((word) => typeof word === 'string') && typeof status === 'number';
}
