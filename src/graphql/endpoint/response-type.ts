import { jsonType, preferredType } from '../../http/media-type.ts';
import { eventStreamType } from './event-stream.ts';

export const graphqlResponseType = 'application/graphql-response+json';

/**
 * Which of the two response media types of GraphQL over HTTP (section 6.1), or that of GraphQL over SSE, an Accept header asks
 * for; null when it accepts none. Without the header, or with an empty one, and where the client has no preference, it is application/json.
 */
export function responseType(accept: string | undefined): string | null {
  // What most clients send.
  if (accept === undefined || accept === '' || accept === '*/*' || accept === jsonType) return jsonType;
  return accept === graphqlResponseType
    ? accept
    : preferredType(accept, [jsonType, graphqlResponseType, eventStreamType]);
}
