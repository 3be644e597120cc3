import type { ServerResponse } from 'node:http';
import { type DomainError, extensionsOf, headersOf } from '../errors.ts';
import { graphqlResponseType, jsonType } from './media-type.ts';

/** Answers with an error at the HTTP level, in the shape of a GraphQL response: all of it, though the response is not ended. */
export function refuse(
  response: ServerResponse,
  error: DomainError,
  requestId: string,
  mediaType: string | null = jsonType,
): void {
  const body = bodyOf(error, requestId);
  response.writeHead(error.status, {
    ...headersOf(error),
    'Content-Type': `${mediaType === graphqlResponseType ? graphqlResponseType : jsonType}; charset=utf-8`,
    'Content-Length': Buffer.byteLength(body),
  });
  response.write(body);
}

export function bodyOf(error: DomainError, requestId: string): string {
  return JSON.stringify({ errors: [{ message: error.message, extensions: extensionsOf(error, requestId) }] });
}
