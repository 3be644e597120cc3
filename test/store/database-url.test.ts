import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseDatabaseUrl } from '../../src/store/database-url.ts';

const marker = 'hunter22';

function refusalOf(url: string): string {
  try {
    return `accepted: ${JSON.stringify(parseDatabaseUrl(url))}`;
  } catch (error) {
    expect(error).toMatchObject({ name: 'ConfigurationError' });
    return (error as Error).message;
  }
}

describe('DATABASE_URL', () => {
  it.each([
    ['sqlite:secrets.db', 'secrets.db'],
    ['sqlite:./secrets.db', './secrets.db'],
    ['sqlite:../a/secrets.db', '../a/secrets.db'],
    ['sqlite:/data/secrets.db', '/data/secrets.db'],
    ['sqlite:.data/my secrets.db', '.data/my secrets.db'],
    ['sqlite::memory:', ':memory:'],
  ])('%s is an SQLite database', (url, path) => {
    expect(parseDatabaseUrl(url)).toEqual({ kind: 'sqlite', path });
  });

  it.each(['mongodb://h/d', 'mongodb+srv://h/d'])('%s is a MongoDB', (uri) => {
    expect(parseDatabaseUrl(uri)).toEqual({ kind: 'mongodb', uri });
  });

  it.each([
    `sqlite://${marker}.db`,
    `sqlite:///${marker}.db`,
    `sqlite:////${marker}.db`,
    `sqlite:////data/${marker}.db`,
    `sqlite://./${marker}.db`,
    `sqlite://localhost/${marker}.db`,
    `SQLITE:${marker}.db`,
    `sqlite3:${marker}.db`,
    `sqlite3:///${marker}.db`,
    `sqlite+aiosqlite:///${marker}.db`,
    `jdbc:sqlite:${marker}.db`,
    `file:${marker}.db`,
    `file:///${marker}.db`,
    `sqlite:file:${marker}.db`,
    `sqlite:/${marker}.db`,
    `sqlite:/data/../${marker}.db`,
  ])('%s is refused with the form that is meant, and makes no file', (url) => {
    const message = refusalOf(url);
    expect(message).toMatch(
      /^DATABASE_URL .*sqlite:secrets\.db is a file in the directory.*sqlite:\/data\/secrets\.db/,
    );
    expect(message).not.toContain(marker);
    expect(existsSync(`/${marker}.db`)).toBe(false);
  });

  it.each([
    'sqlite://:memory:',
    'sqlite:///:memory:',
    'sqlite:memory',
    'sqlite:memory:',
    'sqlite3::memory:',
    ':memory:',
    'memory',
  ])('%s is refused, and sqlite::memory: named', (url) => {
    expect(refusalOf(url)).toMatch(/^DATABASE_URL .*Did you mean sqlite::memory:\?$/);
  });

  it.each([
    [`sqlite:${marker}.db?mode=rwc`, /takes none/],
    [`sqlite:${marker}.db#x`, /takes none/],
    [`sqlite:~/${marker}.db`, /which only a shell replaces/],
    [`sqlite:$HOME/${marker}.db`, /which only a shell replaces/],
    [`sqlite:\${DATA}/${marker}.db`, /which only a shell replaces/],
    [`sqlite: ${marker}.db`, /space at an end/],
    [`sqlite:${marker}.db\n`, /control character/],
    [`sqlite:${marker}/`, /names a directory/],
    [`/data/${marker}.db`, /Did you mean sqlite:PATH/],
    [`./${marker}`, /Did you mean sqlite:PATH/],
    [`${marker}.sqlite3`, /Did you mean sqlite:PATH/],
    [`mongodb:${marker}`, /Did you mean mongodb:\/\/HOST/],
    [`mongo://u:${marker}@h/d`, /Did you mean mongodb:\/\/HOST/],
    [`MONGODB://u:${marker}@h/d`, /Did you mean mongodb:\/\/HOST/],
    [`postgres://u:${marker}@h/d`, /there are SQLite and MongoDB/],
    [`mysql://u:${marker}@h/d`, /there are SQLite and MongoDB/],
    [`redis://:${marker}@h`, /there are SQLite and MongoDB/],
    [marker, /names no store/],
    ['', /names no store/],
    ['sqlite:', /sqlite:PATH/],
  ])('%s is refused with what to write', (url, fix) => {
    const message = refusalOf(url);
    expect(message).toMatch(/^DATABASE_URL /);
    expect(message).toMatch(fix);
    expect(message).not.toContain(marker);
  });
});
