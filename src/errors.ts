/**
 * Every error a client can meet: code → HTTP status, stable type, short message, and when it happens.
 * docs/errors.md is printed from this table.
 */
export const errorTable = {
  BAD_REQUEST: {
    status: 400,
    type: 'invalid_request_error',
    message: 'The request was invalid.',
    when: 'The body is not JSON, the document is not valid GraphQL, a field is unknown, a variable has the wrong type, two credentials were sent, a cursor was not made for this list, or the Host header or the target of the request is malformed.',
  },
  // The codes and messages of these two are those that clients with persisted queries look for.
  PersistedQueryNotFound: {
    status: 400,
    type: 'unknown_operation_error',
    message: 'PersistedQueryNotFound',
    when: 'PERSISTED_OPERATIONS is set, and no operation is registered under the hash or documentId.',
  },
  PersistedQueryNotSupported: {
    status: 400,
    type: 'persisted_query_error',
    message: 'PersistedQueryNotSupported',
    when: 'A hash or documentId came without its document, and PERSISTED_OPERATIONS is not set. Clients then send the document.',
  },
  UNAUTHORIZED: {
    status: 401,
    type: 'authentication_error',
    message: 'Authentication is required.',
    when: 'No credentials were sent, or they are wrong in any way. In production the answer is the same, whatever was wrong.',
  },
  FORBIDDEN: {
    status: 403,
    type: 'access_denied_error',
    message: 'You do not have access to this resource.',
    when: 'The owner named is somebody else, or a team the caller is not in, whether it exists or not. In development also: the Host header is not this machine.',
  },
  PERMISSION_ERROR: {
    status: 403,
    type: 'permission_error',
    message: 'Your credentials do not allow this.',
    when: 'The caller may reach this owner, but lacks the scope or role that the operation needs.',
  },
  NOT_FOUND: {
    status: 404,
    type: 'not_found_error',
    message: 'The requested resource was not found.',
    when: 'A mutation, or a use of a secret, names an id that does not exist, or that the caller may not see. Or nothing is at the path.',
  },
  METHOD_NOT_ALLOWED: {
    status: 405,
    type: 'method_not_allowed_error',
    message: 'This method is not allowed here.',
    when: 'Any method but GET and POST on the GraphQL endpoint, or a mutation sent with GET. CONNECT and TRACE everywhere.',
  },
  NOT_ACCEPTABLE: {
    status: 406,
    type: 'not_acceptable_error',
    message: 'Nothing here satisfies the Accept header.',
    when: 'The Accept header allows neither application/graphql-response+json nor application/json, or for a subscription not text/event-stream.',
  },
  REQUEST_TIMEOUT: {
    status: 408,
    type: 'request_timeout_error',
    message: 'The request did not arrive in time.',
    when: 'The headers took over 10 seconds to arrive, or the whole request over 30; of a body that is passed on, no byte came for 60 seconds, or for BROKER_TIMEOUT where that is less. Or the events of a subscription were not read for 15 seconds.',
  },
  CONFLICT_ERROR: {
    status: 409,
    type: 'conflict_error',
    message: 'The resource conflicts with another.',
    when: 'A name or an id is taken, expectedVersion is not the current version, an API key to rotate has ended, or the first request with an idempotency key is still running.',
  },
  DUPLICATION_FAILED: {
    status: 409,
    type: 'duplication_error',
    message: 'The secrets could not be duplicated.',
    when: 'duplicateSecrets could not copy every secret, and so copied none. Every secret that stands in the way is listed in extensions.errors, and why.',
  },
  PAYLOAD_TOO_LARGE: {
    status: 413,
    type: 'payload_too_large_error',
    message: 'The request is too large.',
    when: 'The body is over 1 MiB, one that is passed on over 1 GiB, or more than 10 operations come in one array.',
  },
  UNSUPPORTED_MEDIA_TYPE: {
    status: 415,
    type: 'unsupported_media_type_error',
    message: 'The media type is not supported.',
    when: 'A POST whose Content-Type is not application/json, or whose body is compressed.',
  },
  UNPROCESSABLE_ENTITY: {
    status: 422,
    type: 'validation_error',
    message: 'Validation failed for the request parameters.',
    when: 'A field breaks its rule. Every broken field is listed in extensions.errors.',
  },
  UNPROCESSABLE_CONTENT: {
    status: 422,
    type: 'unprocessable_content_error',
    message: 'The sealed value could not be used.',
    when: 'A sealed value cannot be opened, has expired, was used before, or is bound to something else.',
  },
  UPGRADE_REQUIRED: {
    status: 426,
    type: 'upgrade_required_error',
    message: 'Use HTTPS to send a value.',
    when: 'A value was sent in clear, or an API key was to be issued, over plain HTTP from beyond loopback.',
  },
  TOO_MANY_REQUESTS: {
    status: 429,
    type: 'rate_limit_error',
    message: 'Rate limit exceeded. Retry later.',
    when: 'The caller is over its limit. Retry-After and the RateLimit headers tell when to come back.',
  },
  HEADERS_TOO_LARGE: {
    status: 431,
    type: 'headers_too_large_error',
    message: 'The request headers are too large.',
    when: 'The headers are over 32 KiB together.',
  },
  INTERNAL_SERVER_ERROR: {
    status: 500,
    type: 'internal_error',
    message: 'An unexpected error occurred.',
    when: 'A defect of the gateway, or a record that something else changed in the database: nothing of it is used. The log has the cause under the request id, and the id of the record.',
  },
  BAD_GATEWAY: {
    status: 502,
    type: 'upstream_error',
    message: 'A service this gateway depends on answered wrongly.',
    when: 'The keys of the token’s issuer could not be loaded, or cannot be used. Or the destination of a secret cannot be reached, or what it answers cannot be passed on.',
  },
  SERVICE_UNAVAILABLE: {
    status: 503,
    type: 'unavailable_error',
    message: 'The service is unavailable. Retry later.',
    when: 'The store cannot be reached (an API key cannot be verified then), the keyring lacks a key, the gateway is overloaded or has too many uses of secrets, or it is shutting down.',
  },
  GATEWAY_TIMEOUT: {
    status: 504,
    type: 'upstream_timeout_error',
    message: 'A service this gateway depends on did not answer in time.',
    when: 'A dependency did not answer before its deadline.',
  },
} as const satisfies Record<string, { status: number; type: string; message: string; when: string }>;

