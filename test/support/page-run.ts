import { setTimeout as wait } from 'node:timers/promises';
import { type Block, stepsOf } from './markdown.ts';
import type { Terminal } from './terminal.ts';

/** The notes that a comment before a block may have. */
const noted = /^(not run: needs |run by |keeps running$|before:\s|answers: )/;

export function note(block: Block, kind: 'not run: needs' | 'run by' | 'keeps running' | 'before:' | 'answers:') {
  return block.notes
    .find((text) => text.startsWith(kind))
    ?.slice(kind.length)
    .trim();
}

export function unknownNotes(block: Block): string[] {
  return block.notes.filter((text) => !noted.test(text));
}

/** Runs a page block by block, as a reader would. */
export class PageRun {
  readonly #terminal: Terminal;
  /** The document of the last graphql block, and its variables. */
  #document: string | null = null;
  #variables: unknown;
  #token: string | null = null;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  async follow(block: Block): Promise<void> {
    const before = note(block, 'before:');
    if (before !== undefined) await this.#succeed(before);
    if (block.language === 'graphql') {
      this.#document = block.text;
      this.#variables = undefined;
    } else if (block.language === 'json') await this.#followJson(block);
    else if (block.language === 'console') await this.#followConsole(block);
    else if (block.language === 'sh') await this.#succeed(block.text);
    else throw new Error(`nothing runs a block of ${block.language || 'no language'}`);
  }

  async #succeed(command: string): Promise<void> {
    const { output, code } = await this.#terminal.run(command);
    if (code !== 0) throw new Error(`${command} ended with ${code}: ${output}`);
  }

  /** Runs in the folder of the project, as in a new terminal. Variables that were set before are still set. */
  async #followConsole(block: Block): Promise<void> {
    await this.#succeed(`cd '${this.#terminal.directory}'`);
    const steps = stepsOf(block);
    for (const [index, { command, output }] of steps.entries()) {
      if (index === steps.length - 1 && note(block, 'keeps running') !== undefined) {
        await this.#terminal.start(
          command,
          output.split('\n').filter((line) => !/^\s*…?$/.test(line)),
        );
      } else if (output.trim() === '') await this.#succeed(command);
      else this.#mustMatch(output, (await this.#terminal.run(command)).output);
    }
  }

  async #followJson(block: Block): Promise<void> {
    const written = JSON.parse(block.text) as Record<string, unknown>;
    const asked = note(block, 'answers:');
    if (asked !== undefined) {
      const { errors } = await this.ask(asked);
      this.#mustMatch(JSON.stringify(written), JSON.stringify((errors as unknown[])[0]));
    } else if ('level' in written) await this.#mustBeLogged(written);
    else if ('data' in written || 'errors' in written) {
      if (this.#document === null) throw new Error('an answer without a graphql block before it');
      this.#mustMatch(JSON.stringify(written), JSON.stringify(await this.ask(this.#document, this.#variables)));
    } else if (this.#document !== null) this.#variables = written;
    else throw new Error('neither variables, nor an answer, nor a line of the log');
  }

  /** Sends a document to the gateway of the page. */
  async ask(query: string, variables?: unknown): Promise<Record<string, unknown>> {
    const { bindings } = this.#terminal;
    const response = await fetch(bindings.substitute('http://127.0.0.1:4000/graphql'), {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${await this.token()}` },
      body: bindings.substitute(JSON.stringify({ query, variables })),
    });
    return response.json() as Promise<Record<string, unknown>>;
  }

  /** A token of the subject that the whole page uses. */
  async token(): Promise<string> {
    if (this.#token !== null) return this.#token;
    const { output } = await this.#terminal.run('npx --silent secrets-gateway token --sub developer --team demo:admin');
    this.#token = output;
    return output;
  }

  /** Expects a log line with the same members and the same text. Numbers may differ. */
  async #mustBeLogged(written: Record<string, unknown>): Promise<void> {
    const withoutNumbers = (line: object) =>
      JSON.stringify(line, (_name, value) => (typeof value === 'number' ? 'number' : value));
    for (const deadline = Date.now() + 10_000; Date.now() < deadline; await wait(100)) {
      const lines = this.#terminal.printed.split('\n').filter((line) => line.startsWith('{') && line.endsWith('}'));
      const parsed = lines.map((line) => JSON.parse(line) as object);
      if (parsed.some((line) => this.#terminal.bindings.matches(withoutNumbers(written), withoutNumbers(line)))) return;
    }
    throw new Error('no line of the log is like this one');
  }

  #mustMatch(written: string, actual: string): void {
    if (this.#terminal.bindings.matches(written, actual)) return;
    throw new Error(`The page says:\n${written.trimEnd()}\nwhat came is:\n${actual}`);
  }
}
