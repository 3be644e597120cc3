import { GraphQLError } from 'graphql';
import { DomainError } from '../../errors.ts';
import { withoutApiKeys } from '../../identity/api-key.ts';

/** How many errors are reported for one request. Each costs a text of its own. */
export const maxErrors = 10;

/** Several names of up to 255 characters each may stand in one text. */
const maxLength = 1000;

type Where = Partial<Pick<GraphQLError, 'nodes' | 'source' | 'positions'>>;

/** An error about a request, to be answered with this text and its location in the document. */
export function requestError(text: string, { nodes = [], source, positions }: Where): GraphQLError {
  const said = withoutApiKeys(text);
  const message = said.length > maxLength ? `${said.slice(0, maxLength - 1)}…` : said;
  const where = { nodes, source: source ?? null, positions: positions ?? null };
  return new GraphQLError(message, { ...where, originalError: new DomainError('BAD_REQUEST', { message }) });
}
