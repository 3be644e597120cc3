import { printable } from '../printable.ts';
import type { Bulk } from './bulk.ts';
import type { Line } from './calls.ts';
import type { GatewayClient } from './client.ts';
import type { DotenvEntry } from './dotenv-scan.ts';
import { type Action, dryRun } from './dry-run.ts';
import { sameValues } from './same-values.ts';
import { allSecrets } from './secret.ts';

/** unknown: it exists, and this credential may not compare values. */
export type Verdict = 'new' | 'changed' | 'same' | 'unknown';

export interface Compared extends Line {
  readonly verdict: Verdict;
}

export interface CompareRules {
  /** Of the caller. */
  readonly scopes: readonly string[];
  /** Of the file, for errors. */
  readonly path: string;
  /** import writes the lines, so the gateway checks each of them. */
  readonly purpose: 'import' | 'diff';
}

/**
 * Compares a file with the secrets of the owner. The gateway tells which values are the same, if the caller may know.
 * @throws CommandFailure that names each line that breaks a rule
 */
export async function compare(
  gateway: GatewayClient,
  bulk: Bulk,
  entries: readonly DotenvEntry[],
  { scopes, path, purpose }: CompareRules,
): Promise<Compared[]> {
  const secrets = new Map((await allSecrets(gateway)).map((secret) => [secret.name, secret]));
  const lines = entries.map((entry): Line => ({ entry, secret: secrets.get(entry.name) ?? null }));
  const withValue = lines.filter((line) => line.secret !== null && !isOtherwise(line));
  // A dry run tells it for 500 lines at once.
  const isTold = scopes.includes('secrets:match') && scopes.includes('secrets:write');
  const actions = await dryRun(bulk, purpose === 'import' ? lines : isTold ? withValue : [], path);
  const same = isTold
    ? new Set(lines.filter((line) => actions.get(line) === 'UNCHANGED'))
    : await sameValues(gateway, bulk, withValue, { scopes, purpose });
  return lines.map((line) => ({ ...line, verdict: verdictOf(line, actions.get(line), same) }));
}

/** A secret without a value differs from every line, and a line without one from every secret. */
function isOtherwise({ entry, secret }: Line): boolean {
  return secret?.maskedValue === null || entry.value === '';
}

function verdictOf(line: Line, action: Action | undefined, same: ReadonlySet<Line> | null): Verdict {
  // The dry run looked later than the list was read.
  if (action ? action === 'CREATED' : line.secret === null) return 'new';
  if (isOtherwise(line)) return 'changed';
  if (same === null) return 'unknown';
  return same.has(line) ? 'same' : 'changed';
}

/** A line for each secret, and a line that counts them. */
export function preview(compared: readonly Compared[]): string {
  const words: Record<Verdict, string> = { new: 'new', changed: 'changed', same: 'same', unknown: 'exists' };
  const lines = compared.map(({ entry, verdict }) => `${words[verdict].padEnd(7)}  ${printable(entry.name)}\n`);
  const counts = (Object.keys(words) as Verdict[]).flatMap((verdict) => {
    const count = compared.filter((one) => one.verdict === verdict).length;
    return count > 0 ? [`${count} ${words[verdict]}`] : [];
  });
  return `${lines.join('')}${counts.join(', ') || 'The file is empty'}.\n`;
}
