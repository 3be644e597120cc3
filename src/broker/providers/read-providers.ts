import { ProviderTable } from '../../model/provider.ts';
import type { Reach } from '../../secrets/destination-input.ts';
import { aliases, providers } from './providers.ts';

/**
 * The providers that the gateway knows, with those of BROKER_PROVIDERS_FILE.
 * @throws ConfigurationError
 */
export async function readProviders(file: string | null, reach: Reach): Promise<ProviderTable> {
  if (file === null) return new ProviderTable(providers, aliases);
  // Loaded where there is such a file.
  const { readProvidersFile } = await import('./providers-file.ts');
  return new ProviderTable([...providers, ...(await readProvidersFile(file, reach))], aliases);
}
