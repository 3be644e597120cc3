import { type ChildProcess, spawn } from 'node:child_process';

export interface GroupWitness {
  /** Whether a signal that this process has just got was sent to its whole group, as by Ctrl-C. */
  wasSentToGroup(signal: NodeJS.Signals): Promise<boolean>;
  stop(): void;
}

/** How long after its witness this process may notice the same signal. */
const togetherMs = 1000;
const maxAttempts = 5;

/**
 * A process cannot learn who a signal was sent to. A second process of its group can tell: if a signal has ended it, the whole group got
 * that signal; if it answers, it did not. The kernel signals a whole group at once, so that what has got the signal cannot answer any more.
 */
export function startGroupWitness(): GroupWitness {
  let witness = start();
  /** The signals that ended a witness, until this process notices them itself: several may come at once, in any order. */
  const endings = new Map<NodeJS.Signals, number>();
  return {
    async wasSentToGroup(signal) {
      for (let attempt = 1; attempt <= maxAttempts; attempt += 1) {
        const endedAt = endings.get(signal);
        endings.delete(signal);
        if (endedAt !== undefined && performance.now() - endedAt < togetherMs) return true;
        if (witness.pid === undefined || (await answers(witness))) return false;
        if (witness.signalCode) endings.set(witness.signalCode, performance.now());
        witness = start();
      }
      return false;
    },
    stop() {
      witness.kill('SIGKILL');
    },
  };
}

/** Whether it writes back what is written to it; if not, it has ended. */
function answers(witness: ChildProcess): Promise<boolean> {
  if (witness.exitCode !== null || witness.signalCode !== null) return Promise.resolve(false);
  return new Promise((resolve) => {
    const answered = () => {
      witness.off('exit', ended);
      resolve(true);
    };
    const ended = () => {
      witness.stdout?.off('data', answered);
      resolve(false);
    };
    witness.stdout?.once('data', answered);
    witness.once('exit', ended);
    witness.stdin?.write('\n');
  });
}

/** It writes what it reads. Nothing of this process's environment is in it. */
function start(): ChildProcess {
  const witness = spawn('cat', [], { stdio: ['pipe', 'pipe', 'ignore'], env: { PATH: '/usr/bin:/bin' } });
  // Where there is no cat, every signal is passed on.
  witness.on('error', () => {});
  witness.stdin?.on('error', () => {});
  witness.stdout?.on('error', () => {});
  return witness;
}
