import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { settingNames } from '../src/config.ts';
import { errorTable } from '../src/errors.ts';
import { linksOf } from './support/markdown.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const pages = globSync(['*.md', 'docs/**/*.md'], { cwd: root });

const firstGroup = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map(([, group = '']) => group);
const sorted = (names: Iterable<string>) => [...new Set(names)].sort();

describe('README.md', () => {
  const readme = read('README.md');

  it('has the two commands', () => {
    expect(readme).toContain('npm ci && npm start');
    expect(readme).toContain('npm ci && npm test');
  });

  it('links to every page of docs/', () => {
    const linked = linksOf(readme).map(({ path }) => path);
    const shown = pages.filter((page) => page !== 'README.md' && !page.startsWith('docs/adr/'));
    for (const page of shown) expect(linked).toContain(page);
  });
});

describe('docs/configuration.md', () => {
  it('lists exactly the variables that src/config.ts reads', () => {
    // What begins with TEST_ is for tests alone.
    const inCode = firstGroup(read('src/config.ts'), /\benv(?:\.|, ')((?!TEST_)[A-Z][A-Z_]+)\b/g);
    const inTable = firstGroup(read('docs/configuration.md'), /^\| `([A-Z_]+)` \|/gm);
    expect(inTable.length).toBeGreaterThan(10);
    expect(inTable).toEqual([...new Set(inTable)]);
    expect(sorted(inTable)).toEqual(sorted(inCode));
    expect(sorted(inTable)).toEqual(sorted(settingNames));
  });
});

describe('CONTRIBUTING.md', () => {
  const contributing = read('CONTRIBUTING.md');

  it('names an existing file and an existing test for each change', () => {
    const [, , ...rows] = section(contributing, '## Where would I change').match(/^\|.*\|$/gm) ?? [];
    expect(rows.length).toBeGreaterThanOrEqual(10);
    for (const row of rows) {
      expect(row).toMatch(/^\| [^|`]+ \| [^|]*`src\/[^|]+ \| `test\/[^`|]+` \|$/);
      const files = firstGroup(row, /`((?:src|test|docs)\/[^`]+)`/g);
      expect({ row, missing: files.filter((file) => !existsSync(join(root, file))) }).toEqual({ row, missing: [] });
    }
  });

  it('names every folder of src/, and no other', () => {
    const named = firstGroup(section(contributing, '## Source layout'), /^\| `([a-z-]+)\/` \|/gm);
    const folders = readdirSync(join(root, 'src'), { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(sorted(named)).toEqual(sorted(folders.map(({ name }) => name)));
  });

  it('explains every script of package.json', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    for (const script of Object.keys(scripts).filter((name) => name !== 'prepack'))
      expect(contributing).toContain(script);
  });
});

describe('docs/errors.md', () => {
  const errors = read('docs/errors.md');

  it.each(Object.entries(errorTable))('has %s with its status and type', (code, { status, type }) => {
    expect(errors).toContain(`| \`${code}\` | ${status} | \`${type}\` |`);
  });

  it('has every type of an error, of a limit and of a broken field', () => {
    const sources = globSync('src/**/*.ts', { cwd: root })
      // The words of other services stand there.
      .filter((path) => !path.startsWith('src/broker/providers/'))
      .map((path) => `${read(path)}\n`)
      .join('');
    const ofErrors = firstGroup(sources, /'(\w+_error)'/g);
    const ofLimits = firstGroup(read('src/graphql/limits/operation-cost.ts'), /^ {2}(\w+): \{ max: /gm).map(
      (name) => `${name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}_limit_error`,
    );
    const ofFields = firstGroup(
      sources,
      /\b(?:broken|errors)(?:\.at\([^)]*\))?\.add\((?:(?:\[[^\]]*\]|\w+), )?'(\w+)'/g,
    );
    expect([ofErrors.length > 2, ofLimits.length > 4, ofFields.length > 10]).toEqual([true, true, true]);
    for (const type of [...ofErrors, ...ofLimits, ...ofFields]) expect(errors).toContain(`\`${type}\``);
  });
});

it('SECURITY.md proves each promise', () => {
  const [, ...promises] = rowsOf(section(read('SECURITY.md'), '## Promises'));
  expect(promises.length).toBeGreaterThan(20);
  for (const promise of promises) expect(promise).toMatch(/ › /);
});

it('docs/field-cases.md has a test for each situation', () => {
  const situations = rowsOf(read('docs/field-cases.md')).filter((row) => !row.startsWith('| situation |'));
  expect(situations.length).toBeGreaterThan(50);
  for (const situation of situations) expect(situation).toMatch(/^(?:\| [^|]+ ){4}\| `test\/[^`|]+` › [^|]+ \|$/);
});

describe.each(['SECURITY.md', 'docs/field-cases.md'])('%s', (page) => {
  const proofs = [...read(page).matchAll(/`(test\/[^`]+)` › ([^|\n]+?)(?= *(?:<br>|\|))/g)];

  it('cites tests in one form only', () => {
    const citations = read(page).match(/`test\/[^`]+` ›/g) ?? [];
    expect(read(page).match(/(?<!`file`) ›/g)).toHaveLength(citations.length);
    expect(proofs).toHaveLength(citations.length);
  });

  it.each(proofs.map(([, file = '', title = '']) => [file, title] as const))('%s › %s exists', (file, title) => {
    expect(titlesOf(read(file))).toContain(title);
  });
});

it('a citation of what is not the title of a test would be reported', () => {
  const code = `it('one', f); it.each([['a row', 1]])(\n  "%s's", f); it.skipIf(x)(\`two\`, f); describe('all', f); say('no');`;
  expect(titlesOf(code)).toEqual(['one', "%s's", 'two']);
});

describe('links', () => {
  const links = pages.flatMap((page) => linksOf(read(page)).map(({ path, anchor }) => [page, path, anchor] as const));

  it.each(links)('of %s: %s#%s', (page, path, anchor) => {
    const file = path === '' ? page : normalize(join(dirname(page), path));
    expect(existsSync(join(root, file))).toBe(true);
    if (anchor !== undefined) expect(firstGroup(read(file), /^#+ (.+)$/gm).map(anchorOf)).toContain(anchor);
  });
});

it('the pages name only existing scripts', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  for (const page of pages) {
    for (const script of firstGroup(read(page), /npm run ([\w:]+)/g)) expect(scripts).toHaveProperty([script]);
  }
});

it('the pages are about the project only', () => {
  for (const page of pages) expect(read(page)).not.toMatch(/\/(work|tmp|home|root)\/|\bissue \d/i);
});

/** The rows of its tables, with their heads. */
function rowsOf(text: string): string[] {
  return text.match(/^\| [^|-].*\|$/gm) ?? [];
}

function section(text: string, heading: string): string {
  const start = text.indexOf(`\n${heading}`) + 1;
  expect(start).toBeGreaterThan(0);
  const end = text.indexOf('\n## ', start);
  return text.slice(start, end < 0 ? undefined : end);
}

/** The titles of tests, not of their groups. */
function titlesOf(code: string): string[] {
  return [...code.matchAll(/(?:\b(?:it|test)|\))\(\s*(['"`])((?:(?!\1).)*)\1,\s/g)].map(([, , title = '']) => title);
}

/** The anchor that GitHub gives a heading. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replace(/\s/g, '-');
}
