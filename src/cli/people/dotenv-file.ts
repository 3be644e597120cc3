import { CommandFailure } from '../failure.ts';
import { printable } from '../printable.ts';
import { type DotenvEntry, type DotenvFault, scanDotenv } from './dotenv-scan.ts';
import { readBytes } from './read-bytes.ts';
import { isVariableName } from './variable-name.ts';

const maxFileBytes = 64 * 1024 * 1024;
const shownFaults = 20;

/**
 * Reads a .env file.
 * @throws CommandFailure that names each bad line, and nothing that stands on it
 */
export async function readDotenvFile(path: string): Promise<readonly DotenvEntry[]> {
  const bytes = await readBytes(path, maxFileBytes, 'The .env file');
  return parseDotenv(bytes, path);
}

/** @param path for the error */
export async function parseDotenv(bytes: Uint8Array, path: string): Promise<readonly DotenvEntry[]> {
  const text = decode(bytes, path).replace(/\r\n?/g, '\n');
  const scan = scanDotenv(text);
  if ('faults' in scan) throw refusal(path, scan.faults);
  const { parse } = await import('dotenv');
  const parsed = parse(text);
  // The scan accepts only what dotenv reads in the same way, and this makes sure of it.
  const other = scan.entries.find(({ name, value }) => parsed[name] !== value);
  if (other) throw refusal(path, [{ line: other.line, message: 'programs would read this line in different ways' }]);
  if (Object.keys(parsed).length !== scan.entries.length) {
    throw new CommandFailure(`${printable(path)}: programs would read this file in different ways.`);
  }
  return scan.entries;
}

/**
 * Refuses what no secret can be made of, before anything is written.
 * @param isUser a user's secrets have the names of variables
 */
export function refuseUnwritable(entries: readonly DotenvEntry[], path: string, isUser: boolean): void {
  const faults = entries.flatMap(({ name, value, line }) => {
    if (value === '') return [{ line, message: 'the value is empty: leave the line out' }];
    if (name.length > 255) return [{ line, message: 'the name is over 255 characters' }];
    if (isUser && !isVariableName(name)) {
      return [{ line, message: 'for your own secret a name has letters, digits and _ only, and begins with no digit' }];
    }
    return [];
  });
  if (faults.length > 0) throw refusal(path, faults);
}

function decode(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new CommandFailure(`${printable(path)} is not UTF-8 text. Save it in UTF-8.`);
  }
}

/** Why a file cannot be used. */
export function refusal(path: string, faults: readonly DotenvFault[]): CommandFailure {
  return new CommandFailure(
    `${printable(path)} has lines that cannot be used. Nothing was written.${lineFaults(faults)}`,
  );
}

/** A line of text for each. */
export function lineFaults(faults: readonly DotenvFault[]): string {
  const shown = faults.slice(0, shownFaults).map(({ line, message }) => `\n  line ${line}: ${printable(message)}`);
  const more = faults.length > shownFaults ? `\n  and ${faults.length - shownFaults} more` : '';
  return `${shown.join('')}${more}`;
}
