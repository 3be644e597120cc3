import { GraphQLError, type GraphQLSchema } from 'graphql';
import { DomainError, type ErrorCode, errorTable } from '../errors.ts';
import { safeMessage } from './safe-message.ts';

/**
 * The error as a client may see it. A DomainError's text is made of fixed words and goes out as it is; any other
 * text is rebuilt, since graphql-js quotes what it was sent; and what nobody foresaw becomes INTERNAL_SERVER_ERROR.
 */
export function toClientError(thrown: unknown, requestId: string, schema: GraphQLSchema): GraphQLError {
  const error = thrown instanceof GraphQLError ? thrown : null;
  const domainError = toDomainError(thrown, schema);
  const { code, status, type, message, details } = domainError;
  const { description, errors, retryAfterSeconds, currentVersion, headers } = details;
  return new GraphQLError(message, {
    nodes: error?.nodes ?? null,
    source: error?.source ?? null,
    positions: error?.positions ?? null,
    path: error?.path ?? null,
    originalError: domainError,
    extensions: {
      code,
      status,
      type,
      requestId,
      ...(description !== undefined && { description }),
      ...(errors && { errors }),
      ...(retryAfterSeconds !== undefined && { retryAfter: retryAfterSeconds }),
      ...(currentVersion !== undefined && { currentVersion }),
      http: {
        // What Yoga refuses before it looks at the operation has its status whatever the client accepts.
        spec: !isRequestRefusal(error),
        status: httpStatus(error) ?? status,
        headers: { ...headers, ...httpHeaders(error), ...retryHeader(retryAfterSeconds) },
      },
    },
  });
}

function toDomainError(thrown: unknown, schema: GraphQLSchema): DomainError {
  if (thrown instanceof DomainError) return thrown;
  if (!(thrown instanceof GraphQLError)) return new DomainError('INTERNAL_SERVER_ERROR', { cause: thrown });
  const original = thrown.originalError;
  if (original && !(original instanceof GraphQLError)) return toDomainError(original, schema);
  const message = safeMessage(thrown, schema);
  // graphql-js's own errors while executing that are not about arguments tell of a defect in a resolver.
  if (message === undefined && thrown.path) return new DomainError('INTERNAL_SERVER_ERROR', { cause: thrown });
  const isReadable = message !== undefined && message.length <= maxMessageLength;
  return new DomainError(codeOfStatus(httpStatus(thrown)), isReadable ? { message } : {});
}

/** One name of a megabyte may stand in a hundred messages about one document. */
const maxMessageLength = 1000;

function codeOfStatus(status: number | undefined): ErrorCode {
  const codes = Object.keys(errorTable) as ErrorCode[];
  return codes.find((code) => status !== 500 && errorTable[code].status === status) ?? 'BAD_REQUEST';
}

interface YogaHttp {
  spec?: boolean;
  status?: number;
  headers?: Record<string, string>;
}

const http = (error: GraphQLError | null) => error?.extensions.http as YogaHttp | undefined;
const httpStatus = (error: GraphQLError | null) => http(error)?.status;
const httpHeaders = (error: GraphQLError | null) => http(error)?.headers;
const isRequestRefusal = (error: GraphQLError | null) => http(error) !== undefined && !http(error)?.spec;

function retryHeader(seconds: number | undefined): Record<string, string> {
  return seconds === undefined ? {} : { 'Retry-After': String(seconds) };
}
