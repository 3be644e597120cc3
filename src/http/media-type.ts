export const graphqlResponseType = 'application/graphql-response+json';
export const jsonType = 'application/json';

/**
 * Which of the two response media types of GraphQL over HTTP an Accept header asks for (RFC 9110, section 12.5.1);
 * null when it accepts neither. Without the header, and where the client has no preference, it is application/json.
 */
export function responseType(accept: string | undefined): string | null {
  if (accept === undefined) return jsonType;
  const ranges = accept.split(',').map(parseRange);
  const [forGraphql, forJson] = [qualityOf(graphqlResponseType, ranges), qualityOf(jsonType, ranges)];
  if (forGraphql === 0 && forJson === 0) return null;
  if (forGraphql !== forJson) return forGraphql > forJson ? graphqlResponseType : jsonType;
  // Equally welcome: the one named first, if any is named.
  const named = ranges.find(({ range }) => range === graphqlResponseType || range === jsonType);
  return named?.range ?? jsonType;
}

/** Whether the client is a browser that navigates, and would rather have a page than data. */
export function prefersHtml(accept: string | undefined): boolean {
  const ranges = (accept ?? '').split(',').map(parseRange);
  if (!ranges.some(({ range }) => range === 'text/html')) return false;
  const forData = Math.max(qualityOf(graphqlResponseType, ranges), qualityOf(jsonType, ranges));
  return qualityOf('text/html', ranges) > forData;
}

interface MediaRange {
  readonly range: string;
  readonly quality: number;
}

/** The most specific range that matches decides. */
function qualityOf(type: string, ranges: readonly MediaRange[]): number {
  for (const range of [type, `${type.split('/')[0]}/*`, '*/*']) {
    const match = ranges.find((candidate) => candidate.range === range);
    if (match) return match.quality;
  }
  return 0;
}

function parseRange(text: string): MediaRange {
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
