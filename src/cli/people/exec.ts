import { Argument } from 'commander';
import type { Command } from '../command.ts';
import { keepDebuggerClosed } from '../debugger.ts';
import { CommandFailure } from '../failure.ts';
import { printable } from '../printable.ts';
import { UsageError } from '../usage-error.ts';
import { type GatewayOptions, gatewayOptions, gatewaySettings, repeatable } from './options.ts';

interface Options extends GatewayOptions {
  readonly only: readonly string[];
  readonly env: readonly string[];
}

export const exec: Command<Options> = {
  summary: 'run a program with values in its environment',
  details: `The values are delivered to a key that exists for this call, and are in the environment of the program alone. The credential of the gateway is not. Where a secret that was asked for has no value, the program does not start.

It skips names that cannot be variables, and variables that change how programs run (PATH, LD_PRELOAD, NODE_OPTIONS and others), and says so; --env gives a secret another variable, or one of these.

Signals, terminal and exit code are the program's own; a program that a signal ends exits with 128 and its number. 127: there is no such program; 126: it cannot be run. It needs the scope secrets:resolve.`,
  arguments: [new Argument('[CMD...]', 'the program and its arguments, after --')],
  options: [
    ...gatewayOptions(),
    repeatable('--only <NAME>', 'only this secret'),
    repeatable('--env <VARIABLE=NAME>', 'put the secret NAME into VARIABLE instead'),
  ],
  settings: gatewaySettings,
  passThrough: true,
  run,
};

async function run({ only: asked, env, ...options }: Options, command?: string, ...args: string[]): Promise<void> {
  // Values are in memory from here on.
  keepDebuggerClosed();
  if (!command) throw new UsageError('Say what to run: exec [OPTIONS] -- CMD …');
  const { openGateway } = await import('./gateway.ts');
  const { resolve } = await import('./resolve.ts');
  const plan = await import('./child-environment.ts');
  const { environment } = await import('./environment.ts');
  const only = [...new Set(asked.map((name) => name.normalize('NFC')))];
  const renames = plan.parseRenames(env);
  const gateway = await openGateway(options);
  const wanted = [...new Set([...only, ...renames.values()])];
  const secrets = await resolve(gateway, {
    purpose: 'exec',
    ...(only.length > 0 && { names: wanted }),
  });
  const values = new Map(secrets.map(({ name, value }) => [name, value]));
  const absent = wanted.filter((name) => !values.has(name));
  if (absent.length > 0) {
    throw new CommandFailure(
      `These secrets do not exist, or have no value: ${absent.map(printable).join(', ')}. Nothing was started.`,
    );
  }
  const { variables, skipped } = plan.selectVariables(values, { only, renames });
  plan.refuseNul(variables);
  for (const { name, why } of skipped)
    process.stderr.write(`Skipped: ${printable(name)} ${why}. --env VARIABLE=NAME sets it all the same.\n`);
  const { runChild } = await import('./run-child.ts');
  process.exit(
    await runChild(command, args, plan.childEnvironment(environment(), gateway.credential.secret, variables)),
  );
}
