/** A fenced block of code. */
export interface Block {
  readonly language: string;
  readonly text: string;
  /** The line of its first fence, from 1. */
  readonly line: number;
  /** The HTML comments directly before it. */
  readonly notes: readonly string[];
}

export interface Link {
  readonly path: string;
  readonly anchor: string | undefined;
}

const fence = /^(?<indent> *)```(?<language>[^\n]*)\n(?<body>[\s\S]*?)^ *```$/gm;

export function blocksOf(page: string): Block[] {
  return [...page.matchAll(fence)].map(({ index, groups: { indent = '', language = '', body = '' } = {} }) => {
    const before = page.slice(0, index);
    const [comments = ''] = /(?:<!--(?:(?!-->)[\s\S])*-->\s*)*$/.exec(before) ?? [];
    return {
      language: language.trim(),
      text: body.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
      line: before.split('\n').length,
      notes: [...comments.matchAll(/<!--([\s\S]*?)-->/g)].map(([, note = '']) => note.trim()),
    };
  });
}

/** Links to other files of the project, or inside the page. */
export function linksOf(page: string): Link[] {
  const text = page.replace(fence, '').replace(/`[^`\n]*`(?!\])/g, '');
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => {
      const [path = '', anchor] = target.split('#');
      return { path, anchor };
    });
}

/** A command of a `console` block, and its output. */
export interface Step {
  readonly command: string;
  readonly output: string;
}

/** A command continues while a quote is open or a line ends with a backslash; the lines after it are its output. */
export function stepsOf(block: Block): Step[] {
  const steps: { command: string; output: string }[] = [];
  for (const line of block.text.trimEnd().split('\n')) {
    const last = steps.at(-1);
    if (last && isOpen(last.command)) last.command += `\n${line}`;
    else if (line.startsWith('$ ')) steps.push({ command: line.slice(2), output: '' });
    else if (last) last.output += `${line}\n`;
    else throw new Error(`line ${block.line}: the first line of a console block must begin with "$ "`);
  }
  return steps;
}

function isOpen(command: string): boolean {
  if (command.endsWith('\\')) return true;
  let quote = '';
  for (const character of command) {
    if (quote === '' && (character === '"' || character === "'")) quote = character;
    else if (character === quote) quote = '';
  }
  return quote !== '';
}