export type ErrorCode = keyof typeof errorTable;

/** One field of an input that breaks a rule. `loc` is the path to it, relative to the input that the rule knows. */
export interface FieldError {
  field: string;
  loc: (string | number)[];
  message: string;
  type: string;
  /** Of a stored secret, where the error is about one that the path does not name. */
  name?: string;
}

export interface ErrorDetails {
  /** Replaces the table's short message. Fixed words and schema names only, never what the client sent. */
  message?: string;
  /** What is wrong in this case, and how to fix it. */
  description?: string;
  /** Replaces the table's stable type, where a client needs to tell two cases of one code apart. */
  type?: string;
  errors?: FieldError[];
  retryAfterSeconds?: number;
  currentVersion?: number;
  /** For the operator only: one fixed word for what is wrong with a dependency or a credential. */
  reason?: string;
  /** More for the description, in fixed words: told in development only. */
  hint?: string;
  /** For the log only. */
  cause?: unknown;
}

/** The only kind of error whose text reaches a client unchanged. */
export class DomainError extends Error {
  override readonly name = 'DomainError';
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, details: ErrorDetails = {}) {
    const { stackTraceLimit } = Error;
    // Clients choose how often they are refused, and a stack trace costs more than the refusal. A defect is worth one.
    if (errorTable[code].status < 500 || code === 'SERVICE_UNAVAILABLE') Error.stackTraceLimit = 0;
    super(details.message ?? errorTable[code].message, { cause: details.cause });
    Error.stackTraceLimit = stackTraceLimit;
    this.code = code;
    this.details = details;
  }

  get status(): number {
    return errorTable[this.code].status;
  }

  get type(): string {
    return this.details.type ?? errorTable[this.code].type;
  }
}

/** @param description what is wrong, and how to fix it */
export function badRequest(description: string): DomainError {
  return new DomainError('BAD_REQUEST', { description });
}

/**
 * What a client is told of an error besides its message: `extensions` in GraphQL.
 * @param hints whether it is told the hint
 */
export function extensionsOf(
  { code, status, type, details }: DomainError,
  requestId: string,
  hints = false,
): Record<string, unknown> {
  const { hint, errors, retryAfterSeconds, currentVersion } = details;
  const description = hints && hint ? `${details.description ?? ''} ${hint}`.trim() : (details.description ?? '');
  return {
    code,
    status,
    type,
    requestId,
    ...(description !== '' && { description }),
    ...(errors && { errors }),
    // One body for all wrong credentials: for these the header alone tells.
    ...(retryAfterSeconds !== undefined && code !== 'UNAUTHORIZED' && { retryAfter: retryAfterSeconds }),
    ...(currentVersion !== undefined && { currentVersion }),
  };
}

/**
 * Runs synchronous work that makes many errors about a request, without their stack traces, which would cost more than the
 * work itself. A defect in the work has no stack trace either.
 */
export function withoutStack<T>(run: () => T): T {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return run();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** The gateway cannot start, or a command cannot do its work. The message names the variable or file, and the fix. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
}
