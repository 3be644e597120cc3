import { GraphQLError, type GraphQLFormattedError, type GraphQLSchema } from 'graphql';
import { DomainError, extensionsOf } from '../../errors.ts';
import { safeMessage } from './safe-message.ts';

/** An error as it is answered. */
export interface ClientError {
  readonly formatted: GraphQLFormattedError;
  readonly error: DomainError;
}

/**
 * The error as a client may see it. A DomainError's text is made of fixed words and goes out as it is; any other
 * text is rebuilt, since graphql-js quotes what it was sent; and what nobody foresaw becomes INTERNAL_SERVER_ERROR.
 */
export function toClientError(thrown: unknown, requestId: string, schema: GraphQLSchema): ClientError {
  const { locations, path } = thrown instanceof GraphQLError ? thrown : ({} as Partial<GraphQLError>);
  const error = toDomainError(thrown, schema);
  return {
    formatted: {
      message: error.message,
      ...(locations && { locations }),
      ...(path && { path }),
      extensions: extensionsOf(error, requestId),
    },
    error,
  };
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
  return new DomainError('BAD_REQUEST', isReadable ? { message } : {});
}

/** One name of a megabyte may stand in a hundred messages about one document. */
const maxMessageLength = 1000;
