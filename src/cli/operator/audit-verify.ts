import type { BrokenLink } from '../../audit/chain-check.ts';
import { type KnownHeads, readHeads } from '../../audit/read-heads.ts';
import { type BrokenChain, type Walked, walkChains } from '../../audit/walk-chains.ts';
import type { Config } from '../../config.ts';
import { readKeyring } from '../../keyring/file.ts';
import { withStore } from '../../store/open-store.ts';
import { counted } from '../counted.ts';
import { printable } from '../printable.ts';
import { createProgress } from '../progress.ts';
import { type OwnerOptions, ownerOfOptions } from './audit-owner.ts';
import { exitOnInterrupt } from './exit-on-interrupt.ts';

export interface VerifyOptions extends OwnerOptions {
  readonly heads?: string;
}

/** Checks audit chains, and names the first broken link of each. */
export async function verify({ keyringFile, databaseUrl }: Config, options: VerifyOptions): Promise<void> {
  const owner = ownerOfOptions(options);
  const heads = options.heads === undefined ? undefined : await readHeads(options.heads);
  const keyring = await readKeyring(keyringFile);
  exitOnInterrupt();
  const progress = createProgress('verifying', process.stderr);
  const walked = await withStore(databaseUrl, (store) =>
    walkChains(store, keyring, { ...(owner && { owner }), ...(heads && { heads }), onProgress: progress.show }),
  ).finally(() => progress.end());

  const against = heads ? ` against ${headsOf(heads)} in ${printable(options.heads ?? '')}` : '';
  const verdict = walked.broken.length === 0 ? ' Every link holds.' : '';
  process.stdout.write(`${figuresOf(walked)} checked${against}.${verdict}\n`);
  if (owner && walked.events === 0) {
    process.stderr.write('This owner has no events. Check the name; whether there were some shows with --heads.\n');
  }
  tellBroken(walked.broken);
}

/** `1,204 events of 17 owners` */
export function figuresOf({ events, owners }: Walked): string {
  return `${counted(events, 'event', 'events')} of ${counted(owners, 'owner', 'owners')}`;
}

function headsOf(heads: KnownHeads): string {
  const count = [...heads.values()].reduce((sum, ofOwner) => sum + ofOwner.length, 0);
  return `${counted(count, 'head', 'heads')} of ${counted(heads.size, 'owner', 'owners')}`;
}

const shownChains = 20;

const faults: Readonly<Record<BrokenLink, string>> = {
  missing: 'it is not there',
  moved: 'it does not follow the event before it',
  'unknown-key': 'the keyring lacks the MAC key that it names, or the key is retired',
  forged: 'no gateway wrote it as it is',
  head: 'the chain had another event here, as its head tells',
};

/** On standard error; the exit code is 1 then. */
export function tellBroken(broken: readonly BrokenChain[]): void {
  if (broken.length === 0) return;
  process.exitCode = 1;
  for (const { owner, sequence, broken: how } of broken.slice(0, shownChains)) {
    process.stderr.write(`${printable(owner)}: the chain breaks at event ${sequence}: ${faults[how]} (${how}).\n`);
  }
  const others = broken.length - shownChains;
  if (others > 0) process.stderr.write(`And so do the chains of ${counted(others, 'other owner', 'other owners')}.\n`);
  process.stderr.write(
    'Something other than a gateway wrote to the database, or the keyring is another. Compare with a backup.\n',
  );
}
