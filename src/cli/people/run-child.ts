import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { CommandFailure } from '../failure.ts';
import { startGroupWitness } from './group-witness.ts';

/** Those that end or steer a program. A terminal's others (stop, continue, resize) reach the child by themselves. */
const forwarded = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const;

/** Of these, those that ask a program to end. */
const ending: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'];

export interface RunningChild {
  /**
   * Its exit code; 128 and the number of the signal that ended it.
   * @throws CommandFailure where it cannot be started
   */
  readonly ended: Promise<number>;
  kill(signal: NodeJS.Signals): void;
}

/**
 * Runs programs in this process's group and terminal, one after the other. A signal that is sent to this process alone is passed on; one that
 * is sent to the group has reached the child already.
 */
export class ChildRunner {
  readonly #witness = startGroupWitness();
  #child: ChildProcess | null = null;
  // One after the other: each asks the witness.
  #last: Promise<void> = Promise.resolve();
  #endings = 0;
  #isTerminated = false;

  constructor() {
    for (const signal of forwarded) {
      process.on(signal, () => {
        if (ending.includes(signal)) this.#endings += 1;
        this.#isTerminated ||= signal === 'SIGTERM';
        this.#last = this.#last.then(async () => {
          if (!(await this.#witness.wasSentToGroup(signal))) this.#child?.kill(signal);
        });
      });
    }
  }

  /** How many signals have come so far that ask to end. */
  get endings(): number {
    return this.#endings;
  }

  /** Whether one of them was SIGTERM, which means nothing else. A program may need some time then. */
  get isTerminated(): boolean {
    return this.#isTerminated;
  }

  start(command: string, args: readonly string[], env: Record<string, string | undefined>): RunningChild {
    try {
      const started = spawn(command, args, { env, stdio: 'inherit' });
      this.#child = started;
      const ended = new Promise<number>((resolve, reject) => {
        started.once('error', (error) => reject(notStarted(error)));
        started.once('exit', (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)));
      });
      return { ended, kill: (signal) => void started.kill(signal) };
    } catch (error) {
      throw notStarted(error as NodeJS.ErrnoException);
    }
  }

  stop(): void {
    this.#witness.stop();
  }
}

/**
 * Runs a program until it ends.
 * @returns its exit code; 128 and the number of the signal that ended it
 * @throws CommandFailure where it cannot be started
 */
export async function runChild(
  command: string,
  args: readonly string[],
  env: Record<string, string | undefined>,
): Promise<number> {
  const runner = new ChildRunner();
  try {
    return await runner.start(command, args, env).ended;
  } finally {
    runner.stop();
  }
}

/** With the exit codes of env and of shells. */
function notStarted({ code }: NodeJS.ErrnoException): CommandFailure {
  switch (code) {
    case 'ENOENT':
      return new CommandFailure('The command cannot be found. Is it installed, and in PATH?', 'notFound');
    case 'EACCES':
      return new CommandFailure('The command cannot be run: this user may not execute it.', 'notExecutable');
    case 'E2BIG':
      return new CommandFailure('The values are too large for an environment. Choose some of them with --only.');
    default:
      return new CommandFailure(`The command cannot be started (${code}).`, 'notExecutable');
  }
}
