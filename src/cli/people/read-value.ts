import { isAtTerminal } from '../confirm.ts';
import { CommandFailure } from '../failure.ts';
import { exitInterrupted } from '../interrupted.ts';
import { printable } from '../printable.ts';
import { readBytes } from './read-bytes.ts';

/** 64 KiB, and a newline that does not count. */
const maxBytes = 64 * 1024 + 2;

export interface ValueSource {
  /** A file, instead of standard input. */
  readonly file?: string | undefined;
  /** Keep a newline at the end. */
  readonly exact?: boolean | undefined;
}

/**
 * Reads a value: from a file, from a prompt without echo, or from standard input.
 * @param name of the secret, for the prompt
 * @throws CommandFailure that says nothing of the value
 */
export async function readValue(name: string, { file, exact }: ValueSource): Promise<string> {
  if (file === undefined && isAtTerminal()) return askValue(name);
  if (file === undefined && process.stdin.isTTY) {
    throw new CommandFailure(
      'There is no terminal to ask at. Give the value on standard input or with --file.',
      'usage',
    );
  }
  const bytes = await readBytes(file ?? null, maxBytes, file === undefined ? 'Standard input' : '--file');
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new CommandFailure('The value is not UTF-8 text. Encode it first, for example with base64.');
  }
  // The gateway says the rest of the rules of a value.
  const value = exact ? text : text.replace(/\r?\n$/, '');
  if (value === '') throw new CommandFailure('The value is empty. Nothing was written.');
  return value;
}

/** What is pasted with several lines would be cut at the first: the prompt ends there. */
const hasLineInside = /[\r\n][^\r\n]/;

async function askValue(name: string): Promise<string> {
  const { default: password } = await import('@inquirer/password');
  let hasSeveralLines = false;
  const look = (chunk: Buffer | string) => {
    if (hasLineInside.test(chunk.toString())) hasSeveralLines = true;
  };
  process.stdin.on('data', look);
  try {
    // The key that shows what was typed is off.
    const value = await password(
      { message: `Value of ${printable(name)}:`, toggleMask: false, theme: { style: { maskedText: '(not shown)' } } },
      { output: process.stderr },
    );
    if (hasSeveralLines) {
      throw new CommandFailure(
        'The prompt takes one line, and more came. Nothing was written. Give it with --file or on standard input.',
      );
    }
    if (value === '') throw new CommandFailure('The value is empty. Nothing was written.');
    return value;
  } catch (error) {
    // Ctrl-C
    if (error instanceof Error && error.name === 'ExitPromptError') exitInterrupted();
    throw error;
  } finally {
    process.stdin.off('data', look);
    process.stdin.pause();
  }
}
