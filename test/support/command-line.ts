import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');
const command = join(root, 'bin/secrets-gateway.js');
const packagedNode = join(root, 'node_modules/.bin/node');

export interface Exit {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: a test reads what it asked for
  readonly data: any;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  readonly errors: any;
}

/** To be loaded before a command: its waits of seconds end at once, or when it gets SIGUSR2. */
export const longWaits = {
  skipped: new URL('long-waits.ts?skip', import.meta.url).href,
  untilSignal: new URL('long-waits.ts', import.meta.url).href,
};

export interface StartOptions {
  /** Another Node than the packaged one. */
  readonly node?: string | undefined;
  /** Modules that are loaded before the command. */
  readonly preload?: readonly string[];
}

/** The command line as a user types it, in a directory of its own. */
export class CommandLine {
  readonly directory: string;
  readonly #running = new Set<ChildProcess>();

  private constructor(directory: string) {
    this.directory = directory;
  }

  static async open(): Promise<CommandLine> {
    return new CommandLine(await mkdtemp(join(tmpdir(), 'secrets-gateway-')));
  }

  /** Runs a command to its end. */
  async run(args: string[], env: Record<string, string> = {}, options: StartOptions = {}): Promise<Exit> {
    return this.start(args, env, options).exit;
  }

  /** Starts the gateway, and waits until it says that it runs. */
  async serve(env: Record<string, string> = {}, preload: readonly string[] = []): Promise<RunningGateway> {
    const { child, output, exit } = this.start(['serve'], { PORT: '0', ...env }, { preload });
    const url = await new Promise<string>((resolve, reject) => {
      const look = () => {
        // What it prints in development, and what it logs otherwise.
        const found = /GraphQL +(http\S+)/.exec(output.stdout)?.[1] ?? /"url":"([^"]+)"/.exec(output.stderr)?.[1];
        // The last line, so that the token is there too.
        if (found && (output.stderr.includes('"url"') || output.stdout.includes('Ctrl-C'))) resolve(found);
      };
      child.stdout?.on('data', look);
      child.stderr?.on('data', look);
      exit.then(({ code, stderr }) => reject(new Error(`serve ended with ${code}: ${stderr}`)), reject);
    });
    const token = /Bearer ([\w.-]+)/.exec(output.stdout)?.[1] ?? '';
    return {
      url,
      token,
      output,
      async run(query, variables = {}, as = token) {
        const response = await fetch(url, {
          method: 'POST',
          headers: { 'content-type': 'application/json', authorization: `Bearer ${as}` },
          body: JSON.stringify({ query, variables }),
        });
        const { data, errors } = await response.json();
        return { status: response.status, data, errors };
      },
      async ask(message) {
        const answered = once(child, 'message');
        child.send(message);
        return (await answered)[0];
      },
      stop(signal = 'SIGTERM') {
        child.kill(signal);
        return exit;
      },
    };
  }

  /** Ends what still runs, and leaves nothing behind. */
  async close(): Promise<void> {
    await Promise.all(
      [...this.#running].map(async (child) => {
        const gone = once(child, 'exit');
        child.kill('SIGKILL');
        await gone;
      }),
    );
    await rm(this.directory, { recursive: true, force: true });
  }

  /** Starts a command; what it prints is there to look at while it runs. */
  start(args: string[], env: Record<string, string>, { node = packagedNode, preload = [] }: StartOptions = {}) {
    const imports = preload.flatMap((file) => ['--import', file]);
    // Of this process's environment nothing but what finds programs: no setting of the machine's shall count.
    const child = spawn(node, [...imports, command, ...args], {
      cwd: this.directory,
      env: { PATH: process.env.PATH, HOME: this.directory, ...env },
      // What is loaded before it may be talked to.
      stdio: ['ignore', 'pipe', 'pipe', ...(preload.length > 0 ? (['ipc'] as const) : [])],
    });
    this.#running.add(child);
    const output = { stdout: '', stderr: '' };
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      output.stdout += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      output.stderr += text;
    });
    const exit = once(child, 'close').then(([code]): Exit => {
      this.#running.delete(child);
      return { code, ...output };
    });
    return { child, output, exit };
  }
}

export interface RunningGateway {
  readonly url: string;
  /** Empty when it printed none. */
  readonly token: string;
  readonly output: { readonly stdout: string; readonly stderr: string };
  /** Runs a document, with the printed token unless it is given another. */
  run(query: string, variables?: object, token?: string): Promise<Answer>;
  /** Asks a module that was loaded before it. */
  ask(message: string): Promise<unknown>;
  stop(signal?: NodeJS.Signals): Promise<Exit>;
}
