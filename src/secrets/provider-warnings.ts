import type { ProviderTable } from '../model/provider.ts';
import type { Warning } from '../model/warning.ts';
import type { PlaintextValue } from './value-input.ts';

/** What keys are made of, after their prefix. Shorter text is perhaps a word that begins in the same way. */
const key = /^[\w.+/=-]{8,}$/;

/**
 * A key under the name of another provider would be sent to that other one when it is used, or to nobody. It is kept all the same:
 * only its owner knows what it must be.
 * @param provider null: nothing is said of whose service the value is for
 */
export function warningsOfProvider(
  { field, value }: Pick<PlaintextValue, 'field' | 'value'>,
  provider: string | null,
  providers: ProviderTable,
): Warning[] {
  if (provider === null) return [];
  const found = providers.ofKey(value);
  if (found.length === 0 || !key.test(value.trim())) return [];
  const named = providers.find(provider);
  if (named && found.includes(named)) return [];
  const whose = found.map(({ id, title }) => `${title} (provider ${id})`).join(' or ');
  const message = `The value begins as keys of ${whose} do, and the provider is another one. It was kept as it was sent. Check both.`;
  return [{ field, type: 'other_provider', message }];
}
