import { jsonType, preferredType } from '../../http/media-type.ts';

export const graphqlResponseType = 'application/graphql-response+json';

/**
 * Which of the two response media types of GraphQL over HTTP (section 6.1) an Accept header asks for; null when it accepts
 * neither. Without the header, or with an empty one, and where the client has no preference, it is application/json.
 */
export function responseType(accept: string | undefined): string | null {
  return accept === undefined || accept === '' ? jsonType : preferredType(accept, [jsonType, graphqlResponseType]);
}
