import type { Destination } from '../model/destination.ts';
import { isDestinationOf, type Provider } from '../model/provider.ts';
import type { ProviderCheck } from '../model/provider-check.ts';
import { isAllowedPath } from '../rules/path-prefix.ts';
import type { Dependencies } from './dependencies.ts';

/** How a value is checked, whose provider and destination are these; null where it cannot be. */
export function providerCheckOf(
  value: string,
  destination: Destination | null,
  provider: string | null,
  { providers }: Pick<Dependencies, 'providers'>,
): ProviderCheck | null {
  if (!destination || provider === null) return null;
  const row = providers.find(provider);
  const check = row ? providerCheckAt(destination, row) : null;
  return check?.notForPrefixes.some((prefix) => value.startsWith(prefix)) ? null : check;
}

/**
 * The check of a provider, where a destination lets it be sent: to the same origin, in the same header and form, and at a path that is
 * allowed. So a check sends a value nowhere else than a use may.
 */
export function providerCheckAt(at: Provider['destination'], provider: Provider): ProviderCheck | null {
  const { check } = provider;
  const [path = ''] = check?.path.split('?', 1) ?? [];
  return isDestinationOf(at, provider) && isAllowedPath(path, at) ? check : null;
}
