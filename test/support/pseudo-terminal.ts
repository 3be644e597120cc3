import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** A terminal needs Python's module pty. */
export const hasPty = spawnSync('python3', ['-c', 'import pty']).status === 0;

export interface Shown {
  /** What the terminal showed, with its escapes. */
  readonly text: string;
  readonly code: number;
}

/** What to wait for, what to type then, and what somebody else runs in between. */
export type Typed = readonly [awaited: string, typed: string, meanwhile?: string];

/** Far more than any command takes. */
const patienceMs = 30_000;

/**
 * Runs a command on a pseudo-terminal.
 */
export async function onTerminal(
  command: readonly string[],
  { cwd, env, script }: { cwd: string; env: Record<string, string>; script: readonly Typed[] },
): Promise<Shown> {
  const python = join(import.meta.dirname, 'pseudo-terminal.py');
  // Python itself runs in the environment of the tests.
  const child = spawn('python3', [python, JSON.stringify(script), JSON.stringify(env), ...command], {
    cwd,
    stdio: ['ignore', 'pipe', 'inherit'],
    // The terminal closes, and what runs on it ends.
    timeout: patienceMs,
    killSignal: 'SIGKILL',
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  await once(child, 'close');
  const last = output.lastIndexOf('{"code"');
  if (last < 0) throw new Error(`the terminal did not show what was waited for, but ${JSON.stringify(output)}`);
  const { code, left } = JSON.parse(output.slice(last));
  if (left > 0) throw new Error(`the terminal did not show what was waited for, but ${JSON.stringify(output)}`);
  return { text: output.slice(0, last), code };
}
