import { GraphQLError, type GraphQLFormattedError, isValueNode } from 'graphql';
import { DomainError, extensionsOf } from '../../errors.ts';

/** An error as it is answered. */
export interface ClientError {
  readonly formatted: GraphQLFormattedError;
  readonly error: DomainError;
}

/**
 * The error as a client may see it. Only the text of a DomainError is answered, since the gateway wrote it. The texts of other
 * errors are not read: graphql-js, the executor and Yoga quote what they were sent.
 */
export function toClientError(thrown: unknown, requestId: string, hints = false): ClientError {
  const { locations, path } = thrown instanceof GraphQLError ? thrown : ({} as Partial<GraphQLError>);
  const error = toDomainError(thrown);
  return {
    formatted: {
      message: error.message,
      ...(locations && { locations }),
      ...(path && { path }),
      extensions: extensionsOf(error, requestId, hints),
    },
    error,
  };
}

function toDomainError(thrown: unknown): DomainError {
  if (thrown instanceof DomainError) return thrown;
  if (!(thrown instanceof GraphQLError)) return new DomainError('INTERNAL_SERVER_ERROR', { cause: thrown });
  const { originalError, path, nodes } = thrown;
  if (originalError && !(originalError instanceof GraphQLError)) return toDomainError(originalError);
  // The executor locates an error about an argument at its value, and any other at a field.
  if (nodes?.[0] && isValueNode(nodes[0])) {
    return new DomainError('BAD_REQUEST', { message: 'An argument has an invalid value.' });
  }
  // Without a path the request is wrong. With a path a resolver failed.
  return path ? new DomainError('INTERNAL_SERVER_ERROR', { cause: thrown }) : new DomainError('BAD_REQUEST');
}
