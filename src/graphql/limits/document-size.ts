import { Lexer, Source, TokenKind } from 'graphql';
import { DomainError } from '../../errors.ts';

export const maxTokens = 2000;
/** A value of 64 KiB fits with every character escaped. */
export const maxDocumentLength = 512 * 1024;
/** Levels of fields, arguments, lists and objects together: the parser and validation use the stack for each. */
const maxBrackets = 64;
/** Validation compares an unknown name with all similar names, and an answer may repeat an alias for every item of a list. */
const maxNameLength = 255;

/** A block string is cut into its lines, which takes longer than to read them. */
const maxLines = 10_000;

/** The lexer keeps each comment as a token, and reads all comments between two other tokens without a break. */
const maxComments = 2000;

const opening = new Set<TokenKind>([TokenKind.PAREN_L, TokenKind.BRACKET_L, TokenKind.BRACE_L]);
const closing = new Set<TokenKind>([TokenKind.PAREN_R, TokenKind.BRACKET_R, TokenKind.BRACE_R]);

/**
 * Refuses a document that would be expensive to parse, before it is parsed. What is not GraphQL is left to the parser.
 * @throws DomainError BAD_REQUEST, with a type of its own for each limit
 */
export function checkDocumentSize(document: string): void {
  if (document.length > maxDocumentLength) throw tooLong('length_limit_error', maxDocumentLength, 'characters');
  if (occursMoreThan(document, '#', maxComments)) throw tooLong('comments_limit_error', maxComments, 'comments');
  for (const newline of ['\n', '\r']) {
    if (occursMoreThan(document, newline, maxLines)) throw tooLong('lines_limit_error', maxLines, 'lines');
  }
  const lexer = new Lexer(new Source(document));
  let brackets = 0;
  for (let tokens = 0; ; tokens += 1) {
    if (!advance(lexer)) return;
    const { kind, start, end } = lexer.token;
    if (kind === TokenKind.EOF) return;
    if (tokens === maxTokens) throw tooLong('tokens_limit_error', maxTokens, 'tokens');
    if (kind === TokenKind.NAME && end - start > maxNameLength) {
      throw tooLong('name_length_limit_error', maxNameLength, 'characters in a name');
    }
    if (opening.has(kind)) brackets += 1;
    else if (closing.has(kind)) brackets -= 1;
    if (brackets > maxBrackets) throw tooLong('depth_limit_error', maxBrackets, 'levels of brackets');
  }
}

/** Also counts the characters inside strings, which are no comments: only the lexer could tell them apart. */
function occursMoreThan(text: string, character: string, most: number): boolean {
  let count = 0;
  for (let at = text.indexOf(character); at >= 0; at = text.indexOf(character, at + 1)) {
    count += 1;
    if (count > most) return true;
  }
  return false;
}

function advance(lexer: Lexer): boolean {
  try {
    lexer.advance();
    return true;
  } catch {
    return false;
  }
}

function tooLong(type: string, most: number, what: string): DomainError {
  return new DomainError('BAD_REQUEST', {
    type,
    message: 'The document is too long.',
    description: `It may have at most ${most.toLocaleString('en')} ${what}. Send it in parts, and values in variables.`,
  });
}
