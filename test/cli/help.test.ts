import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { operator } from '../../src/cli/operator/commands.ts';
import { people } from '../../src/cli/people/commands.ts';
import { peopleSettings, settings } from '../../src/cli/settings.ts';
import { settingNames } from '../../src/config.ts';
import { CommandLine } from '../support/command-line.ts';

const commandLine = readFileSync(join(import.meta.dirname, '../../docs/command-line.md'), 'utf8');
const configuration = readFileSync(join(import.meta.dirname, '../../docs/configuration.md'), 'utf8');

let shell: CommandLine;
beforeEach(async () => {
  shell = await CommandLine.open();
});
afterEach(() => shell.close());

/** The commands that a help page lists. */
function commandsOf(page: string): string[] {
  const [, list = ''] = page.split('\nCommands:\n');
  return [...list.matchAll(/^ {2}([a-z]+) /gm)].map(([, name = '']) => name).filter((name) => name !== 'help');
}

describe('the help', () => {
  it('has a page for each command, which says what it does and which settings it reads', async () => {
    const pages = new Map<string, string>();
    const walk = async (...words: string[]): Promise<void> => {
      const { code, stdout, stderr } = await shell.run([...words, '--help']);
      expect({ words, code, stderr }).toEqual({ words, code: 0, stderr: '' });
      pages.set(words.join(' '), stdout);
      for (const name of commandsOf(stdout)) await walk(...words, name);
    };
    await walk();
    expect([...pages.keys()]).toEqual(
      expect.arrayContaining([...Object.keys(operator), 'keys retire', ...Object.keys(people), 'complete']),
    );
    for (const [words, page] of pages) {
      expect(page).toContain(`Usage: ${['secrets-gateway', words].join(' ').trim()} `);
      if (!['', 'schema', 'complete'].includes(words)) expect(page).toContain('Environment variables (more in ');
    }
    expect(new Set(pages.values()).size).toBe(pages.size);
    const ofServe = [...(pages.get('serve') ?? '').matchAll(/^ {2}([A-Z_]+) /gm)].map(([, name]) => name);
    expect(ofServe.toSorted()).toEqual([...settingNames].sort());
  });

  it.each(Object.entries(settings))('says the same default of %s as docs/configuration.md', (name, { fallback }) => {
    const [, cell = ''] = new RegExp(`^\\| \`${name}\` \\| ([^|]+) \\|`, 'm').exec(configuration) ?? [];
    expect(cell.replaceAll('`', '')).toBe(fallback ?? '–');
  });

  it.each(Object.entries(peopleSettings))(
    'says the same default of %s as docs/command-line.md',
    (name, { fallback }) => {
      const [, cell = ''] = new RegExp(`^\\| \`${name}\` \\| ([^|]+) \\|`, 'm').exec(commandLine) ?? [];
      expect(cell.replaceAll('`', '')).toBe(fallback ?? '–');
    },
  );

  it('may be cut off by head', async () => {
    const { child, exit } = shell.start(['serve', '--help'], {});
    child.stdout?.destroy();
    expect(await exit).toMatchObject({ code: 0, stderr: '' });
  });
});
