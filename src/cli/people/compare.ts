import { printable } from '../printable.ts';
import type { GatewayClient } from './client.ts';
import type { DotenvEntry } from './dotenv-scan.ts';
import type { Gateway, Secret } from './gateway.ts';
import { resolve } from './resolve.ts';
import { allSecrets } from './secret.ts';

/** unknown: it exists, and this credential may not have its value. */
export type Verdict = 'new' | 'changed' | 'same' | 'unknown';

export interface Compared {
  readonly entry: DotenvEntry;
  readonly verdict: Verdict;
  /** The secret of that name; null where it is new. */
  readonly secret: Secret | null;
}

/** As many as one call delivers. */
const atOnce = 1000;

/**
 * Compares a file with the secrets of the owner. Values are delivered to a key of this call, and compared here.
 * @param options the scopes of the caller, and the purpose for the audit log
 */
export async function compare(
  gateway: GatewayClient,
  entries: readonly DotenvEntry[],
  { scopes, purpose }: { readonly scopes: readonly string[]; readonly purpose: string },
): Promise<Compared[]> {
  const secrets = new Map((await allSecrets(gateway)).map((secret) => [secret.name, secret]));
  // A secret without a value differs from every line.
  const withValue = entries.map(({ name }) => name).filter((name) => secrets.get(name)?.maskedValue != null);
  const mayCompare = scopes.includes('secrets:resolve');
  const values = mayCompare ? await valuesOf(gateway, withValue, purpose) : null;
  return entries.map((entry) => {
    const secret = secrets.get(entry.name) ?? null;
    return { entry, secret, verdict: verdictOf(entry, secret, values) };
  });
}

function verdictOf(
  { name, value }: DotenvEntry,
  secret: Secret | null,
  values: ReadonlyMap<string, string> | null,
): Verdict {
  if (secret === null) return 'new';
  if (secret.maskedValue === null) return 'changed';
  if (values === null) return 'unknown';
  return values.get(name) === value ? 'same' : 'changed';
}

async function valuesOf(
  gateway: Gateway,
  names: readonly string[],
  purpose: string,
): Promise<ReadonlyMap<string, string>> {
  const values = new Map<string, string>();
  for (let start = 0; start < names.length; start += atOnce) {
    const wanted = { names: names.slice(start, start + atOnce), purpose };
    for (const { name, value } of await resolve(gateway, wanted)) values.set(name, value);
  }
  return values;
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
