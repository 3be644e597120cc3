import { Argument } from 'commander';
import type { Config } from '../../config.ts';
import type { Command } from '../command.ts';
import { counted } from '../counted.ts';
import { sqlitePath } from '../sqlite-path.ts';
import { exitOnInterrupt } from './exit-on-interrupt.ts';
import { withConfig } from './with-config.ts';

export const backup: Command = {
  summary: 'copy the SQLite database to a new file, while gateways run',
  details:
    'The copy is the database as it was at one moment. It has mode 0600, is checked after it was written, and never replaces a file. ' +
    'The keyring is not in it: back KEYRING_FILE up apart from it. Without the keyring nobody can open a value.',
  arguments: [new Argument('<FILE>', 'the backup: a file that is not there')],
  settings: ['DATABASE_URL', 'DATABASE_URL_FILE'],
  run: (_, file) => withConfig((config) => backUpTo(config, file)),
};

async function backUpTo({ databaseUrl, keyringFile }: Config, file: string): Promise<void> {
  const path = sqlitePath(databaseUrl, 'Back up MongoDB with mongodump --oplog, or with a snapshot of its volume.');
  const { backUp } = await import('../../store/sqlite/backup.ts');
  const { createProgress } = await import('../progress.ts');
  exitOnInterrupt();
  const progress = createProgress('backing up', process.stderr);
  const secrets = await backUp(path, file, progress.show).finally(() => progress.end());
  process.stdout.write(
    `${counted(secrets, 'secret is', 'secrets are')} in ${file}. The keyring is not: back ${keyringFile} up apart from it.\n`,
  );
}
