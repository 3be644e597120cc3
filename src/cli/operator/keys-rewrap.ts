import { parseArgs } from 'node:util';
import type { Config } from '../../config.ts';
import { readKeyring } from '../../crypto/keyring.ts';
import { ConfigurationError } from '../../errors.ts';
import { rewrapSecrets } from '../../keyring/rewrap.ts';
import { withStore } from '../../store/open-store.ts';
import { createProgress } from '../progress.ts';

const shownIds = 10;

/** Puts all envelopes under the active key. */
export async function rewrap(args: string[], { keyringFile, databaseUrl }: Config): Promise<void> {
  parseArgs({ args, options: {} });
  const keyring = await readKeyring(keyringFile);
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort()).once('SIGTERM', () => stop.abort());
  const progress = createProgress('rewrapping', process.stderr);
  const { rewrapped, left, damaged } = await withStore(databaseUrl, (store) =>
    rewrapSecrets({ store, keyring, requireActive }, { onProgress: progress.show, signal: stop.signal }),
  ).finally(() => progress.end());

  const { kid } = keyring.active;
  process.stdout.write(`${rewrapped.toLocaleString('en')} envelopes rewrapped: they are under ${kid} now.\n`);
  for (const [other, count] of left) {
    process.stderr.write(`${count.toLocaleString('en')} are still under ${other}. ${mendFor(other)}\n`);
  }
  if (damaged.length > 0) {
    const shown = damaged.slice(0, shownIds).join(', ');
    process.stderr.write(
      `The content keys of ${damaged.length} were changed by something that is no gateway, and do not unwrap. ` +
        `Restore these secrets from a backup, or set their values again: ${shown}${damaged.length > shownIds ? ', …' : ''}\n`,
    );
  }
  if (stop.signal.aborted) process.stderr.write('Stopped. Run it again to go on from here.\n');
  if (left.size + damaged.length > 0) process.exitCode = 1;

  async function requireActive(): Promise<void> {
    if ((await readKeyring(keyringFile)).active.kid === keyring.active.kid) return;
    throw new ConfigurationError(
      'the active key is another by now. Run this again, to put all envelopes under that one.',
    );
  }

  function mendFor(other: string): string {
    switch (keyring.keys.get(other)?.state) {
      case undefined:
        return 'The keyring does not have that key: put it back from a backup.';
      case 'retired':
        return 'That key is retired: set its "state" to "decrypting", and run this again.';
      default:
        return 'Run this again once every gateway follows the file.';
    }
  }
}
