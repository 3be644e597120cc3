import type { FindProvider, Provider } from '../model/provider.ts';

/** A provider whose keys go as OAuth 2.0 access tokens do (RFC 6750, section 2.1), to any path of its origin. */
const byBearer = (id: string, title: string, origin: string): Provider => ({
  id,
  title,
  destination: { origin, header: 'Authorization', format: 'Bearer {value}', paths: null },
});

/** Where the keys of well-known providers go. A value that was set keeps its destination, whatever changes here. */
export const providers: readonly Provider[] = [
  {
    id: 'anthropic',
    title: 'Anthropic',
    destination: { origin: 'https://api.anthropic.com', header: 'x-api-key', format: '{value}', paths: null },
  },
  byBearer('github', 'GitHub', 'https://api.github.com'),
  byBearer('openai', 'OpenAI', 'https://api.openai.com'),
];

/** Looks providers up in a table, in any case. Of two rows with one id the later counts. */
export function providerTable(rows: readonly Provider[]): FindProvider {
  const byId = new Map(rows.map((provider) => [provider.id.toLowerCase(), provider]));
  return (id) => byId.get(id.toLowerCase());
}
