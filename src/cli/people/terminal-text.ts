import { CommandFailure } from '../failure.ts';

/**
 * Text that somebody else wrote, for a terminal, piece by piece: what would move its cursor, change its settings or turn the direction of
 * the text is shown by its code. Letters, signs and line ends of all languages stay.
 */
export class TerminalText {
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  #held = '';
  #isAtLineStart = true;

  /** @throws CommandFailure for what is no text */
  push(bytes: Uint8Array): string {
    if (bytes.includes(0)) {
      throw new CommandFailure('The answer is not text. Send it into a file or into another program: > FILE');
    }
    return this.#shown(this.#decoder.decode(bytes, { stream: true }));
  }

  /** What is left, and a line end where there is none: what the terminal shows next is on a line of its own. */
  end(): string {
    const rest = this.#shown(this.#decoder.decode()) + (this.#held === '' ? '' : codeOf(this.#held));
    return rest.endsWith('\n') || (rest === '' && this.#isAtLineStart) ? rest : `${rest}\n`;
  }

  /** A carriage return is the half of a line end, or writes over the line: what comes next tells. */
  #shown(text: string): string {
    const all = this.#held + text;
    this.#held = all.endsWith('\r') ? '\r' : '';
    const whole = this.#held === '' ? all : all.slice(0, -1);
    if (whole !== '') this.#isAtLineStart = whole.endsWith('\n');
    return whole.replace(/\r(?!\n)|(?![\t\n\r])\p{Cc}|[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, codeOf);
  }
}

function codeOf(character: string): string {
  return `\\u{${character.codePointAt(0)?.toString(16)}}`;
}
