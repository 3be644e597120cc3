import type { Config } from '../../config.ts';
import { readKeyring } from '../../keyring/file.ts';
import { recomputeDigests } from '../../keyring/recompute.ts';
import { withStore } from '../../store/open-store.ts';
import { counted } from '../counted.ts';
import { printable } from '../printable.ts';
import { createProgress } from '../progress.ts';

const shownIds = 10;

/** Makes the digests of all current values under the active equality key. */
export async function recompute({ keyringFile, databaseUrl }: Config): Promise<void> {
  const keyring = await readKeyring(keyringFile);
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort()).once('SIGTERM', () => stop.abort());
  const progress = createProgress('computing', process.stderr);
  const { computed, left, damaged, missing } = await withStore(databaseUrl, (store) =>
    recomputeDigests(store, keyring, keyringFile, { onProgress: progress.show, signal: stop.signal }),
  ).finally(() => progress.end());

  const { kid } = keyring.equality.active;
  process.stdout.write(
    `${counted(computed, 'digest', 'digests')} computed. ${computed === 1 ? 'It is' : 'They are'} under ${kid} now.\n`,
  );
  const tell = (text: string) => process.stderr.write(text);
  for (const [other, count] of missing) {
    tell(
      `${counted(count, 'value needs', 'values need')} ${printable(other)}, which the keyring lacks: put it back from a backup.\n`,
    );
  }
  if (damaged.length > 0) {
    const shown = damaged.slice(0, shownIds).map(printable).join(', ');
    tell(
      `${counted(damaged.length, 'value does', 'values do')} not open: something other than a gateway changed them. ` +
        `Restore these secrets from a backup, or set their values again: ${shown}${damaged.length > shownIds ? ', …' : ''}\n`,
    );
  }
  if (left > 0 && !stop.signal.aborted) {
    tell(
      `${counted(left, 'value has', 'values have')} no digest under it yet. Run this again once every gateway follows the file.\n`,
    );
  }
  if (stop.signal.aborted) tell('Stopped. Run it again to continue from here.\n');
  if (left + damaged.length + missing.size > 0) process.exitCode = 1;
}
