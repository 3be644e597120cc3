import { Argument, Option } from 'commander';
import type { Command } from '../command.ts';
import { UsageError } from '../usage-error.ts';
import { type GatewayOptions, gatewayOptions, gatewaySettings } from './options.ts';

interface Options extends GatewayOptions {
  readonly all?: boolean;
  readonly json?: boolean;
}

export const check: Command<Options> = {
  summary: 'ask the provider of a secret whether it still knows the value',
  details: `The gateway asks: nobody sees the value, and only the result comes back. It is recorded as the health of the secret, which list and get show.

VALID: the provider knows the value. REJECTED: it refuses it. RATE_LIMITED: it has too many requests and does not say. UNREACHABLE: it cannot be reached, or has a failure of its own. UNSUPPORTED: it cannot be asked about this value.

Exit codes: 0 where every result is VALID, 1 where one is anything else, or is not known. With --all the secrets that cannot be checked are left out, and do not count.

It needs the scope secrets:use. To find a secret by its name it needs secrets:read, too; for an id it does not. The gateway checks 30 times a minute for each caller: where there are more secrets, it waits.`,
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
