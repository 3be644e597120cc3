import type { IncomingMessage } from 'node:http';
import { CommandFailure } from '../failure.ts';
import { printable } from '../printable.ts';
import { readRefusal } from './read-refusal.ts';
import { TerminalText } from './terminal-text.ts';
import type { UseTarget } from './use-target.ts';

/**
 * Prints an answer as it comes, and says of one that is no success what it is.
 * @throws GatewayError where the gateway refused; CommandFailure where the destination did, or the answer is not complete
 */
export async function printAnswer(answer: IncomingMessage, target: UseTarget, include: boolean): Promise<void> {
  const { statusCode: status = 0, statusMessage = '' } = answer;
  const refused = await readRefusal(answer, target);
  if (refused) throw refused;
  const output = new Output();
  if (include) await output.write(headOf(answer));
  try {
    for await (const piece of answer as AsyncIterable<Buffer>) {
      await output.write(piece);
      // Who pipes the answer into `head` has seen enough.
      if (output.isClosed) break;
    }
  } catch (error) {
    if (error instanceof CommandFailure) throw error;
    throw new CommandFailure('The answer broke off: it is not complete.');
  }
  await output.end();
  if (status < 300) return;
  const who = target.secret?.destination?.origin ?? 'The destination';
  const said = `${who} answered HTTP ${status}${statusMessage && ` ${printable(statusMessage)}`}`;
  if (status >= 400)
    throw new CommandFailure(
      `${said}.${status === 401 ? ' Is the value still good? secrets-gateway check asks its provider.' : ''}`,
    );
  const { location } = answer.headers;
  process.stderr.write(
    `${said}${location === undefined ? '.' : `: ${printable(location)}. No redirect is followed.`}\n`,
  );
}

/** As it came, with line ends for people. */
function headOf({ httpVersion, statusCode, statusMessage, rawHeaders }: IncomingMessage): Buffer {
  const lines = [`HTTP/${httpVersion} ${statusCode} ${statusMessage}`];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) lines.push(`${rawHeaders[at]}: ${rawHeaders[at + 1]}`);
  return Buffer.from(`${lines.join('\n')}\n\n`, 'latin1');
}

/** Standard output: bytes as they are, and text for a terminal. */
class Output {
  readonly #text = process.stdout.isTTY ? new TerminalText() : null;
  /** Whoever read it does not any more. */
  isClosed = false;

  /** Resolves when it is written. */
  async write(bytes: Buffer): Promise<void> {
    await this.#write(this.#text ? this.#text.push(bytes) : bytes);
  }

  async end(): Promise<void> {
    if (this.#text) await this.#write(this.#text.end());
  }

  #write(piece: Buffer | string): Promise<void> {
    return new Promise((resolve) => {
      process.stdout.write(piece, (error) => {
        // What is worse than a reader who has left ends the process (src/main.ts).
        if (error) this.isClosed = true;
        resolve();
      });
    });
  }
}
