import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { selectVariables } from '../../../src/cli/people/child-environment.ts';
import { formatValues } from '../../../src/cli/people/output-format.ts';
import { fillTemplate, parseTemplate, referencesOf } from '../../../src/cli/people/template.ts';
import { isDangerousVariable, isVariableName } from '../../../src/cli/people/variable-name.ts';
import { writeOutput } from '../../../src/cli/people/write-output.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'secrets-gateway-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

// biome-ignore format: one fragment a line would take sixty
const fragments = [
  "'", '"', '`', '\\', '\n', '\r', '\t', ' ', '$', '$(touch ran)', '`touch ran`', '; touch ran', '\n touch ran\n', '&', '|', '!', '#',
  'a', 'é', '🔑', '\u2028', '\u0085', '\u001b[2J', '{{ A }}', '-', ':', '? ', '- ', '%', '@', 'true', 'null', '1e3', '~', '\ufeff', '\u202e',
  'EOF\n', '\\\n', "'\\''", '$IFS', '*', '~root', '<(touch ran)', '\u007f', '\uffff', '[$(touch ran)]', 'x[$(touch ran)]=1',
];
const hostileText = fc.array(fc.constantFrom(...fragments), { maxLength: 12 }).map((some) => some.join(''));
const hostileName = fc.oneof(
  hostileText.filter((text) => text !== ''),
  fc.constantFrom(
    'A',
    '_B',
    'C1',
    'PATH',
    'RANDOM',
    'OPTIND',
    'PS4',
    'PPID',
    'LD_PRELOAD',
    'BASH_ENV',
    'a',
    'UID',
    'IFS',
    'LD_SDK_KEY',
  ),
);
const hostileSecrets = fc
  .dictionary(hostileName, hostileText, { maxKeys: 40, noNullPrototype: true })
  .map((found) => new Map(Object.entries(found)));

const shells = ['sh', 'bash', 'dash', 'busybox', 'zsh'].filter(
  (shell) => spawnSync(shell, ['--help']).error === undefined,
);

