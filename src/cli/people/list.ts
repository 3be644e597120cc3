import { Option } from 'commander';
import type { Command } from '../command.ts';
import { type GatewayOptions, gatewayOptions, gatewaySettings } from './options.ts';

interface Options extends GatewayOptions {
  readonly json?: boolean;
}

export const list: Command<Options> = {
  summary: 'list secrets: their names and what is known of them, never a value',
  details: 'It needs the scope secrets:read.',
  options: [...gatewayOptions(), new Option('--json', 'JSON for machines, with every field')],
  settings: gatewaySettings,
  async run({ json, ...options }) {
    const { openClient } = await import('./client.ts');
    const { allSecrets } = await import('./secret.ts');
    const secrets = await allSecrets(await openClient(options));
    if (json) {
      const { printableJson } = await import('./json.ts');
      process.stdout.write(printableJson(secrets));
      return;
    }
    if (secrets.length === 0) {
      process.stderr.write('There are no secrets.\n');
      return;
    }
    const { table } = await import('./table.ts');
    const rows = secrets.map(({ name, provider, maskedValue, version, updatedAt, tags }) => [
      name,
      provider ?? '',
      maskedValue ?? 'no value',
      String(version),
      updatedAt.slice(0, 10),
      tags.join(', '),
    ]);
    process.stdout.write(table(['NAME', 'PROVIDER', 'VALUE', 'VERSION', 'UPDATED', 'TAGS'], rows, process.stdout));
  },
};
