import type { Provider } from '../../model/provider.ts';
import { FieldErrors } from '../../rules/field-errors.ts';
import { type Mistake, parseJsonSetting, refuseMistakes } from '../../runtime/json-setting.ts';
import { readSettingFile } from '../../runtime/setting-file.ts';
import { checkDestination, type Reach } from '../../secrets/destination-input.ts';
import { providers } from './providers.ts';
import { membersAt, type ProviderEntry, providersSchema } from './providers-schema.ts';

const variable = 'BROKER_PROVIDERS_FILE';
const example = '{"providers":[…]}';

/**
 * Reads the providers that are added to the table, or put in place of its rows.
 * @param reach what destinations may be
 * @throws ConfigurationError that names the file, and for each mistake its place, the rule and the fix
 */
export async function readProvidersFile(path: string, reach: Reach): Promise<Provider[]> {
  const text = await readSettingFile({ variable, path, access: 'public', maxBytes: 1024 * 1024 });
  const parsed = providersSchema.safeParse(parseJsonSetting(text, { variable, path, example }));
  if (!parsed.success) refuseMistakes({ variable, path }, parsed.error.issues, membersAt);
  const mistakes: Mistake[] = [];
  const read = parsed.data.providers.map((entry, index) => providerOf(entry, index, reach, mistakes));
  if (mistakes.length > 0) refuseMistakes({ variable, path }, mistakes, membersAt);
  return read;
}

function providerOf(entry: ProviderEntry, index: number, reach: Reach, mistakes: Mistake[]): Provider {
  const errors = new FieldErrors();
  const { byHand: _, ...destination } = checkDestination(entry.destination, reach, errors);
  for (const { loc, message } of errors.list) {
    mistakes.push({ path: ['providers', index, 'destination', ...loc], message: message.replace(/^M/, 'm') });
  }
  const { id, title = known(id)?.title ?? id, keyPrefixes = known(id)?.keyPrefixes ?? [] } = entry;
  return { id, title, destination, keyPrefixes, check: null };
}

/** The row in whose place this one is put. */
function known(id: string): Provider | undefined {
  return providers.find((provider) => provider.id === id);
}