describe('values that are printed', () => {
  it.each(shells)(
    'as env give the same values back when %s sources them, and run nothing',
    { timeout: 60_000 },
    async (shell) => {
      await fc.assert(
        fc.asyncProperty(hostileSecrets, async (secrets) => {
          const values = new Map([...secrets].filter(([name]) => isVariableName(name) && !isDangerousVariable(name)));
          await writeFile(join(directory, 'out.env'), formatValues(values, 'env'));
          const names = [...values.keys()];
          const script = `. ./out.env\n${names.map((name) => `printf '%s\\0' "$${name}"\n`).join('')}`;
          const { stdout, stderr, status } = spawnSync(
            shell,
            shell === 'busybox' ? ['sh', '-c', script] : ['-c', script],
            {
              cwd: directory,
              encoding: 'utf8',
            },
          );
          expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
          expect(stdout.split('\0').slice(0, -1)).toEqual([...values.values()]);
          expect(existsSync(join(directory, 'ran'))).toBe(false);
        }),
        { numRuns: 25 },
      );
    },
  );

  it.each(shells)(
    'as env give 1,000 values of hostile names back when %s sources them, and run nothing',
    async (shell) => {
      const texts = fc.sample(hostileText, { numRuns: 1000, seed: 15 });
      const suffixes = fc.sample(hostileText, { numRuns: 1000, seed: 16 });
      // Half of the names are variables; each of the others has something hostile in it.
      const secrets = new Map(
        texts.map((text, n) => [n % 2 ? `NAME_${n}` : `NAME_${n}$(touch ran)${suffixes[n]}`, text]),
      );
      expect(secrets.size).toBe(1000);
      const { variables, skipped } = selectVariables(secrets, { only: [], renames: new Map() });
      expect([variables.size, skipped.length]).toEqual([500, 500]);
      const whole = new Map(texts.map((text, n) => [`NAME_${n}`, text]));
      for (const values of [variables, whole]) {
        await writeFile(join(directory, 'out.env'), formatValues(values, 'env'));
        const printed = [...values.keys()].map((name) => `printf '%s\\0' "$${name}"\n`).join('');
        await writeFile(join(directory, 'script'), `. ./out.env\n${printed}`);
        const args = shell === 'busybox' ? ['sh', 'script'] : ['script'];
        const { stdout, stderr, status } = spawnSync(shell, args, { cwd: directory, encoding: 'utf8', maxBuffer: 1e8 });
        expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
        expect(stdout.split('\0').slice(0, -1)).toEqual([...values.values()]);
        expect(existsSync(join(directory, 'ran'))).toBe(false);
      }
    },
  );

  it('as json and yaml are read back by parsers of both, whatever names and values hold', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          hostileSecrets,
          fc
            .dictionary(fc.string({ unit: 'grapheme', minLength: 1 }), fc.string({ unit: 'binary' }))
            .map((found) => new Map(Object.entries(found))),
        ),
        (values) => {
          const json = formatValues(values, 'json');
          expect(new Map(Object.entries(JSON.parse(json)))).toEqual(
            new Map(Object.entries(Object.fromEntries(values))),
          );
          const yaml = formatValues(values, 'yaml');
          expect(parseYaml(yaml, { mapAsMap: true, uniqueKeys: true, maxAliasCount: 0 })).toEqual(values);
          for (const text of [json, yaml]) expect(text).not.toMatch(/(?!\n)[\p{Cc}\u2028\u2029\u202e\ufeff]/u);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('are never put into a variable that a shell keeps for itself', () => {
    const { stdout } = spawnSync(
      'bash',
      ['--norc', '--noprofile', '-c', 'declare -ip; declare -rp; compgen -A arrayvar'],
      { encoding: 'utf8', env: {} },
    );
    const own = [...stdout.matchAll(/^(?:declare -\w+ )?(\w+)/gm)].map(([, name = '']) => name);
    expect(own).toEqual(expect.arrayContaining(['PPID', 'UID', 'BASHOPTS']));
    expect(own.filter((name) => !isDangerousVariable(name))).toEqual([]);
  });

  it.each([
    'PATH',
    'path',
    'LD_PRELOAD',
    'LD_LIBRARY_PATH_64',
    'DYLD_INSERT_LIBRARIES',
    'NODE_OPTIONS',
    'BASH_ENV',
    'ENV',
    'PS4',
    'PROMPT_COMMAND',
    'GIT_SSH_COMMAND',
    'PYTHONSTARTUP',
    'PERL5OPT',
    'npm_config_script_shell',
    'SECRETS_GATEWAY_TOKEN',
  ])('are not put into %s, which could run code', (name) => expect(isDangerousVariable(name)).toBe(true));

  it('are not put into any that docs/command-line.md names', async () => {
    const page = await readFile(join(import.meta.dirname, '../../../docs/command-line.md'), 'utf8');
    const [, section = ''] = page.split('## Names that are skipped\n');
    const names = [...(section.split('\n## ')[0] ?? '').matchAll(/`([A-Z_0-9]+)`/g)].map(([, name = '']) => name);
    expect(names.length).toBeGreaterThan(150);
    expect(names.filter((name) => !isDangerousVariable(name))).toEqual([]);
  });

  it.each([
    'OPENAI_API_KEY',
    'LD_SDK_KEY',
    'DATABASE_URL',
    'NPM_TOKEN',
    'USERNAME',
    'HTTPS_PROXY',
    'PYTHON_API_TOKEN',
    'NODE_ENV',
    'PORT',
  ])('are put into %s', (name) => expect(isDangerousVariable(name)).toBe(false));
});

describe('a template', () => {
  const parsed = (text: string) => {
    const found = parseTemplate(text);
    if ('badLine' in found) throw new Error(`line ${found.badLine}`);
    return found.template;
  };

  it('has placeholders and names between double braces, and nothing else changes', () => {
    const text =
      'a=sec_0123456789 b="sec_a23f23d26" {{ NAME }} {{two words}} $X {x} xsec_a23f23d26 sec_a23f23d26x }} {\n';
    const template = parsed(text);
    expect(referencesOf(template).map(({ kind, text: found }) => `${kind} ${found}`)).toEqual([
      'placeholder sec_a23f23d26',
      'name NAME',
      'name two words',
    ]);
    expect(fillTemplate(template, ({ text: found }) => `<${found}>`)).toBe(
      'a=sec_0123456789 b="<sec_a23f23d26>" <NAME> <two words> $X {x} xsec_a23f23d26 sec_a23f23d26x }} {\n',
    );
  });

  it('is filled once: a value that looks like a template stays as it is, and so does every other character', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(
            hostileText.map((text) => text.replaceAll('{', '')),
            hostileText,
          ),
        ),
        (pairs) => {
          const text = pairs.map(([literal], n) => `${literal}{{ N${n} }}`).join('');
          const values = new Map(pairs.map(([, value], n) => [`N${n}`, value]));
          const expected = pairs.map(([literal, value]) => literal + value).join('');
          expect(fillTemplate(parsed(text), (reference) => values.get(reference.text) ?? '')).toBe(expected);
        },
      ),
    );
  });

  it.each([
    ['that are not closed', 'one\ntwo {{ NAME\n}}'],
    ['without a name', 'one\n{{ }}'],
  ])('with braces %s is refused with the line', (_what, text) => {
    expect(parseTemplate(text)).toEqual({ badLine: 2 });
  });
});

describe('an output file', () => {
  const target = () => join(directory, 'out');
  const alone = async () => expect(await readdir(directory)).toEqual(['out']);

  it('has mode 0600, whatever the umask and the mode of the file before it', async () => {
    const before = process.umask(0o277);
    try {
      await writeOutput(target(), 'one');
      expect([(await lstat(target())).mode & 0o777, await readFile(target(), 'utf8')]).toEqual([0o600, 'one']);
      await chmod(target(), 0o644);
      await writeOutput(target(), 'two');
      expect([(await lstat(target())).mode & 0o777, await readFile(target(), 'utf8')]).toEqual([0o600, 'two']);
    } finally {
      process.umask(before);
    }
    await alone();
  });

  it('is not written through a symbolic link, nor over a directory', async () => {
    await writeFile(join(directory, 'elsewhere'), 'kept');
    await symlink('elsewhere', target());
    await expect(writeOutput(target(), 'value')).rejects.toThrow('is a symbolic link');
    expect(await readFile(join(directory, 'elsewhere'), 'utf8')).toBe('kept');
    await rm(join(directory, 'elsewhere'));
    await expect(writeOutput(target(), 'value')).rejects.toThrow('is a symbolic link');
    await rm(target());
    await mkdir(target());
    await expect(writeOutput(target(), 'value')).rejects.toThrow('is not a regular file');
    await alone();
  });

  it('is as it was when it cannot be written, and nothing is left beside it', async () => {
    await expect(writeOutput(join(directory, 'no/out'), 'value')).rejects.toThrow('cannot be written (ENOENT)');
    expect(await readdir(directory)).toEqual([]);
  });
});
