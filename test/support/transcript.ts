import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

const root = join(import.meta.dirname, '../..');

/** A terminal session: prose and `#` lines are for the reader, `$` lines are typed, the rest is output. */
interface Step {
  /** The text before the command, unchanged. */
  readonly prose: readonly string[];
  readonly command: string;
  readonly output: string[];
}

interface Kind {
  readonly pattern: string;
  /** Whether a name of this kind stands for the same text in the whole file. */
  readonly isOne: boolean;
  /** Whether its value is known before the run. */
  readonly isKnown?: boolean;
}

/** Text that differs from run to run. `<old-kid>` is a placeholder of the kind `kid`. */
const kinds: Readonly<Record<string, Kind>> = {
  kid: { pattern: '(?:kek|mac|equality|seal-x25519|seal-p256)-[0-9a-z]+', isOne: true },
  id: { pattern: '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}', isOne: true },
  placeholder: { pattern: 'sec_[0-9a-f]{9}', isOne: true },
  version: { pattern: '\\d+\\.\\d+\\.\\d+', isOne: true, isKnown: true },
  directory: { pattern: '/[^ ]+', isOne: true, isKnown: true },
  port: { pattern: '\\d+', isOne: true, isKnown: true },
  token: { pattern: 'eyJ[\\w-]+\\.[\\w-]+\\.[\\w-]+', isOne: false },
  time: { pattern: '\\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z', isOne: false },
  date: { pattern: '\\d{4}-\\d\\d-\\d\\d', isOne: false },
};
const placeholder = new RegExp(`<(?:[a-z0-9]+-)*(${Object.keys(kinds).join('|')})>`, 'g');

/**
 * Runs the commands of a transcript in a directory.
 * @param known the values of placeholders
 * @returns the transcript with the actual output
 */
export async function replay(
  transcript: string,
  directory: string,
  env: Readonly<Record<string, string>> = {},
  known: Readonly<Record<string, string>> = {},
): Promise<string> {
  const bin = await mkdtemp(join(tmpdir(), 'bin-'));
  try {
    await symlink(join(root, 'bin/secrets-gateway.js'), join(bin, 'secrets-gateway'));
    const PATH = [bin, join(root, 'node_modules/.bin'), process.env.PATH].join(delimiter);
    const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
    const names = new Names({ ...known, '<version>': version, '<directory>': directory });
    const { steps, rest } = parse(transcript);
    const lines: string[] = [];
    for (const { prose, command, output } of steps) {
      const came = await run(names.fill(command), directory, { PATH, HOME: directory, ...env });
      const typed = command.split('\n').map((line, index) => `${index === 0 ? '$' : '>'} ${line}`);
      lines.push(...prose, ...typed, ...rewritten(came, output, names));
    }
    return [...lines, ...rest].join('\n');
  } finally {
    await rm(bin, { recursive: true });
  }
}

function parse(transcript: string): { steps: Step[]; rest: string[] } {
  const steps: Step[] = [];
  let prose: string[] = [];
  let output: string[] | null = null;
  /** Blank lines at the end of an output belong to the page, not to the command. */
  const endOutput = () => {
    while (output?.at(-1) === '') prose.push(output.pop() ?? '');
    output = null;
  };
  for (const line of transcript.split('\n')) {
    if (line.startsWith('$ ')) {
      endOutput();
      output = [];
      steps.push({ prose, command: line.slice(2), output });
      prose = [];
    } else if (line.startsWith('> ') && output?.length === 0) {
      const typed = steps.pop();
      if (typed) steps.push({ ...typed, command: `${typed.command}\n${line.slice(2)}` });
    } else if (output && !line.startsWith('#')) output.push(line);
    else {
      endOutput();
      prose.push(line);
    }
  }
  endOutput();
  return { steps, rest: prose };
}

