import { GraphQLError, type GraphQLFormattedError, type GraphQLSchema } from 'graphql';
import { DomainError, type ErrorCode, errorTable, extensionsOf, headersOf } from '../errors.ts';
import { safeMessage } from './safe-message.ts';

/** An error as it is answered. */
export interface ClientError {
  readonly formatted: GraphQLFormattedError;
  readonly error: DomainError;
  /** Of an HTTP response that has no data. */
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Yoga refused the request before it looked at the operation: the status holds whatever the client accepts. */
  readonly isOfRequest: boolean;
}

/**
 * The error as a client may see it. A DomainError's text is made of fixed words and goes out as it is; any other
 * text is rebuilt, since graphql-js quotes what it was sent; and what nobody foresaw becomes INTERNAL_SERVER_ERROR.
 */
export function toClientError(thrown: unknown, requestId: string, schema: GraphQLSchema): ClientError {
  const { locations, path, http } = thrown instanceof GraphQLError ? partsOf(thrown) : ({} as Partial<Parts>);
  const error = toDomainError(thrown, schema);
  return {
    formatted: {
      message: error.message,
      ...(locations && { locations }),
      ...(path && { path }),
      extensions: extensionsOf(error, requestId),
    },
    error,
    status: http?.status ?? error.status,
    headers: { ...http?.headers, ...headersOf(error) },
    isOfRequest: http !== undefined && !http.spec,
  };
}

interface Parts extends Pick<GraphQLError, 'locations' | 'path'> {
  readonly http: YogaHttp | undefined;
}

function partsOf({ locations, path, extensions }: GraphQLError): Parts {
  return { locations, path, http: extensions.http as YogaHttp | undefined };
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
  return new DomainError(codeOfStatus(partsOf(thrown).http?.status), isReadable ? { message } : {});
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
