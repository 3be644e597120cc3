/**
 * What GraphiQL may keep of a document or of variables across a reload: fields, types, and names that look like names. Never
 * strings in other places, comments of the user's, long numbers, or what is no GraphQL or JSON: each could be a value. The page
 * runs this function as it is printed, so that it refers to nothing outside of it.
 * @param ownComments the comments of the examples
 * @returns null when nothing of it can be kept
 */
export function keptOf(text: string, kind: 'query' | 'variables', ownComments: readonly string[]): string | null {
  const forms: Readonly<Record<string, RegExp>> = {
    name: /^(?:[A-Z]{1,20}(?:_[A-Z]{1,20}){1,8}|[a-z]{1,12}(?:[_ -][a-z]{1,12}){0,4})$/,
    provider: /^[a-z]{1,20}$/,
    teamId: /^[a-z]{1,20}$/,
    connectorId: /^[a-z]{1,20}$/,
    id: /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
  };
  const keptText = (key: string, content: string) => (forms[key]?.test(content) ? content : '');
  /** A key that somebody pasted where a name belongs has digits, or is long. */
  const isName = (word: string) => /^[A-Za-z_]{1,40}\d{0,2}$/.test(word);

  function keptValue(value: unknown, key: string): unknown {
    if (typeof value === 'string') return keptText(key, value);
    if (typeof value === 'number') return Number.isInteger(value) && Math.abs(value) < 10_000 ? value : 0;
    if (Array.isArray(value)) return value.map((item) => keptValue(item, key === 'tags' ? key : ''));
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value).filter(([name]) => isName(name));
    return Object.fromEntries(entries.map(([name, member]) => [name, keptValue(member, name)]));
  }

  function keptDocument(): string | null {
    const token =
      /"""[\s\S]*?(?:"""|$)|"(?:\\.|[^"\\\n])*"?|#[^\n]*|\$?[A-Za-z_]\w*|-?\d[\w.+-]*|\.\.\.|[\s,{}()[\]:!=|@&]|[\s\S]/g;
    let [kept, key, before, depth, isDefault] = ['', '', '', 0, false];
    for (const { 0: part, index } of text.matchAll(token)) {
      const isKey = /^\s*:/.test(text.slice(index + part.length));
      if (/^[\s,]$/.test(part)) kept += part;
      else if (part.startsWith('#')) kept += ownComments.includes(part) ? part : '';
      else {
        const isType = key.startsWith('$') && !isDefault;
        if (part.startsWith('"')) kept += `"${keptText(key, part.slice(1, -1))}"`;
        else if (/^-?\d/.test(part)) kept += /^-?\d{1,4}$/.test(part) ? part : '0';
        else if (/^[A-Za-z_]/.test(part) && depth > 0 && !isKey && !isType && before !== '@') {
          kept += /^(?:true|false|null)$/.test(part) ? part : 'null';
        } else if (/^\$?[A-Za-z_]/.test(part)) {
          if (!isName(part.replace('$', ''))) return null;
          kept += part;
        } else if (/^(?:\.\.\.|[{}()[\]:!=|@&])$/.test(part)) kept += part;
        else return null;
        depth += part === '(' ? 1 : part === ')' ? -1 : 0;
        if (part === ':') key = before;
        isDefault = part === '=' || (isDefault && !part.startsWith('$'));
        before = part;
      }
    }
    return kept;
  }

  if (kind === 'query') return keptDocument();
  if (text.trim() === '') return text;
  try {
    return JSON.stringify(keptValue(JSON.parse(text), ''), null, 2);
  } catch {
    return null;
  }
}

/**
 * A script for the page, to run before GraphiQL: its storage is in memory, and only what `keptOf` keeps of the documents and
 * variables of its tabs is in the tab's sessionStorage, for a reload. Its headers, its history and the URL keep nothing.
 */
export function storageScript(ownComments: readonly string[]): string {
  return `<script>{
  const keptOf = ${keptOf.toString()};
  const comments = ${JSON.stringify(ownComments)};
  const [saved, lastKept] = ['secrets-gateway', new Map()];
  const items = new Map(JSON.parse(sessionStorage.getItem(saved) ?? '[]'));
  const kept = (text, kind, id) => {
    const result = keptOf(text ?? '', kind, comments);
    if (result !== null) lastKept.set(kind + id, result);
    return lastKept.get(kind + id) ?? '';
  };
  const save = () => {
    const state = JSON.parse(items.get('graphiql:tabState') ?? 'null');
    if (!state) return;
    const tabs = state.tabs.map(({ id, title, query, variables }) => {
      const document = kept(query, 'query', id);
      const name = /\\b(?:query|mutation|subscription)\\s+(\\w+)/.exec(document)?.[1];
      return {
        id, hash: '', title: name ?? '<untitled>', query: document, variables: kept(variables, 'variables', id),
        headers: null, operationName: name ?? null, response: null,
      };
    });
    const active = tabs[state.activeTabIndex];
    sessionStorage.setItem(saved, JSON.stringify([
      ['graphiql:tabState', JSON.stringify({ tabs, activeTabIndex: state.activeTabIndex })],
      ['graphiql:query', active?.query ?? ''],
      ['graphiql:variables', active?.variables ?? ''],
    ]));
  };
  const localStorage = {
    get length() { return items.size; },
    clear: () => items.clear(),
    getItem: (key) => items.get(key) ?? null,
    removeItem: (key) => items.delete(key),
    setItem: (key, value) => {
      items.set(key, value);
      if (key === 'graphiql:tabState') save();
    },
  };
  Object.defineProperty(window, 'localStorage', { value: localStorage });
  history.replaceState = () => {};
}</script>`;
}
