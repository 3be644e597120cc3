import { Argument, type Command as Commander } from 'commander';
import type { Command } from './command.ts';

const shells = ['bash', 'zsh', 'fish', 'powershell'] as const;

export const complete: Command = {
  summary: 'print the completion script of a shell',
  details:
    'bash: source <(secrets-gateway complete bash)\n' +
    'zsh: source <(secrets-gateway complete zsh)\n' +
    'fish: secrets-gateway complete fish | source\n' +
    'powershell: secrets-gateway complete powershell | Out-String | Invoke-Expression\n' +
    'Put the line into the file that your shell reads at its start.',
  arguments: [new Argument('<SHELL>', 'the shell').choices(shells)],
  // What is left here is told by addCompletion.
  run() {},
};

/** `complete SHELL`, and `complete -- WORDS` as the scripts call it. */
export function isCompletion([command, first]: readonly string[]): boolean {
  return command === 'complete' && (first === '--' || shells.some((shell) => shell === first));
}

/** Makes `complete` print scripts and suggestions. They are made from the commands, so that they never differ from them. */
export async function addCompletion(program: Commander): Promise<void> {
  describeInOneLine(program);
  const { default: tab } = await import('@bomb.sh/tab/commander');
  tab(program);
}

/** A suggestion is a line. */
function describeInOneLine(command: Commander): void {
  for (const one of command.commands) {
    one.description(one.summary());
    describeInOneLine(one);
  }
}
