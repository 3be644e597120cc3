import { Argument, Option } from 'commander';
import type { Command } from '../command.ts';
import { UsageError } from '../usage-error.ts';
import { type GatewayOptions, gatewayOptions, gatewaySettings } from './options.ts';

interface Options extends GatewayOptions {
  readonly all?: boolean;
  readonly json?: boolean;
}

export const check: Command<Options> = {
  summary: 'ask the provider whether the value of a secret is still valid',
  details: `The gateway asks the provider. You see only the result, never the value. The result is stored as the health of the secret, which list and get show.

VALID: the provider accepts the value. REJECTED: it refuses the value. RATE_LIMITED: it has too many requests, and gave no answer about the value. UNREACHABLE: it cannot be reached, or has a failure. UNSUPPORTED: the gateway cannot ask about this value.

Exit codes: 0 if every result is VALID, else 1. With --all, secrets that cannot be checked are left out and do not count.

It needs the scope secrets:use, and with a name also secrets:read. With an id, secrets:use is enough. The limit is 30 checks a minute for each caller; with more secrets, the command waits.`,
  arguments: [new Argument('[NAME...]', 'the names of secrets, their ids or their placeholders')],
  options: [
    ...gatewayOptions(),
    new Option('--all', 'all secrets of the owner whose provider can be asked'),
    new Option('--json', 'JSON for machines'),
  ],
  settings: gatewaySettings,
  async run({ all = false, json = false, ...options }, ...names) {
    if (names.length === 0 && !all) throw new UsageError('Say what to check: the NAME of a secret, or --all.');
    if (names.length > 0 && all) throw new UsageError('Give either names or --all.');
    const { openClient } = await import('./client.ts');
    const { checkableSecrets, checkSecrets, namedSecrets } = await import('./check-secrets.ts');
    const gateway = await openClient(options);
    const secrets = all ? await checkableSecrets(gateway) : await namedSecrets(gateway, names);
    if (!(await checkSecrets(gateway, secrets, json))) process.exitCode = 1;
  },
};
