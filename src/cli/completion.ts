import type { Command as Commander } from 'commander';

export const shells = ['bash', 'zsh', 'fish', 'powershell'] as const;

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
