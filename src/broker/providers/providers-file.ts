import type { Provider } from '../../model/provider.ts';
import { FieldErrors } from '../../rules/field-errors.ts';
import { type Mistake, parseJsonSetting, refuseMistakes } from '../../runtime/json-setting.ts';
import { readSettingFile } from '../../runtime/setting-file.ts';
import { checkDestination, type Reach } from '../../secrets/destination-input.ts';
import { providerCheckAt } from '../../secrets/provider-check-of.ts';
import { givenCheck } from './entry-check.ts';
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
  const { id, check: given } = entry;
  const known = providers.find((provider) => provider.id === id);
  const { title = known?.title ?? id, keyPrefixes = known?.keyPrefixes ?? [] } = entry;
  const tell = (member: string, message: string) =>
    mistakes.push({ path: ['providers', index, 'check', member], message });
  // Without one of its own an entry keeps that of the row in whose place it is put, if it sends values to the same place.
  const kept = given === undefined && known ? providerCheckAt(destination, known) : null;
  const check = given ? givenCheck(given, destination, tell) : kept;
  const { sdkHeaders } = known ?? {};
  return { id, title, destination, keyPrefixes, ...(sdkHeaders && { sdkHeaders }), check };
}
