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
  async run(args: string[], env: Record<string, string> = {}, node = packagedNode): Promise<Exit> {
    return this.start(args, env, node).exit;
  }

  /** Starts the gateway, and waits until it says that it runs. */
  async serve(env: Record<string, string> = {}): Promise<RunningGateway> {
    const { child, output, exit } = this.start(['serve'], { PORT: '0', ...env });
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
    const stop = (signal: NodeJS.Signals = 'SIGTERM') => {
      child.kill(signal);
      return exit;
    };
    return { url, token, output, stop };
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
  start(args: string[], env: Record<string, string>, node = packagedNode) {
    // Of this process's environment nothing but what finds programs: no setting of the machine's shall count.
    const child = spawn(node, [command, ...args], {
      cwd: this.directory,
      env: { PATH: process.env.PATH, HOME: this.directory, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#running.add(child);
    const output = { stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output.stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
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
  stop(signal?: NodeJS.Signals): Promise<Exit>;
}
