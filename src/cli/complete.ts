import { Argument } from 'commander';
import type { Command } from './command.ts';
import { shells } from './completion.ts';

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
