import { type DocumentNode, GraphQLError, type ParseOptions, parse, TokenKind } from 'graphql';
import { requestError } from './request-error.ts';

/**
 * graphql-js quotes the token that it could not use. The answer is chosen from constants, the kinds of tokens and the
 * sentences below, so that no token's text can be in it.
 * @throws GraphQLError about the request
 */
export function parseDocument(source: Parameters<typeof parse>[0], options: ParseOptions): DocumentNode {
  try {
    return parse(source, options);
  } catch (error) {
    throw error instanceof GraphQLError ? requestError(describeSyntaxError(error.message), error) : error;
  }
}

/** As graphql-js writes them. `on` is the only keyword that the parser requires in an operation or a fragment. */
const tokens = new Set([...Object.values(TokenKind).flatMap((kind) => [kind, `"${kind}"`]), '"on"']);

/** How graphql-js begins its other sentences. What follows may be a value. */
const sentences = [
  'Unexpected single quote character (\'), did you mean to use a double quote (")?',
  'Unexpected character',
  'Unexpected variable',
  'Unexpected description',
  'Unterminated string',
  'Invalid character within String',
  'Invalid character escape sequence',
  'Invalid character',
  'Invalid Unicode escape sequence',
  'Invalid number',
];

function describeSyntaxError(message: string): string {
  const text = message.slice('Syntax Error: '.length);
  const [, expected, word = ''] = /^(?:Expected (\S+), found|Unexpected) (\S+)/.exec(text) ?? [];
  const found = word.replace(/\.$/, '');
  if (tokens.has(found)) {
    if (expected === undefined) return `Syntax Error: Unexpected ${found}.`;
    if (tokens.has(expected)) return `Syntax Error: Expected ${expected}, found ${found}.`;
  }
  return `Syntax Error: ${sentences.find((sentence) => text.startsWith(sentence)) ?? 'this is not GraphQL'}.`;
}
