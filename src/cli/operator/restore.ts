import { Argument } from 'commander';
import type { Config } from '../../config.ts';
import type { Command } from '../command.ts';
import { counted } from '../counted.ts';
import { sqlitePath } from '../sqlite-path.ts';
import { exitOnInterrupt } from './exit-on-interrupt.ts';
import { withConfig } from './with-config.ts';

export const restore: Command = {
  summary: 'put a backup in place of the SQLite database, while no gateway runs',
  details:
    'The backup is checked first, and its schema version too. The database that is there is kept beside it under another name. ' +
    'The next start of the gateway needs the keyring that belongs to the backup.',
  arguments: [new Argument('<FILE>', 'a file that secrets-gateway backup made')],
  settings: ['DATABASE_URL', 'DATABASE_URL_FILE'],
  run: (_, file) => withConfig((config) => restoreFrom(config, file)),
};

async function restoreFrom({ databaseUrl, keyringFile }: Config, file: string): Promise<void> {
  const path = sqlitePath(databaseUrl, 'Restore MongoDB with mongorestore --oplogReplay, or from a snapshot.');
  const sqlite = await import('../../store/sqlite/backup.ts');
  const { createProgress } = await import('../progress.ts');
  exitOnInterrupt();
  const progress = createProgress('restoring', process.stderr);
  const { secrets, before } = await sqlite.restore(file, path, progress.show).finally(() => progress.end());
  const kept = before === null ? '' : `The database from before is ${before}.\n`;
  process.stdout.write(
    `${counted(secrets, 'secret is', 'secrets are')} in ${path} now.\n${kept}` +
      `Start the gateway with the keyring that belongs to the backup (KEYRING_FILE ${keyringFile}).\n`,
  );
}
