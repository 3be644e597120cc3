import { jsonType, preferredType } from '../../http/media-type.ts';
import { eventStreamType } from './event-stream.ts';

export const graphqlResponseType = 'application/graphql-response+json';

/**
 * Which of the two response media types of GraphQL over HTTP (section 6.1) an Accept header asks for; that of GraphQL over SSE
 * where it names it and accepts neither; null when it accepts none. Without the header, or with an empty one, and where the
 * client has no preference, it is application/json.
 */
export function responseType(accept: string | undefined): string | null {
  // What most clients send.
  if (accept === undefined || accept === '' || accept === '*/*' || accept === jsonType) return jsonType;
  if (accept === graphqlResponseType) return accept;
  return (
    preferredType(accept, [jsonType, graphqlResponseType]) ?? preferredType(withoutRanges(accept), [eventStreamType])
  );
}

function withoutRanges(accept: string): string {
  return accept
    .split(',')
    .filter((range) => !range.includes('*'))
    .join(',');
}
