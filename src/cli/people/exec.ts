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
  details: `The values are delivered to a key that exists for this call, and are in the environment of the program alone. The credential of the gateway is not. Where a secret that was asked for has no value, the program does not start.

It skips names that cannot be variables, and variables that change how programs run (PATH, LD_PRELOAD, NODE_OPTIONS and others), and says so; --env gives a secret another variable, or one of these.

Signals, terminal and exit code are the program's own; a program that a signal ends exits with 128 and its number. 127: there is no such program; 126: it cannot be run. It needs the scope secrets:resolve.

With --watch it is told of changes to the secrets of the owner. After a random wait of at most 10 s it gets the values again; where one is another, it ends the program with SIGTERM, after 10 s with SIGKILL, and starts it anew. Without a secret that was deleted it is started anew, too. Where one that --only or --env names is deleted, or the values cannot be read, the program goes on with those that it has. It needs secrets:read, too.`,
  arguments: [new Argument('[CMD...]', 'the program and its arguments, after --')],
  options: [
    ...gatewayOptions(),
    repeatable('--only <NAME>', 'only this secret'),
    repeatable('--env <VARIABLE=NAME>', 'put the secret NAME into VARIABLE instead'),
    new Option('--watch', 'start the program anew when one of its values changes'),
    new Option('--watch-jitter <SECONDS>', 'the longest wait before that, which is random; implies --watch')
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
