/** One assignment of a .env file. */
export interface DotenvEntry {
  readonly name: string;
  readonly value: string;
  /** The line that it begins on, from 1. */
  readonly line: number;
}

/** What is wrong with a line. Nothing of the line is in it. */
export interface DotenvFault {
  readonly line: number;
  readonly message: string;
}

export type DotenvScan = { readonly entries: readonly DotenvEntry[] } | { readonly faults: readonly DotenvFault[] };

const maxValueBytes = 64 * 1024;

const assignment = /^[ \t]*(?:export[ \t]+)?([\w.-]+)[ \t]*=[ \t]*/;
const isBlankOrComment = /^[ \t]*(?:#.*)?$/s;
/** What only looks like one line: dotenv, like JavaScript, begins a new line at these, and drops these spaces. */
const lineSeparator = /[\u2028\u2029]/;

/**
 * Reads the text of a .env file strictly: what dotenv would skip, cut off or guess is a fault. Whatever is accepted here is
 * read by dotenv as exactly these entries.
 * @param text with lines that end in \n
 */
export function scanDotenv(text: string): DotenvScan {
  const lines = text.split('\n');
  const entries: DotenvEntry[] = [];
  const faults: DotenvFault[] = [];
  const lineOf = new Map<string, number>();
  for (let index = 0; index < lines.length; index += 1) {
    const line = index + 1;
    const found = readLine(lines, index);
    if (found === null) continue;
    if ('fault' in found) {
      faults.push({ line, message: found.fault });
      // Where a quote ends is not known, and so neither which lines are outside of it.
      if (found.isOpen) break;
      continue;
    }
    const { name, value } = found;
    index += found.more;
    const before = lineOf.get(name);
    if (before !== undefined)
      faults.push({ line, message: `the name is on line ${before} already: leave one of them` });
    else if (name === '__proto__') faults.push({ line, message: 'this name cannot be used' });
    else if (Buffer.byteLength(value) > maxValueBytes) faults.push({ line, message: 'the value is over 64 KiB' });
    lineOf.set(name, before ?? line);
    entries.push({ name, value, line });
  }
  return faults.length > 0 ? { faults } : { entries };
}

type Found = { name: string; value: string; more: number } | { fault: string; isOpen?: boolean };

function readLine(lines: readonly string[], index: number): Found | null {
  const line = lines[index] ?? '';
  if (line.includes('\0')) return { fault: 'there is a NUL character: is this a text file?' };
  if (isBlankOrComment.test(line)) return lineSeparator.test(line) ? { fault: hiddenCharacter } : null;
  const [start, name = ''] = assignment.exec(line) ?? [];
  if (start === undefined) return { fault: 'it is not NAME=value, a comment or empty' };
  const rest = line.slice(start.length);
  if (/^['"`]/.test(rest)) return readQuoted(name, rest, lines, index);
  return readUnquoted(name, rest, start.endsWith('='));
}

const hiddenCharacter = 'there is an invisible character: put the value in quotes';

function readUnquoted(name: string, rest: string, isRightAfterSign: boolean): Found {
  const comment = rest.indexOf('#');
  const written = comment < 0 ? rest : rest.slice(0, comment);
  const value = written.replace(/[ \t]+$/, '');
  if (comment === 0 ? isRightAfterSign : comment > 0 && value === written) {
    return { fault: 'a # begins a comment in the middle of the value: put the value in quotes' };
  }
  if (lineSeparator.test(rest) || value !== value.trim()) return { fault: hiddenCharacter };
  if (comment >= 0 && /['"`]/.test(value)) {
    return { fault: 'there is a quote before a #: put the value in other quotes' };
  }
  return { name, value, more: 0 };
}

function readQuoted(name: string, rest: string, lines: readonly string[], index: number): Found {
  const quote = rest[0] ?? '';
  let content = '';
  for (let more = 0, piece = rest.slice(1); ; more += 1, piece = lines[index + more] ?? '') {
    if (piece.includes('\0')) return { fault: 'there is a NUL character in the value', isOpen: true };
    const end = piece.indexOf(quote);
    content += end < 0 ? piece : piece.slice(0, end);
    if (end >= 0) {
      // dotenv keeps the backslash, and so the value would not be the one that was meant.
      if (content.endsWith('\\')) {
        return {
          fault: 'a quote is written with a backslash: use another kind of quotes around the value',
          isOpen: true,
        };
      }
      if (!isBlankOrComment.test(piece.slice(end + 1)) || lineSeparator.test(piece.slice(end + 1))) {
        return { fault: 'there is text behind the closing quote', isOpen: true };
      }
      const value = quote === '"' ? content.replaceAll('\\n', '\n').replaceAll('\\r', '\r') : content;
      return { name, value, more };
    }
    if (index + more + 1 >= lines.length) return { fault: 'the quote is not closed', isOpen: true };
    content += '\n';
  }
}
