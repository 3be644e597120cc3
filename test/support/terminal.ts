import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { shellEnvironment } from './checkout.ts';

/** Text that differs from run to run. Each value in `bound` stands for the same thing in the whole page. */
const varying = {
  bound: [
    '127\\.0\\.0\\.1:\\d+',
    '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}',
    'sec_[0-9a-f]{9}',
    '(?:kek|mac|equality|seal-x25519|seal-p256)-[0-9a-f]{12}',
    'sgk_[0-9A-Za-z]{49}',
  ],
  free: ['eyJ[\\w-]*(?:\\.[\\w-]+)*…?', '\\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z', '\\d{4}-\\d\\d-\\d\\d'],
};
const boundPattern = new RegExp(varying.bound.join('|'), 'g');
const varyingPattern = new RegExp([...varying.bound, ...varying.free].join('|'), 'g');
const address = /127\.0\.0\.1:\d+/g;

/** The actual values for those that a page shows: ports, ids, placeholders, keys. */
export class Bindings {
  readonly #actual = new Map<string, string>();

  bind(written: string, actual: string): void {
    const before = this.#actual.get(written);
    if (before !== undefined && before !== actual) throw new Error(`${written} is ${before}, and now ${actual}`);
    this.#actual.set(written, actual);
  }

  /** @throws when nothing was started at an address */
  substitute(text: string): string {
    for (const [found] of text.matchAll(address)) {
      if (!this.#actual.has(found)) throw new Error(`nothing was started at ${found}`);
    }
    return text.replace(boundPattern, (written) => this.#actual.get(written) ?? written);
  }

  /** Whether both texts are the same except for what varies; if so, binds those values. */
  matches(written: string, actual: string): boolean {
    if (skeleton(written) !== skeleton(actual)) return false;
    const found = [...actual.matchAll(varyingPattern)].map(([one]) => one);
    for (const [index, [one]] of [...written.matchAll(varyingPattern)].entries()) {
      if (one.match(boundPattern)?.[0] === one) this.bind(one, found[index] ?? '');
    }
    return true;
  }
}

function skeleton(text: string): string {
  const kind = (one: string) =>
    [...varying.bound, ...varying.free].findIndex((p) => new RegExp(`^(?:${p})$`).test(one));
  return text.trimEnd().replace(varyingPattern, (one) => `<${kind(one)}>`);
}

const end = 'end-of-this-command';
/** Enough for the start of a server on a busy machine. */
const patienceMs = 50_000;

/** A shell in a folder, as used by a reader who follows a page. */
export class Terminal {
  readonly bindings = new Bindings();
  readonly directory: string;
  readonly #env: Record<string, string>;
  readonly #shell: ChildProcess;
  readonly #running: { child: ChildProcess; printed: () => string }[] = [];
  #output = '';
  /** Called with each piece of output. */
  #look: () => void = () => {};

  private constructor(directory: string, env: Record<string, string>) {
    this.directory = directory;
    this.#env = env;
    this.#shell = spawn('bash', ['--noprofile', '--norc'], { cwd: directory, env, detached: true });
    this.#shell.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#output += text;
      this.#look();
    });
    this.#shell.once('close', () => this.#look());
  }

  /** @param isQuick whether the gateway's commands are started directly where npm and npx are typed: these take a second each */
  static async open(directory: string, isQuick = false): Promise<Terminal> {
    const env = shellEnvironment();
    const path = (env.PATH ?? '').split(delimiter);
    const shims = join(directory, '.shims');
    await mkdir(shims);
    const ours = `PATH=${join(directory, 'node_modules/.bin')}:$PATH exec node ${join(directory, 'bin/secrets-gateway.js')}`;
    const quick = {
      npm: `[ "$*" = start ] && ${ours} serve`,
      npx: `[ "$1" = --silent ] && [ "$2" = secrets-gateway ] && shift 2 && ${ours} "$@"`,
    };
    for (const name of ['npm', 'npx'] as const) {
      const lines = [
        '#!/bin/sh',
        // It would take node_modules away from all other tests. .ci/run begins with it.
        '[ "$1" = ci ] && exit 0',
        isQuick ? quick[name] : '',
        `PATH=${path.join(delimiter)} exec ${name} "$@"`,
      ];
      await writeFile(join(shims, name), lines.join('\n'), { mode: 0o755 });
    }
    // Each page has a folder of its own. What Node compiled in one serves the others.
    return new Terminal(directory, {
      ...env,
      PATH: [shims, ...path].join(delimiter),
      NODE_COMPILE_CACHE_PORTABLE: '1',
    });
  }

  /** Runs a command to its end. */
  async run(command: string): Promise<{ output: string; code: number }> {
    const typed = this.bindings.substitute(command);
    this.#output = '';
    const finished = new RegExp(`\\n${end} (\\d+)\\n`);
    await new Promise<void>((resolve, reject) => {
      this.#look = () => {
        if (finished.test(this.#output)) resolve();
        else if (this.#shell.exitCode !== null) reject(new Error(`the shell ended: ${this.#output}`));
      };
      this.#shell.stdin?.write(`{ ${typed}\n} </dev/null 2>&1; printf '\\n%s %s\\n' ${end} $?\n`);
    });
    const [, code] = finished.exec(this.#output) ?? [];
    return { output: this.#output.replace(finished, '').trimEnd(), code: Number(code) };
  }

  /** Starts a command that runs until the terminal is closed, and waits until it prints these lines. */
  async start(command: string, lines: readonly string[]): Promise<void> {
    const { output: cwd } = await this.run('pwd');
    // Several gateways and tests run at once, so none may use its default port.
    const env = { ...this.#env, PORT: '0' };
    const child = spawn('bash', ['-c', this.bindings.substitute(command)], { cwd, env, detached: true });
    let printed = '';
    this.#running.push({ child, printed: () => printed });
    await new Promise<void>((resolve, reject) => {
      const look = (text: string) => {
        printed += text;
        try {
          if (this.#haveCome(lines, printed)) resolve();
        } catch (error) {
          reject(error);
        }
      };
      child.stdout.setEncoding('utf8').on('data', look);
      child.stderr.setEncoding('utf8').on('data', look);
      child.once('close', () => reject(new Error(`${command} ended: ${printed}`)));
      setTimeout(
        () => reject(new Error(`${command} does not print\n${lines.join('\n')}\nbut\n${printed}`)),
        patienceMs,
      ).unref();
    });
  }

  /** Whether the lines are printed in this order; there may be other lines between them, such as those of npm. */
  #haveCome(lines: readonly string[], printed: string): boolean {
    const actual = printed.split('\n');
    const found: string[] = [];
    for (const line of lines) {
      while (actual.length > 0 && skeleton(actual[0] ?? '') !== skeleton(line)) actual.shift();
      if (actual.length === 0) return false;
      found.push(actual.shift() ?? '');
    }
    for (const [index, line] of lines.entries()) this.bindings.matches(line, found[index] ?? '');
    return true;
  }

  /** The output of all started commands. */
  get printed(): string {
    return this.#running.map(({ printed }) => printed()).join('');
  }

  async close(): Promise<void> {
    await Promise.all(
      [this.#shell, ...this.#running.map(({ child }) => child)].map(async (child) => {
        if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
        const gone = once(child, 'close');
        process.kill(-child.pid, 'SIGTERM');
        await gone;
      }),
    );
  }
}
