import type { Config } from '../../config.ts';
import { isUsable, type Key, type SealKey } from '../../crypto/keyring.ts';
import { countKids } from '../../keyring/count.ts';
import { readKeyring } from '../../keyring/file.ts';
import { neededBy } from '../../keyring/retire.ts';
import { unknownKid } from '../../model/envelope.ts';
import type { Keyed } from '../../store/kid-counts.ts';
import { withStore } from '../../store/open-store.ts';
import type { Store } from '../../store/store.ts';
import { counted } from '../counted.ts';
import { printable } from '../printable.ts';

type Counts = Readonly<Record<Keyed, ReadonlyMap<string, number>>>;

const words: Readonly<Record<Keyed, readonly [one: string, several: string]>> = {
  envelopes: ['envelope', 'envelopes'],
  records: ['record', 'records'],
  apiKeys: ['API key', 'API keys'],
  events: ['event', 'events'],
  digests: ['digest', 'digests'],
};

/** Prints the keys and what needs each, also keys that are needed and are not there. */
export async function list({ keyringFile, databaseUrl }: Config): Promise<void> {
  const { all, seal } = await readKeyring(keyringFile);
  const counts = await withStore(databaseUrl, countAll);
  const damaged = counts.envelopes.get(unknownKid) ?? 0;
  const needed = (['wrap', 'mac'] as const).flatMap((use) => {
    const kids = new Set(neededBy[use].flatMap((of) => [...counts[of].keys()]));
    return [...kids].filter((kid) => kid !== unknownKid).map((kid) => ({ use, kid, key: keyOf(all, use, kid) }));
  });
  const missing = needed.filter(({ key }) => !key);
  const rows = [
    ...[...all.values()].map(({ use, kid, state, createdAt }) => {
      const need = needs(use, kid, counts) || opensFor(seal.X25519.keys.get(kid) ?? seal['P-256'].keys.get(kid));
      return [kid, use, state, createdAt?.toISOString().slice(0, 10) ?? '', need];
    }),
    ...missing.map(({ use, kid }) => [printable(kid), use, 'missing', '', needs(use, kid, counts)]),
  ];
  process.stdout.write(aligned([['KID', 'USE', 'STATE', 'CREATED', 'NEEDED BY'], ...rows]));

  const tell = (text: string) => process.stderr.write(text);
  const retired = needed.filter(({ key }) => key && !isUsable(key.state));
  if (missing.length > 0) {
    tell(`Nobody can open what needs a missing key. Put it back into ${keyringFile} from a backup.\n`);
  }
  for (const [use, state] of [['wrap', 'decrypting'] as const, ['mac', 'verifying'] as const]) {
    if (!retired.some((one) => one.use === use)) continue;
    tell(
      'Nobody can open what needs a retired key: a gateway went on with an old copy of the file. ' +
        `Set its "state" in ${keyringFile} to "${state}"${use === 'wrap' ? ', and run: secrets-gateway keys rewrap' : ''}\n`,
    );
  }
  const found = [...counts.digests].filter(([kid]) => {
    const key = keyOf(all, 'equality', kid);
    return key && isUsable(key.state);
  });
  const values = [...counts.digests.values()].reduce(sum, 0);
  const undigested = values - found.reduce((total, [, count]) => total + count, 0);
  if (undigested > 0) {
    tell(
      `${counted(undigested, 'value has', 'values have')} no digest under a key in use, so that matchesSecret does not find ${undigested === 1 ? 'it' : 'them'}. Run: secrets-gateway keys recompute\n`,
    );
  }
  if (damaged > 0)
    tell(`${counted(damaged, 'envelope is', 'envelopes are')} damaged. keys rewrap names their secrets.\n`);
  if (missing.length + retired.length + damaged > 0) process.exitCode = 1;
}

async function countAll(store: Store): Promise<Counts> {
  return {
    envelopes: await countKids(store, 'envelopes'),
    records: await countKids(store, 'records'),
    apiKeys: await countKids(store, 'apiKeys'),
    events: await countKids(store, 'events'),
    digests: await countKids(store, 'digests'),
  };
}

/** A sealing key that was replaced is needed by what clients have sealed to it, and not for long. */
function opensFor(key: SealKey | undefined): string {
  if (!key?.opensUntil) return '';
  const until = `${key.opensUntil.toISOString().slice(0, 16)}Z`;
  return key.opensUntil > new Date() ? `clients, until ${until}` : '';
}

function keyOf(all: ReadonlyMap<string, Key>, use: Key['use'], kid: string): Key | undefined {
  const key = all.get(kid);
  return key?.use === use ? key : undefined;
}

function needs(use: Key['use'], kid: string, counts: Counts): string {
  const needing = neededBy[use].map((of) => ({ of, count: counts[of].get(kid) ?? 0 }));
  // Most stores have no API keys.
  const shown = needing.filter(({ of, count }) => of !== 'apiKeys' || count > 0);
  return shown.map(({ of, count }) => counted(count, ...words[of])).join(', ');
}

function sum(total: number, count: number): number {
  return total + count;
}

function aligned(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, i) => cell.padEnd(widths[i] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}
