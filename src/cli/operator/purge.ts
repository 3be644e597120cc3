import { Option } from 'commander';
import type { Config } from '../../config.ts';
import { isIdentifier } from '../../identity/identifier.ts';
import type { Command } from '../command.ts';
import { confirm, isAtTerminal } from '../confirm.ts';
import { counted } from '../counted.ts';
import { CommandFailure } from '../failure.ts';
import { printable } from '../printable.ts';
import { createProgress } from '../progress.ts';
import { UsageError } from '../usage-error.ts';
import { withConfig } from './with-config.ts';

interface Options {
  readonly user?: string;
  readonly yes?: boolean;
}

export const purge: Command<Options> = {
  summary: 'remove all secrets of a user for good, as when somebody leaves',
  details:
    'Live and deleted secrets go, with all their values, and so does what is kept for idempotency keys of the user. Secrets of teams stay. So do the audit events, and the ids stay taken. Each purge is an audit event. Backups keep the secrets for their own time.\n\n' +
    'Take the access of the user away first: until then the user can create secrets. Gateways can keep running. It asks first. Without a terminal it needs --yes. It may be interrupted, and run again at any time.',
  options: [
    new Option(
      '--user <U>',
      'the user as the gateway sees it (required): the raw subject of the tokens, with the subjectPrefix of its issuer in front where ISSUERS_FILE sets one',
    ),
    new Option('-y, --yes', 'purge without a question'),
  ],
  settings: ['KEYRING_FILE', 'DATABASE_URL', 'DATABASE_URL_FILE'],
  async run({ user, yes = false }) {
    if (user === undefined) throw new UsageError('--user is missing. Say whose secrets to purge: --user U');
    if (!isIdentifier(user)) throw new UsageError('--user must have 1 to 255 characters.');
    if (!yes && !isAtTerminal()) {
      throw new UsageError('There is no terminal to ask at. Give --yes to purge without a question.');
    }
    await withConfig((config) => purgeAll(config, user, yes));
  },
};

async function purgeAll({ keyringFile, databaseUrl }: Config, user: string, yes: boolean): Promise<void> {
  const { openLiveKeyring } = await import('../../keyring/live.ts');
  const { countSecretsOfUser, purgeUser } = await import('../../secrets/purge-user.ts');
  const { withStore } = await import('../../store/open-store.ts');
  // It follows its file: a MAC key may be rotated and retired meanwhile.
  const keyring = await openLiveKeyring(keyringFile, () => {});
  const { macOfEvent } = keyring;
  const stop = new AbortController();
  const work = withStore(
    databaseUrl,
    async (store) => {
      const count = await countSecretsOfUser(store, user);
      if (count > 0 && !yes) await requireYes(count, user);
      process.once('SIGINT', () => stop.abort()).once('SIGTERM', () => stop.abort());
      const progress = createProgress('purging', process.stderr);
      const options = { onProgress: progress.show, signal: stop.signal };
      return { count, ...(await purgeUser(store, user, options).finally(() => progress.end())) };
    },
    { macOfEvent },
  );
  const { count, purged, left } = await work.finally(() => keyring.close());
  if (count === 0 && purged + left === 0) {
    process.stdout.write('This user has no secrets. Nothing was purged.\n');
    process.stderr.write('Check the name: it is the subject of the tokens, behind the subjectPrefix of the issuer.\n');
    return;
  }
  process.stdout.write(`${counted(purged, 'secret', 'secrets')} purged. The audit events stay.\n`);
  if (left === 0) return;
  process.exitCode = 1;
  const why = stop.signal.aborted ? 'Stopped' : 'The user, or a gateway, still writes';
  process.stderr.write(
    `${why}: ${counted(left, 'secret is', 'secrets are')} left. Run it again to continue from here.\n`,
  );
}

async function requireYes(count: number, user: string): Promise<void> {
  const secrets = counted(count, 'secret', 'secrets');
  if (!(await confirm(`Purge ${secrets} of ${printable(user)} for good, with all earlier values?`))) {
    throw new CommandFailure('Nothing was purged.');
  }
}
