import type { Provider } from '../../model/provider.ts';
import { modelProviders } from './model-providers.ts';
import type { Row } from './row.ts';
import { serviceProviders } from './service-providers.ts';

/**
 * Well-known providers, by their ids, as their documentation describes them. Add a row to one of the two files, to
 * docs/providers.md, and to what its provider answers in test/broker/check/recorded-answers.json. A value that was set keeps its
 * destination, whatever changes here.
 */
const rows: Readonly<Record<string, Row>> = { ...modelProviders, ...serviceProviders };

/** In the order of their ids. */
export const providers: readonly Provider[] = Object.entries(rows)
  .map(([id, row]) => providerOf(id, row))
  .sort((a, b) => (a.id < b.id ? -1 : 1));

function providerOf(id: string, { title, keyPrefixes, sdkHeaders, check, ...row }: Row): Provider {
  const { origin, header = 'Authorization', format = 'Bearer {value}', paths = null } = row;
  return {
    id,
    title,
    destination: { origin, header, format, paths },
    keyPrefixes,
    ...(sdkHeaders && { sdkHeaders }),
    check: { method: 'GET', headers: {}, body: null, results: {}, notForPrefixes: [], ...check },
  };
}

/** What people call providers besides their ids. */
export const aliases: Readonly<Record<string, string>> = {
  claude: 'anthropic',
  gemini: 'google',
  hf: 'huggingface',
  'hugging-face': 'huggingface',
  mistralai: 'mistral',
  togetherai: 'together',
};
