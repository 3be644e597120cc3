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
  details: `It first shows which are new, changed or the same. Where lines are bad or a name is there twice, it names the numbers of the lines and writes nothing. Where a secret of this name exists with another value, it writes nothing either, unless --on-conflict says what to do.

The secrets are written one by one, each sealed before it leaves this machine. After an interruption run the same command again: what is the same already is left alone. It needs secrets:read and secrets:write; with secrets:resolve it can also tell which are the same.`,
  arguments: [new Argument('<FILE>', 'the .env file')],
  options: [
    ...gatewayOptions(),
    new Option('--dry-run', 'show what would be done, and write nothing'),
    new Option('--on-conflict <RULE>', 'where a secret exists with another value')
      .choices(conflictRules)
      .default('fail'),
    new Option('--provider <P>', 'whose service they are for (default: from each name, such as OPENAI_…, else custom)'),
  ],
  settings: gatewaySettings,
  async run({ dryRun, onConflict, provider, ...options }, file = '') {
    keepDebuggerClosed();
    const { readDotenvFile, refuseUnwritable } = await import('./dotenv-file.ts');
    const { compare, preview } = await import('./compare.ts');
    const { openClient } = await import('./client.ts');
    const entries = await readDotenvFile(file);
    const gateway = await openClient(options);
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
  // A credential may compare all of them or none.
  const what = conflicts.some(({ verdict }) => verdict === 'unknown')
    ? 'These secrets exist, and comparing their values needs the scope secrets:resolve'
    : 'These secrets exist with another value';
  return new CommandFailure(
    `${what}: ${names.join(', ')}${more}. Nothing was written. ` +
      '--on-conflict update replaces them, --on-conflict skip leaves them as they are.',
  );
}
