import { Argument } from 'commander';
import type { Command } from '../command.ts';
import { keepDebuggerClosed } from '../debugger.ts';
import { CommandFailure } from '../failure.ts';
import { type GatewayOptions, gatewayOptions, gatewaySettings } from './options.ts';

export const diff: Command<GatewayOptions> = {
  summary: 'compare a .env file with secrets: which are new, changed or the same',
  details:
    'It exits with 1 where they differ, and shows names alone. Values are delivered to a key that exists for this call, and compared here. Secrets that are not in the file are left out. ' +
    'It needs the scopes secrets:read and secrets:resolve.',
  arguments: [new Argument('<FILE>', 'the .env file')],
  options: gatewayOptions(),
  settings: gatewaySettings,
  async run(options, file = '') {
    keepDebuggerClosed();
    const { readDotenvFile } = await import('./dotenv-file.ts');
    const { compare, preview } = await import('./compare.ts');
    const { openClient } = await import('./client.ts');
    const entries = await readDotenvFile(file);
    const gateway = await openClient(options);
    const { scopes } = await gateway.client.viewer();
    const compared = await compare(gateway, entries, { scopes, purpose: 'diff' });
    process.stdout.write(preview(compared));
    if (compared.some(({ verdict }) => verdict === 'unknown')) {
      throw new CommandFailure(
        'The values of secrets that exist were not compared: that needs the scope secrets:resolve.',
      );
    }
    if (compared.some(({ verdict }) => verdict !== 'same')) process.exitCode = 1;
  },
};
