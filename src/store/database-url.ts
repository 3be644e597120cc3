import { dirname, isAbsolute, resolve } from 'node:path';
import { ConfigurationError } from '../errors.ts';

export type DatabaseUrl =
  | { readonly kind: 'sqlite'; readonly path: string }
  | { readonly kind: 'mongodb'; readonly uri: string };

const forms = 'sqlite:PATH, sqlite::memory:, mongodb://HOST/DATABASE or mongodb+srv://HOST/DATABASE';

/**
 * What DATABASE_URL names: `sqlite:<path>` (relative to the working directory), `sqlite::memory:`, `mongodb://…` or
 * `mongodb+srv://…`. What other tools write for SQLite is refused, since it names another file to each of them.
 * @throws ConfigurationError with the form that is meant, and nothing of the URL
 */
export function parseDatabaseUrl(url: string): DatabaseUrl {
  if (/^mongodb(\+srv)?:\/\//.test(url)) return { kind: 'mongodb', uri: url };
  const path = /^sqlite:(.+)$/s.exec(url)?.[1];
  const fault = path === undefined ? faultOfScheme(url) : faultOfPath(path);
  if (fault !== null) throw new ConfigurationError(`DATABASE_URL ${fault}`);
  return { kind: 'sqlite', path: path ?? '' };
}

function faultOfScheme(url: string): string {
  if (/^(sqlite3?:)?(\/\/+)?:?memory:?$/i.test(url)) return 'names no store. Did you mean sqlite::memory:?';
  if (/^((jdbc|sqlite\d?|sqlite\+\w+|file|libsql|sql):)+/i.test(url)) {
    return `does not begin as the gateway reads it. Did you mean sqlite:PATH? ${pathForms}`;
  }
  if (/^mongo(db)?(\+srv)?:/i.test(url))
    return `does not begin as a MongoDB URL. Did you mean mongodb://HOST/DATABASE?`;
  if (/^[a-z][a-z\d+.-]*:\/\//i.test(url)) {
    return `names a database that the gateway cannot use: there are SQLite and MongoDB. Set it to ${forms}.`;
  }
  if (/^(\.{0,2}\/)|\.(db|sqlite3?)$/i.test(url))
    return 'is a path alone. Did you mean sqlite:PATH, the path with sqlite: before it?';
  return `names no store. Set it to ${forms}.`;
}

const pathForms =
  'sqlite:secrets.db is a file in the directory in which the gateway runs, sqlite:/data/secrets.db one with an absolute path.';

/** What would become the name of a file that nobody wants. */
function faultOfPath(path: string): string | null {
  if (path === ':memory:') return null;
  if (/^(\/\/+)?:?memory:?$/i.test(path)) return 'names no store. Did you mean sqlite::memory:?';
  if (path.startsWith('//')) {
    return `has slashes after sqlite:, which other tools read in different ways. Write sqlite: and the path. ${pathForms}`;
  }
  if (/^file:/i.test(path)) return `has file: before the path. Write sqlite: and the path. ${pathForms}`;
  if (/[?#]/.test(path))
    return 'has options after the path of SQLite, and takes none. Write sqlite: and the path alone.';
  if (/^~|\$[\w{(]|%\w+%/.test(path)) {
    return 'has a variable or ~ in the path, which only a shell replaces. Write the path itself.';
  }
  if (/^\s|\s$|\p{Cc}/u.test(path))
    return 'has a space at an end of the path, or a control character in it. Leave it out.';
  if (isAbsolute(path) && dirname(resolve(path)) === '/') {
    return `names a file in the root directory. Put it into a directory of its own. ${pathForms}`;
  }
  if (path.endsWith('/')) return 'names a directory. Add the name of a file: sqlite:PATH/secrets.db';
  return null;
}