/** What a terminal would show: standard output and standard error in order, and the exit code unless it is 0. */
async function run(command: string, directory: string, env: Record<string, string>): Promise<string[]> {
  const child = spawn('sh', ['-c', `exec 2>&1\n${command}`], {
    cwd: directory,
    // Nothing of this process's environment is kept: no setting of the machine may have an effect.
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  const [code, signal] = await once(child, 'close');
  const isWhole = text === '' || text.endsWith('\n');
  return [
    ...(text === '' ? [] : (isWhole ? text.slice(0, -1) : text).split('\n')),
    ...(isWhole ? [] : ['[no newline at the end]']),
    ...(code === 0 ? [] : [`[exit ${code ?? signal}]`]),
  ];
}

/** The actual lines, with the placeholders of the expected ones. */
function rewritten(came: readonly string[], expected: readonly string[], names: Names): string[] {
  let next = 0;
  return came.map((line) => {
    const found = expected.findIndex((one, index) => index >= next && names.match(one, line));
    if (found < 0) return names.mask(line, expected);
    next = found + 1;
    return expected[found] ?? '';
  });
}

/** The values of the placeholders of a transcript. */
class Names {
  readonly #values: Map<string, string>;

  constructor(known: Readonly<Record<string, string>>) {
    this.#values = new Map(Object.entries(known));
  }

  /** @throws Error for a placeholder that no previous output has shown */
  fill(command: string): string {
    return command.replace(placeholder, (name) => {
      const value = this.#values.get(name);
      if (value === undefined) throw new Error(`nothing before "${command}" shows what ${name} is`);
      return value;
    });
  }

  /** Whether the line is the expected one; if so, keeps the values of its placeholders. */
  match(expected: string, line: string): boolean {
    const names: string[] = [];
    let [pattern, end] = ['', 0];
    for (const { 0: name, 1: kind = '', index } of expected.matchAll(placeholder)) {
      names.push(name);
      const known = this.#values.get(name);
      pattern += `${escaped(expected.slice(end, index))}(${known === undefined ? kinds[kind]?.pattern : escaped(known)})`;
      end = index + name.length;
    }
    const found = new RegExp(`^${pattern}${escaped(expected.slice(end))}$`).exec(line);
    if (!found) return false;
    const values = new Map(this.#values);
    for (const [index, name] of names.entries()) {
      const value = found[index + 1] ?? '';
      if (!kindOf(name).isOne) continue;
      // Two names must have two values, and one name one value.
      if ((values.get(name) ?? value) !== value) return false;
      if ([...values].some(([other, known]) => other !== name && known === value)) return false;
      values.set(name, value);
    }
    for (const [name, value] of values) this.#values.set(name, value);
    return true;
  }

  /** The line with placeholders: known ones, those of the lines that it replaces, and new ones. */
  mask(line: string, replaced: readonly string[]): string {
    let masked = line;
    for (const [name, value] of this.#values) {
      masked = masked.replace(new RegExp(`(?<![\\w.])${escaped(value)}(?!\\w|\\.\\w)`, 'g'), name);
    }
    for (const [kind, { pattern, isOne, isKnown }] of Object.entries(kinds)) {
      if (isKnown) continue;
      masked = masked.replace(new RegExp(`(?<![\\w<-])${pattern}(?![\\w>-])`, 'g'), (value) => {
        if (!isOne) return `<${kind}>`;
        const name = this.#nameOf(value) ?? this.#freeName(kind, replaced);
        this.#values.set(name, value);
        return name;
      });
    }
    return masked;
  }

  #nameOf(value: string): string | undefined {
    return [...this.#values].find(([, known]) => known === value)?.[0];
  }

  #freeName(kind: string, replaced: readonly string[]): string {
    const used = replaced.flatMap((line) => line.match(placeholder) ?? []);
    const fresh = Array.from({ length: this.#values.size + 1 }, (_, n) =>
      n === 0 ? `<${kind}>` : `<${n + 1}-${kind}>`,
    );
    const candidates = [...used.filter((name) => name.endsWith(`${kind}>`)), ...fresh];
    return candidates.find((name) => !this.#values.has(name)) ?? '';
  }
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

function kindOf(name: string): Kind {
  const [, kind = ''] = /(\w+)>$/.exec(name) ?? [];
  const found = kinds[kind];
  if (!found) throw new Error(`there is no placeholder ${name}`);
  return found;
}
