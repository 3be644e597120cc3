import { Argument } from 'commander';
import type { Command } from '../command.ts';
import { keepDebuggerClosed } from '../debugger.ts';
import { CommandFailure } from '../failure.ts';
import { type GatewayOptions, gatewayOptions, gatewaySettings } from './options.ts';

export const diff: Command<GatewayOptions> = {
  summary: 'compare a .env file with secrets: which are new, changed or the same',
  details:
    'It exits with 1 where they differ, and shows names alone. Secrets that are not in the file are left out. It needs secrets:read, and secrets:match or secrets:resolve. ' +
    'With secrets:match no value leaves the gateway. Otherwise the values are delivered to a key that exists for this call, and compared here.',
  arguments: [new Argument('<FILE>', 'the .env file')],
  options: gatewayOptions(),
  settings: gatewaySettings,
  async run(options, file = '') {
    keepDebuggerClosed();
    const { readDotenvFile } = await import('./dotenv-file.ts');
    const { compare, preview } = await import('./compare.ts');
    const { openClient } = await import('./client.ts');
    const { openBulk } = await import('./bulk.ts');
    const entries = await readDotenvFile(file);
    const gateway = await openClient(options);
    const { subject, scopes } = await gateway.client.viewer();
    const rules = { scopes, path: file, purpose: 'diff' } as const;
    const compared = await compare(gateway, openBulk(gateway, { subject }), entries, rules);
    process.stdout.write(preview(compared));
    if (compared.some(({ verdict }) => verdict === 'unknown')) {
      throw new CommandFailure(
        'The values of secrets that exist were not compared: that needs the scope secrets:match or secrets:resolve.',
      );
    }
    if (compared.some(({ verdict }) => verdict !== 'same')) process.exitCode = 1;
  },
};
