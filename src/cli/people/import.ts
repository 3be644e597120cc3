import { Argument, Option } from 'commander';
import type { Command } from '../command.ts';
import { keepDebuggerClosed } from '../debugger.ts';
import { CommandFailure } from '../failure.ts';
import { printable } from '../printable.ts';
import type { Compared } from './compare.ts';
import { type GatewayOptions, gatewayOptions, gatewaySettings } from './options.ts';

const conflictRules = ['fail', 'skip', 'update'] as const;
type ConflictRule = (typeof conflictRules)[number];

interface Options extends GatewayOptions {
  readonly dryRun?: boolean;
  readonly onConflict: ConflictRule;
  readonly provider?: string;
}

export const importCommand: Command<Options> = {
  summary: 'create secrets from a .env file',
  details: `It first shows which secrets are new, changed or the same. If a line is invalid or a name appears twice, it prints the line numbers and writes nothing. If a secret with this name exists with another value, it writes nothing either, unless you set --on-conflict.

Each value is sealed before it leaves this machine. Up to 500 lines and 1 MiB are one call, which writes all of them or none; more are several calls, and where one fails it says which lines are written. It needs secrets:read and secrets:write; with secrets:match or secrets:resolve it can also tell which are the same.`,
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
    const { mayCompare } = await import('./same-values.ts');
    const { openClient } = await import('./client.ts');
    const { openBulk } = await import('./bulk.ts');
    const entries = await readDotenvFile(file);
    const gateway = await openClient(options);
    const { kind, subject, scopes } = await gateway.client.viewer();
    refuseUnwritable(entries, file, gateway.owner.teamId === undefined && kind === 'USER');
    const stop = new AbortController();
    const bulk = openBulk(gateway, { subject, provider, signal: stop.signal });
    const rules = { scopes, path: file, purpose: 'import' } as const;
    const compared = await compare(gateway, bulk, entries, rules);
    process.stdout.write(preview(compared));
    const conflicts = compared.filter(({ verdict }) => verdict === 'changed' || verdict === 'unknown');
    if (onConflict === 'fail' && conflicts.length > 0) throw conflict(conflicts);
    if (dryRun) {
      process.stderr.write('Nothing was written: this was a dry run.\n');
      return;
    }
    const toWrite = compared.filter(
      ({ verdict }) => verdict === 'new' || (onConflict === 'update' && verdict !== 'same'),
    );
    const { writeAll } = await import('./write-all.ts');
    const end = () => {
      stop.abort();
      process.stderr.write('\nIt ends after this call. Ctrl-C again ends it at once.\n');
    };
    process.once('SIGINT', end).once('SIGTERM', end);
    const advice = adviceOf(onConflict, mayCompare(scopes));
    await writeAll(bulk, toWrite, { onConflict: written[onConflict], advice, stop: stop.signal });
  },
};

/** How the gateway is told, for a secret that was created since the comparison. */
const written = { fail: 'FAIL', skip: 'SKIP', update: 'UPDATE' } as const;

/** What to do where a part of the lines is written. */
function adviceOf(onConflict: ConflictRule, canCompare: boolean): string {
  if (canCompare || onConflict === 'skip') {
    return 'Run the same command again to write the rest: what is the same is left alone.';
  }
  if (onConflict === 'update') return 'Run the same command again: it writes all of them.';
  return 'Run it again with --on-conflict skip to write the rest.';
}

const shownNames = 20;

function conflict(conflicts: readonly Compared[]): CommandFailure {
  const names = conflicts.slice(0, shownNames).map(({ entry }) => printable(entry.name));
  const more = conflicts.length > shownNames ? ` and ${conflicts.length - shownNames} more` : '';
  // A credential may compare all of them or none.
  const what = conflicts.some(({ verdict }) => verdict === 'unknown')
    ? 'These secrets exist, and comparing their values needs the scope secrets:match or secrets:resolve'
    : 'These secrets exist with another value';
  return new CommandFailure(
    `${what}: ${names.join(', ')}${more}. Nothing was written. ` +
      '--on-conflict update replaces them, --on-conflict skip leaves them as they are.',
  );
}
