import { Argument, Option } from 'commander';
import type { Command } from '../command.ts';
import { printable } from '../printable.ts';
import type { Secret } from './gateway.ts';
import { type GatewayOptions, gatewayOptions, gatewaySettings } from './options.ts';

interface Options extends GatewayOptions {
  readonly json?: boolean;
}

export const get: Command<Options> = {
  summary: 'show the metadata of a secret, never its value',
  details: 'It needs the scope secrets:read. To use values: exec and render.',
  arguments: [new Argument('<NAME>', 'the name of the secret')],
  options: [...gatewayOptions(), new Option('--json', 'JSON for machines')],
  settings: gatewaySettings,
  async run({ json, ...options }, name = '') {
    const { openClient } = await import('./client.ts');
    const { requireSecret } = await import('./secret.ts');
    const secret = await requireSecret(await openClient(options), name);
    if (json) {
      const { printableJson } = await import('./json.ts');
      process.stdout.write(printableJson(secret));
      return;
    }
    const { owner, notes, tags } = secret;
    const rows = {
      name: secret.name,
      placeholder: secret.placeholder,
      id: secret.id,
      owner:
        owner.__typename === 'Connector'
          ? `connector ${owner.id} of team ${owner.teamId}`
          : `${owner.__typename.toLowerCase()} ${owner.id}`,
      provider: secret.provider ?? '–',
      value: secret.maskedValue ?? 'no value',
      destination: secret.destination ? describe(secret.destination) : '–',
      'use URL': secret.useUrl ?? '–',
      'last used': secret.lastUsedAt ?? '–',
      health: secret.health ? healthOf(secret.health) : '–',
      version: String(secret.version),
      tags: tags.join(', ') || '–',
      created: secret.createdAt,
      updated: secret.updatedAt,
      expires: secret.expiresAt ?? '–',
      notes: notes ?? '–',
    };
    const width = Math.max(...Object.keys(rows).map((title) => title.length)) + 2;
    const { bold } = await import('./table.ts');
    for (const [title, text] of Object.entries(rows)) {
      const lines = text
        .split('\n')
        .map(printable)
        .join(`\n${' '.repeat(width)}`);
      process.stdout.write(`${bold(title.padEnd(width), process.stdout)}${lines}\n`);
    }
  },
};

function healthOf({ status, source, checkedAt }: NonNullable<Secret['health']>): string {
  return `${status}, as a ${source === 'USE' ? 'use' : 'check'} found out at ${checkedAt}`;
}

function describe({ origin, header, format, paths }: NonNullable<Secret['destination']>): string {
  return `${origin}, as ${header}: ${format}${paths ? `\nonly ${paths.join(', ')}` : ''}`;
}
