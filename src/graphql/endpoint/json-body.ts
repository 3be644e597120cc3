import { isUtf8 } from 'node:buffer';
import { badRequest, DomainError } from '../../errors.ts';

/** @throws DomainError BAD_REQUEST, which never says what was wrong where: that would quote the body */
export function parseJson(body: Buffer): unknown {
  // Decoding would replace what is not UTF-8, and so change a value silently.
  if (!isUtf8(body)) throw badRequest('The body is not UTF-8.');
  const text = body.toString('utf8');
  if (mayBeTooMuch(text)) checkShape(body);
  try {
    // Editors and shells of Windows begin a file with a byte order mark (RFC 8259, section 8.1: it may be ignored).
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch {
    throw badRequest('The body is not valid JSON.');
  }
}

/** Levels of arrays and objects: the parser uses the stack for each. */
const maxDepth = 64;
/** Twice as many as ten operations with the most variables that they may have. */
const maxItems = 100_000;
const [quote, backslash, comma, openBracket, closeBracket, openBrace, closeBrace] = [
  0x22, 0x5c, 0x2c, 0x5b, 0x5d, 0x7b, 0x7d,
];

/** Whether to count is worth it: usual bodies are short, and have few brackets even in their texts. */
function mayBeTooMuch(text: string): boolean {
  if (text.length > maxItems) return true;
  let opened = 0;
  for (const open of '[{') {
    for (let at = text.indexOf(open); at >= 0; at = text.indexOf(open, at + 1)) {
      opened += 1;
      if (opened > maxDepth) return true;
    }
  }
  return false;
}

/** Refuses JSON with more in it than a request can use, before it is parsed, which would take several times as long. */
function checkShape(body: Buffer): void {
  let depth = 0;
  let items = 0;
  let inString = false;
  for (let at = 0; at < body.length; at += 1) {
    const byte = body[at];
    if (byte === quote) inString = !inString;
    else if (inString) at += byte === backslash ? 1 : 0;
    else if (byte === comma) {
      items += 1;
      if (items > maxItems) throw tooMuch('variables_limit_error', maxItems, 'keys and items');
    } else if (byte === openBracket || byte === openBrace) {
      depth += 1;
      if (depth > maxDepth) throw tooMuch('depth_limit_error', maxDepth, 'levels of arrays and objects');
    } else if (byte === closeBracket || byte === closeBrace) depth -= 1;
  }
}

function tooMuch(type: string, max: number, what: string): DomainError {
  return new DomainError('BAD_REQUEST', {
    type,
    description: `The body may have at most ${max.toLocaleString('en')} ${what}.`,
  });
}
