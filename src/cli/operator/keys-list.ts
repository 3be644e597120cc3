import { parseArgs } from 'node:util';
import type { Config } from '../../config.ts';
import { opens } from '../../crypto/keyring.ts';
import { countEnvelopes } from '../../keyring/count.ts';
import { readKeyring } from '../../keyring/file.ts';
import { unknownKid } from '../../model/envelope.ts';
import { withStore } from '../../store/open-store.ts';
import { printable } from '../printable.ts';

/** Prints the keys and how many envelopes are under each, also under keys that cannot open them. */
export async function list(args: string[], { keyringFile, databaseUrl }: Config): Promise<void> {
  parseArgs({ args, options: {} });
  const { keys } = await readKeyring(keyringFile);
  const counts = await withStore(databaseUrl, countEnvelopes);
  const damaged = counts.get(unknownKid) ?? 0;
  counts.delete(unknownKid);
  const missing = [...counts.keys()].filter((kid) => !keys.has(kid));
  const rows = [
    ...[...keys.values()].map(({ kid, state, createdAt }) => [kid, state, createdAt?.toISOString().slice(0, 10) ?? '']),
    ...missing.map((kid) => [kid, 'missing', '']),
  ].map(([kid = '', ...cells]) => [printable(kid), ...cells, (counts.get(kid) ?? 0).toLocaleString('en')]);
  process.stdout.write(aligned([['KID', 'STATE', 'CREATED', 'ENVELOPES'], ...rows]));

  const retired = [...keys.values()].filter(({ kid, state }) => !opens(state) && counts.has(kid));
  if (missing.length > 0) {
    process.stderr.write(
      `Nobody can open the envelopes under a missing key. Put it back into ${keyringFile} from a backup.\n`,
    );
  }
  if (retired.length > 0) {
    process.stderr.write(
      'Nobody can open the envelopes under a retired key: a gateway went on with an old copy of the file. ' +
        `Set its "state" in ${keyringFile} to "decrypting", and run: secrets-gateway keys rewrap\n`,
    );
  }
  if (damaged > 0) process.stderr.write(`${damaged} envelopes are damaged. keys rewrap names their secrets.\n`);
  if (missing.length + retired.length + damaged > 0) process.exitCode = 1;
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
