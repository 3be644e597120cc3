import type { Destination } from '../model/destination.ts';
import type { ProviderCheck } from '../model/provider-check.ts';
import { isAllowedPath } from '../rules/path-prefix.ts';
import type { Dependencies } from './dependencies.ts';

/**
 * How a value is checked, whose provider and destination are these; null where it cannot be. A check sends a value only where its
 * own destination lets it go: to the same origin, in the same header and form, and at a path that is allowed.
 */
export function checkOf(
  value: string,
  destination: Destination | null,
  provider: string | null,
  { providers }: Pick<Dependencies, 'providers'>,
): ProviderCheck | null {
  if (!destination || provider === null) return null;
  const row = providers.find(provider);
  if (!row?.check) return null;
  const { origin, header, format } = row.destination;
  const isRows =
    destination.origin === origin &&
    destination.header.toLowerCase() === header.toLowerCase() &&
    destination.format === format;
  if (!isRows || row.check.notForPrefixes.some((prefix) => value.startsWith(prefix))) return null;
  const [path = ''] = row.check.path.split('?', 1);
  return isAllowedPath(path, destination) ? row.check : null;
}
