import type { ServerResponse } from 'node:http';
import type { DomainError } from '../errors.ts';
import { graphqlResponseType, jsonType } from './media-type.ts';

/** Answers with an error at the HTTP level, in the shape of a GraphQL response: all of it, though the response is not ended. */
export function refuse(
  response: ServerResponse,
  { code, status, type, message, details }: DomainError,
  requestId: string,
  mediaType: string | null = jsonType,
): void {
  const { description, retryAfterSeconds, headers } = details;
  const extensions = {
    code,
    status,
    type,
    requestId,
    ...(description !== undefined && { description }),
    ...(retryAfterSeconds !== undefined && { retryAfter: retryAfterSeconds }),
  };
  const body = JSON.stringify({ errors: [{ message, extensions }] });
  response.writeHead(status, {
    ...headers,
    ...(retryAfterSeconds !== undefined && { 'Retry-After': String(retryAfterSeconds) }),
    'Content-Type': `${mediaType === graphqlResponseType ? graphqlResponseType : jsonType}; charset=utf-8`,
    'Content-Length': Buffer.byteLength(body),
  });
  response.write(body);
}
