import { Argument, Option } from 'commander';
import type { Command } from '../command.ts';
import { keepDebuggerClosed } from '../debugger.ts';
import { CommandFailure } from '../failure.ts';
import { printable } from '../printable.ts';
import type { Compared } from './compare.ts';
import { type GatewayOptions, gatewayOptions, gatewaySettings } from './options.ts';

const conflictRules = ['fail', 'skip', 'update'] as const;

interface Options extends GatewayOptions {
  readonly dryRun?: boolean;
  readonly onConflict: (typeof conflictRules)[number];
  readonly provider?: string;
}

export const importCommand: Command<Options> = {
  summary: 'create secrets from a .env file',
  details: `It first shows which are new, changed or the same. Bad and doubled lines are named with their numbers, and nothing is written. Where a secret of a name is there with another value, nothing is written either, unless --on-conflict says what to do.

The secrets are written one by one, each sealed before it leaves this machine. After an interruption the same command goes on: what is the same already is left alone. It needs secrets:read and secrets:write; with secrets:resolve it can tell what is the same.`,
  arguments: [new Argument('<FILE>', 'the .env file')],
  options: [
    ...gatewayOptions(),
    new Option('--dry-run', 'show what would be done, and write nothing'),
    new Option('--on-conflict <RULE>', 'where a secret is there with another value')
      .choices(conflictRules)
      .default('fail'),
    new Option('--provider <P>', 'whose service they are for (default: told by each name, as OPENAI_…, else custom)'),
  ],
  settings: gatewaySettings,
  async run({ dryRun, onConflict, provider, ...options }, file = '') {
    keepDebuggerClosed();
    const { readDotenvFile, refuseUnwritable } = await import('./dotenv-file.ts');
    const { compare, preview } = await import('./compare.ts');
    const { openGateway } = await import('./gateway.ts');
    const entries = await readDotenvFile(file);
    const gateway = await openGateway(options);
    const { kind, scopes } = await gateway.client.viewer();
    refuseUnwritable(entries, file, gateway.owner.teamId === undefined && kind === 'USER');
    const compared = await compare(gateway, entries, { scopes, purpose: 'import' });
    process.stdout.write(preview(compared));
    const conflicts = compared.filter(({ verdict }) => verdict === 'changed' || verdict === 'unknown');
    if (onConflict === 'fail' && conflicts.length > 0) throw conflict(conflicts);
    const toWrite = compared.filter(
      ({ verdict }) => verdict === 'new' || (onConflict === 'update' && verdict !== 'same'),
    );
    if (dryRun) return;
    const { writeAll } = await import('./write-all.ts');
    await writeAll(gateway, toWrite, provider);
  },
};

const shownNames = 20;

function conflict(conflicts: readonly Compared[]): CommandFailure {
  const names = conflicts.slice(0, shownNames).map(({ entry }) => printable(entry.name));
  const more = conflicts.length > shownNames ? ` and ${conflicts.length - shownNames} more` : '';
  return new CommandFailure(
    `There with another value, or not to be compared: ${names.join(', ')}${more}. Nothing was written. ` +
      '--on-conflict update replaces them, --on-conflict skip leaves them as they are.',
  );
}
