import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { errorTable } from '../src/errors.ts';

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

  it('lists exactly the variables that src/config.ts reads', () => {
    const inCode = firstGroup(read('src/config.ts'), /\benv(?:\.|, ')([A-Z][A-Z_]+)\b/g);
    const inTable = firstGroup(section(readme, '## Configuration'), /^\| `([A-Z_]+)` \|/gm);
    expect(inTable.length).toBeGreaterThan(10);
    expect(inTable).toEqual([...new Set(inTable)]);
    expect(sorted(inTable)).toEqual(sorted(inCode));
  });

  it('names only scripts that there are', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    for (const script of firstGroup(readme, /npm run ([\w:]+)/g)) expect(scripts).toHaveProperty([script]);
  });
});

describe('docs/errors.md', () => {
  const errors = read('docs/errors.md');

  it.each(Object.entries(errorTable))('has %s with its status and type', (code, { status, type }) => {
    expect(errors).toContain(`| \`${code}\` | ${status} | \`${type}\` |`);
  });

  it('has every type that is one of its own, and every type of a broken field', () => {
    const sources = globSync('src/**/*.ts', { cwd: root })
      .map((path) => `${read(path)}\n`)
      .join('');
    const ofErrors = firstGroup(sources, /'(\w+_error)'/g);
    const ofLimits = firstGroup(read('src/graphql/limits/operation-cost.ts'), /^ {2}(\w+): \{ max: /gm).map(
      (name) => `${name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}_limit_error`,
    );
    const ofFields = firstGroup(sources, /broken\.add\((?:\[[^\]]*\]|\w+), '(\w+)'/g);
    expect([ofErrors.length > 2, ofLimits.length > 4, ofFields.length > 10]).toEqual([true, true, true]);
    for (const type of [...ofErrors, ...ofLimits, ...ofFields]) expect(errors).toContain(`\`${type}\``);
  });
});

describe('SECURITY.md', () => {
  const proofs = [...read('SECURITY.md').matchAll(/`(test\/[^`]+)` › ([^|\n]+?)(?= *(?:<br>|\|))/g)];

  it('proves each promise', () => {
    const rows = section(read('SECURITY.md'), '## Promises').match(/^\| [^|-].*\|$/gm) ?? [];
    const [, ...promises] = rows;
    expect(promises.length).toBeGreaterThan(20);
    for (const promise of promises) expect(promise).toMatch(/ › /);
  });

  it('cites nothing in another form', () => {
    const citations = read('SECURITY.md').match(/`test\/[^`]+` ›/g) ?? [];
    expect(read('SECURITY.md').match(/(?<!`file`) ›/g)).toHaveLength(citations.length);
    expect(proofs).toHaveLength(citations.length);
  });

  it.each(proofs.map(([, file = '', title = '']) => [file, title] as const))('%s › %s is there', (file, title) => {
    expect(titlesOf(read(file))).toContain(title);
  });

  it('would miss a title that is no test’s', () => {
    const code = `it('one', f); it.each([['a row', 1]])(\n  "%s's", f); it.skipIf(x)(\`two\`, f); describe('all', f); say('no');`;
    expect(titlesOf(code)).toEqual(['one', "%s's", 'two']);
  });
});

describe('links', () => {
  const links = pages.flatMap((page) =>
    firstGroup(withoutCode(read(page)), /\]\(([^)\s]+)\)/g)
      .filter((target) => !/^[a-z]+:/.test(target))
      .map((target) => [page, target] as const),
  );

  it.each(links)('of %s: %s', (page, target) => {
    const [path = '', anchor] = target.split('#');
    const file = path === '' ? page : normalize(join(dirname(page), path));
    const found = globSync(file, { cwd: root });
    expect(found).toHaveLength(1);
    if (anchor !== undefined) expect(firstGroup(read(file), /^#+ (.+)$/gm).map(anchorOf)).toContain(anchor);
  });
});

it('the pages speak of the project alone', () => {
  for (const page of pages) expect(read(page)).not.toMatch(/\/(work|tmp|home|root)\/|\bissue \d/i);
});

function section(text: string, heading: string): string {
  const start = text.indexOf(`\n${heading}`) + 1;
  expect(start).toBeGreaterThan(0);
  const end = text.indexOf('\n## ', start);
  return text.slice(start, end < 0 ? undefined : end);
}

/** Of tests, not of what they are grouped in. */
function titlesOf(code: string): string[] {
  return [...code.matchAll(/(?:\b(?:it|test)|\))\(\s*(['"`])((?:(?!\1).)*)\1,\s/g)].map(([, , title = '']) => title);
}

function withoutCode(text: string): string {
  return text.replace(/^ *```[\s\S]*?^ *```/gm, '').replace(/`[^`\n]*`(?!\])/g, '');
}

/** As GitHub makes them. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replace(/\s/g, '-');
}
