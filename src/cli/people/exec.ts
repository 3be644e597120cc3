import { Argument, Option } from 'commander';
import type { Command } from '../command.ts';
import { keepDebuggerClosed } from '../debugger.ts';
import { UsageError } from '../usage-error.ts';
import { type GatewayOptions, gatewayOptions, gatewaySettings, repeatable } from './options.ts';

interface Options extends GatewayOptions {
  readonly only: readonly string[];
  readonly env: readonly string[];
  readonly watch?: boolean;
  readonly watchJitter: string;
}

export const exec: Command<Options> = {
  summary: 'run a program with values in its environment',
  details: `The values are encrypted to a key that exists only for this call, and are only in the environment of the program. The credential of the gateway is not in it. If a secret that you named has no value, the program does not start.

It skips names that cannot be variables, and variables that change how programs run (PATH, LD_PRELOAD, NODE_OPTIONS and others), with a message. Use --env to put a secret into another variable, or into one of these.

Signals and the terminal pass through. The exit code is that of the program; 128 plus the number of the signal if a signal ended it; 127 if the program does not exist; 126 if it cannot be run. It needs the scope secrets:resolve.

With --watch it follows changes to the secrets of the owner. After a change it waits at random, at most 10 s, and gets the values again. If one has changed, it ends the program with SIGTERM (after 10 s with SIGKILL) and starts it again. A deleted secret is a change, too. But if --only or --env names the deleted secret, or if the values cannot be read, the program continues with the values that it has. It also needs secrets:read.`,
  arguments: [new Argument('[CMD...]', 'the program and its arguments, after --')],
  options: [
    ...gatewayOptions(),
    repeatable('--only <NAME>', 'only this secret'),
    repeatable('--env <VARIABLE=NAME>', 'put the secret NAME into VARIABLE instead'),
    new Option('--watch', 'restart the program when one of its values changes'),
    new Option('--watch-jitter <SECONDS>', 'the longest random wait before a restart; implies --watch')
      .default('10')
      .implies({ watch: true }),
  ],
  settings: gatewaySettings,
  passThrough: true,
  run,
};

async function run(given: Options, command?: string, ...args: string[]): Promise<void> {
  // Values are in memory from here on.
  keepDebuggerClosed();
  if (!command) throw new UsageError('Say what to run: exec [OPTIONS] -- CMD …');
  const { only, env, watch, watchJitter, ...options } = given;
  const { parseRenames } = await import('./child-environment.ts');
  const wanted = { only: [...new Set(only.map((name) => name.normalize('NFC')))], renames: parseRenames(env) };
  if (watch) {
    const { execWatching, parseJitter } = await import('./exec-watch.ts');
    process.exit(await execWatching(options, wanted, parseJitter(watchJitter), [command, ...args]));
  }
  const { execOnce } = await import('./exec-once.ts');
  process.exit(await execOnce(options, wanted, command, args));
}
