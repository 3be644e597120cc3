import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { CommandFailure } from '../failure.ts';
import { startGroupWitness } from './group-witness.ts';

/** Those that end or steer a program. A terminal's others (stop, continue, resize) reach the child by themselves. */
const forwarded = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const;

/**
 * Runs a program in this process's group and terminal until it ends. A signal that is sent to this process alone is passed on; one that is
 * sent to the group has reached the child already.
 * @returns its exit code; 128 and the number of the signal that ended it
 * @throws CommandFailure where it cannot be started
 */
export async function runChild(
  command: string,
  args: readonly string[],
  env: Record<string, string | undefined>,
): Promise<number> {
  const witness = startGroupWitness();
  let child: ChildProcess | null = null;
  // One after the other: each asks the witness.
  let last: Promise<void> = Promise.resolve();
  for (const signal of forwarded) {
    process.on(signal, () => {
      last = last.then(async () => {
        if (!(await witness.wasSentToGroup(signal))) child?.kill(signal);
      });
    });
  }
  try {
    const started = spawn(command, args, { env, stdio: 'inherit' });
    child = started;
    return await new Promise<number>((resolve, reject) => {
      started.once('error', reject);
      started.once('exit', (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)));
    });
  } catch (error) {
    throw notStarted(error as NodeJS.ErrnoException);
  } finally {
    witness.stop();
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
