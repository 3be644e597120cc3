export const graphqlResponseType = 'application/graphql-response+json';
export const jsonType = 'application/json';

/**
 * Which of the two response media types of GraphQL over HTTP an Accept header asks for (RFC 9110, section 12.5.1);
 * null when it accepts neither. Without the header, and where the client has no preference, it is application/json.
 */
export function responseType(accept: string | undefined): string | null {
  if (accept === undefined) return jsonType;
  const ranges = accept.split(',').map(parseRange);
  const quality = (type: string) => {
    // The most specific range that matches decides.
    for (const range of [type, 'application/*', '*/*']) {
      const match = ranges.find((candidate) => candidate.range === range);
      if (match) return match.quality;
    }
    return 0;
  };
  const [forGraphql, forJson] = [quality(graphqlResponseType), quality(jsonType)];
  if (forGraphql === 0 && forJson === 0) return null;
  if (forGraphql !== forJson) return forGraphql > forJson ? graphqlResponseType : jsonType;
  // Equally welcome: the one named first, if any is named.
  const named = ranges.find(({ range }) => range === graphqlResponseType || range === jsonType);
  return named?.range ?? jsonType;
}

function parseRange(text: string): { range: string; quality: number } {
  const [range = '', ...parameters] = text
    .toLowerCase()
    .split(';')
    .map((part) => part.trim());
  let quality = 1;
  for (const parameter of parameters) {
    const [name, value = ''] = parameter.split('=').map((part) => part.trim());
    if (name === 'q') quality = Number.parseFloat(value) || 0;
    // Answers are UTF-8 and nothing else.
    if (name === 'charset' && value.replaceAll('"', '') !== 'utf-8') quality = 0;
  }
  return { range, quality };
}

/** Whether a Content-Type is JSON in UTF-8. */
export function isJson(contentType: string | undefined): boolean {
  const [type = '', ...parameters] = (contentType ?? '')
    .toLowerCase()
    .split(';')
    .map((part) => part.trim());
  if (type !== jsonType) return false;
  const charset = parameters.find((parameter) => parameter.startsWith('charset='));
  return charset === undefined || /^charset="?utf-?8"?$/.test(charset);
}
