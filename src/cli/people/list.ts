import { Option } from 'commander';
import type { HealthStatus } from '../../client/documents.ts';
import type { Command } from '../command.ts';
import { type GatewayOptions, gatewayOptions, gatewaySettings } from './options.ts';

interface Options extends GatewayOptions {
  readonly json?: boolean;
  readonly expiresBefore?: string;
  readonly health?: HealthStatus;
  readonly notUsedSince?: string;
}

const statuses = ['VALID', 'REJECTED', 'RATE_LIMITED', 'UNREACHABLE'] as const satisfies readonly HealthStatus[];

export const list: Command<Options> = {
  summary: 'list secrets with their metadata, never a value',
  details: 'It needs the scope secrets:read.',
  options: [
    ...gatewayOptions(),
    new Option('--json', 'JSON for machines, with every field'),
    new Option('--expires-before <DATE>', 'only those that expire before this day or moment'),
    new Option('--health <STATUS>', 'only those with this health').choices(statuses),
    new Option('--not-used-since <DATE>', 'only those that the broker has not used since this day or moment, or never'),
  ],
  settings: gatewaySettings,
  async run({ json, expiresBefore, health, notUsedSince, ...options }) {
    const { openClient } = await import('./client.ts');
    const { allSecrets } = await import('./secret.ts');
    const { parseMoment } = await import('./moment.ts');
    const filter = {
      ...(expiresBefore !== undefined && { expiresBefore: parseMoment('--expires-before', expiresBefore) }),
      ...(notUsedSince !== undefined && { notUsedSince: parseMoment('--not-used-since', notUsedSince) }),
      ...(health !== undefined && { health }),
    };
    const secrets = await allSecrets(await openClient(options), filter);
    if (json) {
      const { printableJson } = await import('./json.ts');
      process.stdout.write(printableJson(secrets));
      return;
    }
    if (secrets.length === 0) {
      process.stderr.write(Object.keys(filter).length === 0 ? 'There are no secrets.\n' : 'No secret matches.\n');
      return;
    }
    const { table } = await import('./table.ts');
    // Without any, the column would be empty.
    const [hasExpiry, hasHealth] = [secrets.some((one) => one.expiresAt !== null), secrets.some((one) => one.health)];
    const rows = secrets.map(({ name, provider, maskedValue, version, updatedAt, expiresAt, health, tags }) => [
      name,
      provider ?? '',
      maskedValue ?? 'no value',
      ...(hasHealth ? [health?.status ?? ''] : []),
      String(version),
      updatedAt.slice(0, 10),
      ...(hasExpiry ? [expiresAt?.slice(0, 10) ?? ''] : []),
      tags.join(', '),
    ]);
    const [ofHealth, ofExpiry] = [hasHealth ? ['HEALTH'] : [], hasExpiry ? ['EXPIRES'] : []];
    const titles = ['NAME', 'PROVIDER', 'VALUE', ...ofHealth, 'VERSION', 'UPDATED', ...ofExpiry, 'TAGS'];
    process.stdout.write(table(titles, rows, process.stdout));
  },
};
