import type { Config } from '../../config.ts';
import type { Keyring } from '../../crypto/keyring.ts';
import { readKeyring } from '../../keyring/file.ts';
import { rewrapEnvelopes } from '../../keyring/rewrap.ts';
import { withStore } from '../../store/open-store.ts';
import { counted } from '../counted.ts';
import { printable } from '../printable.ts';
import { createProgress } from '../progress.ts';

const shownIds = 10;

/** Puts all envelopes under the active key. */
export async function rewrap({ keyringFile, databaseUrl }: Config): Promise<void> {
  const keyring = await readKeyring(keyringFile);
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort()).once('SIGTERM', () => stop.abort());
  const progress = createProgress('rewrapping', process.stderr);
  const { rewrapped, left, damaged } = await withStore(databaseUrl, (store) =>
    rewrapEnvelopes(store, keyring, keyringFile, { onProgress: progress.show, signal: stop.signal }),
  ).finally(() => progress.end());

  const { kid } = keyring.wrap.active;
  process.stdout.write(
    `${counted(rewrapped, 'envelope', 'envelopes')} rewrapped. ${rewrapped === 1 ? 'It is' : 'They are'} under ${kid} now.\n`,
  );
  for (const [other, count] of left) {
    process.stderr.write(`${counted(count, 'is', 'are')} still under ${printable(other)}. ${fixFor(other, keyring)}\n`);
  }
  if (damaged.length > 0) {
    const shown = damaged.slice(0, shownIds).map(printable).join(', ');
    process.stderr.write(
      `${counted(damaged.length, 'content key does', 'content keys do')} not unwrap: something other than a gateway changed them. ` +
        `Restore these secrets from a backup, or set their values again: ${shown}${damaged.length > shownIds ? ', …' : ''}\n`,
    );
  }
  if (stop.signal.aborted) process.stderr.write('Stopped. Run it again to continue from here.\n');
  if (left.size + damaged.length > 0) process.exitCode = 1;
}

function fixFor(kid: string, { wrap: { keys } }: Keyring): string {
  switch (keys.get(kid)?.state) {
    case undefined:
      return 'The keyring does not have that key: put it back from a backup.';
    case 'retired':
      return 'That key is retired: set its "state" to "decrypting", and run this again.';
    default:
      return 'Run this again once every gateway follows the file.';
  }
}
