import { Argument, Option } from 'commander';
import type { Command } from '../command.ts';
import { CommandFailure } from '../failure.ts';
import { printable } from '../printable.ts';
import { UsageError } from '../usage-error.ts';
import { type GatewayOptions, gatewayOptions, gatewaySettings } from './options.ts';

interface Options extends GatewayOptions {
  readonly yes?: boolean;
}

export const rm: Command<Options> = {
  summary: 'delete a secret',
  details: 'It asks first. Without a terminal it needs --yes. It needs the scopes secrets:read and secrets:write.',
  arguments: [new Argument('<NAME>', 'the name of the secret')],
  options: [...gatewayOptions(), new Option('-y, --yes', 'delete without a question')],
  settings: gatewaySettings,
  async run({ yes, ...options }, name = '') {
    const { openClient } = await import('./client.ts');
    const { requireSecret } = await import('./secret.ts');
    const { confirm, isAtTerminal } = await import('../confirm.ts');
    if (!yes && !isAtTerminal())
      throw new UsageError('There is no terminal to ask at. Give --yes to delete without a question.');
    const gateway = await openClient(options);
    const { id, version, maskedValue } = await requireSecret(gateway, name);
    const shown = printable(name);
    const what = maskedValue === null ? 'no value' : printable(maskedValue);
    if (!yes && !(await confirm(`Delete ${shown} (${what}, version ${version})?`))) {
      throw new CommandFailure('Nothing was deleted.');
    }
    // What was shown, and nothing newer.
    await gateway.client.deleteSecret({ id, ...(!yes && { expectedVersion: version }) });
    process.stdout.write(`${shown} is deleted.\n`);
  },
};
