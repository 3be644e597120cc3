import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const script = join(import.meta.dirname, '../../scripts/check-breaking-changes.ts');
const schemas = ['schema.graphql', 'subgraph.graphql'].map((name) => ({
  name,
  text: readFileSync(join(import.meta.dirname, '../../schema', name), 'utf8'),
}));

describe('the check for breaking changes', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'breaking-changes-'));
    mkdirSync(join(folder, 'schema'));
    change(/$^/, '');
    announce('');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** Replaces a pattern in the current schema. */
  function change(pattern: RegExp, to: string): void {
    for (const { name, text } of schemas) writeFileSync(join(folder, 'schema', name), text.replace(pattern, to));
  }

  function announce(line: string): void {
    const sections = ['# Changelog', '## [Unreleased]', line, '## [1.0.0] - 2026-01-01', '- BREAKING: long ago'];
    writeFileSync(join(folder, 'CHANGELOG.md'), sections.join('\n\n'));
  }

  function run(...args: string[]) {
    const { status, stdout, stderr } = spawnSync(process.execPath, [script, folder, ...args], { encoding: 'utf8' });
    return { status, stdout, stderr };
  }

  it('passes before the first release', () => {
    expect(run()).toEqual({ status: 0, stdout: expect.stringContaining('No schema has been released'), stderr: '' });
  });

  it('passes an unchanged schema, and says so', () => {
    run('--release');
    expect(run()).toEqual({
      status: 0,
      stdout: 'Since the last release: 0 breaking changes, 0 dangerous ones.\n',
      stderr: '',
    });
  });

  it('passes additions', () => {
    run('--release');
    change(/^type Viewer \{/m, 'type Viewer {\n  nickname: String');
    expect(run().status).toBe(0);
  });

  it.each<[string, RegExp, string, string]>([
    ['a removed field', /^ {2}subject: String!$/m, '  name: String!', 'Viewer.subject was removed.'],
    [
      'a field that became nullable',
      /^ {2}subject: String!$/m,
      '  subject: String',
      'Viewer.subject changed type from String! to String.',
    ],
    [
      'a new required argument',
      /^ {2}nameStartsWith: String$/m,
      '  nameStartsWith: String\n  exact: Boolean!',
      'A required field exact on input type SecretFilter was added.',
    ],
    ['a key that other subgraphs use', / @key\(fields: "teamId id"\)/, '', 'Connector @key(fields: "teamId id")'],
    ['a type that other subgraphs may define too', / @shareable/, '', 'PageInfo @shareable was removed.'],
  ])('refuses %s, once, until the changelog announces it', (_what, pattern, to, message) => {
    run('--release');
    change(pattern, to);
    const refused = run();
    expect(refused.status).toBe(1);
    expect(refused.stdout.split(`breaking   ${message}`)).toHaveLength(2);
    expect(refused.stderr).toContain('CHANGELOG.md');
    announce('- BREAKING: something else now');
    expect(run()).toEqual({ ...refused, status: 0, stderr: '' });
  });

  it('reports dangerous changes, and passes', () => {
    run('--release');
    change(/^ {2}MEMBER$/m, '  MEMBER\n  GUEST');
    const { status, stdout } = run();
    expect(status).toBe(0);
    expect(stdout).toContain('dangerous  GUEST was added to enum type TeamRole.');
  });

  it('fails when one of the released schemas is missing', () => {
    run('--release');
    rmSync(join(folder, 'schema/released/subgraph.graphql'));
    expect(run().status).toBe(1);
  });
});
