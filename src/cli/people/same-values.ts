import { createProgress } from '../progress.ts';
import type { Bulk } from './bulk.ts';
import type { Line } from './calls.ts';
import type { Gateway } from './gateway.ts';
import { resolve } from './resolve.ts';

/** So often a gateway compares a value in a minute. */
const matchesAtOnce = 30;
/** As many as one call delivers. */
const deliveriesAtOnce = 1000;

/** Whether credentials with these scopes can tell which values are the same. */
export function mayCompare(scopes: readonly string[]): boolean {
  return scopes.includes('secrets:match') || scopes.includes('secrets:resolve');
}

/**
 * The lines whose secrets have the same value. Where it takes too long to ask the gateway for each, the values are delivered to a key of this
 * call, and compared here.
 * @param lines of secrets that have a value
 * @param purpose of deliveries, for the audit log
 * @returns null where the caller may do neither
 */
export async function sameValues(
  gateway: Gateway,
  bulk: Bulk,
  lines: readonly Line[],
  { scopes, purpose }: { readonly scopes: readonly string[]; readonly purpose: string },
): Promise<ReadonlySet<Line> | null> {
  const mayResolve = scopes.includes('secrets:resolve');
  if (scopes.includes('secrets:match') && (!mayResolve || lines.length <= matchesAtOnce)) return matched(bulk, lines);
  return mayResolve ? delivered(gateway, lines, purpose) : null;
}

async function matched({ client, owner }: Bulk, lines: readonly Line[]): Promise<ReadonlySet<Line>> {
  const progress = createProgress('comparing', process.stderr);
  const same = new Set<Line>();
  try {
    for (const [index, line] of lines.entries()) {
      progress.show(index, lines.length);
      const secrets = await client.matchesSecret({ owner, value: line.entry.value });
      if (secrets.some(({ id }) => id === line.secret?.id)) same.add(line);
    }
  } finally {
    progress.end();
  }
  return same;
}

async function delivered(gateway: Gateway, lines: readonly Line[], purpose: string): Promise<ReadonlySet<Line>> {
  const values = new Map<string, string>();
  const names = lines.map(({ entry }) => entry.name);
  for (let start = 0; start < names.length; start += deliveriesAtOnce) {
    const wanted = { names: names.slice(start, start + deliveriesAtOnce), purpose };
    for (const { name, value } of await resolve(gateway, wanted)) values.set(name, value);
  }
  return new Set(lines.filter(({ entry }) => values.get(entry.name) === entry.value));
}
