import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withoutPlans } from './plans.ts';

const root = join(import.meta.dirname, '../..');
const installed = join(root, 'bin/secrets-gateway.js');
const packagedNode = join(root, 'node_modules/.bin/node');

export interface Exit {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: a test reads the fields that it selected
  readonly data: any;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  readonly errors: any;
}

/** Modules to load before a command: its waits of seconds end immediately, or when it gets SIGUSR2. */
export const longWaits = {
  skipped: new URL('long-waits.ts?skip', import.meta.url).href,
  untilSignal: new URL('long-waits.ts', import.meta.url).href,
};

/** A module to load before a gateway: it injects the fault that `ask` names. */
export const injectedFaults = new URL('inject-faults.ts', import.meta.url).href;

export interface StartOptions {
  /** A Node other than the packaged one. */
  readonly node?: string | undefined;
  /** Modules that are loaded before the command. */
  readonly preload?: readonly string[];
}

/** The command line as a user types it, in its own directory. */
export class CommandLine {
  readonly directory: string;
  readonly #command: string;
  readonly #running = new Set<ChildProcess>();

  private constructor(directory: string, command: string) {
    this.directory = directory;
    this.#command = command;
  }

  /** @param command another one than that of the project */
  static async open(command = installed): Promise<CommandLine> {
    return new CommandLine(await mkdtemp(join(tmpdir(), 'secrets-gateway-')), command);
  }

  /** Runs a command to its end. */
  async run(args: string[], env: Record<string, string> = {}, options: StartOptions = {}): Promise<Exit> {
    return this.start(args, env, options).exit;
  }

  /** Starts the gateway, and waits until it reports that it is running. */
  async serve(
    env: Record<string, string> = {},
    preload: readonly string[] = [],
    options: readonly string[] = [],
  ): Promise<RunningGateway> {
    const { child, output, exit } = this.start(['serve', ...options], { PORT: '0', ...env }, { preload });
    const url = await new Promise<string>((resolve, reject) => {
      const look = () => {
        // It prints the URL in development, and logs it otherwise.
        const found = /GraphQL +(http\S+)/.exec(output.stdout)?.[1] ?? /"url":"([^"]+)"/.exec(output.stderr)?.[1];
        // Waits for the last line, so that the token is there too.
        if (found && (output.stderr.includes('"url"') || output.stdout.includes('Ctrl-C'))) resolve(found);
      };
      child.stdout?.on('data', look);
      child.stderr?.on('data', look);
      exit.then(({ code, stderr }) => reject(new Error(`serve ended with ${code}: ${stderr}`)), reject);
    });
    const token = /Bearer ([\w.-]+)/.exec(output.stdout)?.[1] ?? '';
    return {
      pid: child.pid ?? 0,
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

  /** Ends all processes that still run, and removes the directory. */
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

  /** Starts a command; its output can be read while it runs. */
  start(args: string[], env: Record<string, string>, { node = packagedNode, preload = [] }: StartOptions = {}) {
    const imports = preload.flatMap((file) => ['--import', file]);
    // Only PATH is kept of this process's environment: no setting of the machine may have an effect.
    const child = spawn(node, [...imports, this.#command, ...args], {
      cwd: this.directory,
      env: { PATH: process.env.PATH, HOME: this.directory, ...withoutPlans, ...env },
      // The modules that are loaded before it use this channel.
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
  readonly pid: number;
  readonly url: string;
  /** Empty if it printed none. */
  readonly token: string;
  readonly output: { readonly stdout: string; readonly stderr: string };
  /** Runs a document, by default with the printed token. */
  run(query: string, variables?: object, token?: string): Promise<Answer>;
  /** Sends a question to a module that was loaded before the gateway. */
  ask(message: string): Promise<unknown>;
  stop(signal?: NodeJS.Signals): Promise<Exit>;
}
