import { type CommandGroup, type Commands, loadCommands, runCommand } from '../src/cli/command.ts';
import { complete } from '../src/cli/complete.ts';
import { operator } from '../src/cli/operator/commands.ts';
import { people } from '../src/cli/people/commands.ts';
import { printedFile } from './printed-file.ts';

const parts: readonly { title: string; about: string; commands: Commands }[] = [
  {
    title: 'To run a gateway',
    about: 'They read the settings of the gateway, or work on its files. [running.md](running.md) tells when.',
    commands: await loadCommands(operator),
  },
  {
    title: 'For people and workloads',
    about: 'They talk to a running gateway. More in [command-line.md](command-line.md).',
    commands: await loadCommands(people),
  },
  { title: 'For your shell', about: 'Completion of commands, options and their choices.', commands: { complete } },
];

const commands: Commands = Object.assign({}, ...parts.map((part) => part.commands));

const pages: string[] = [];
for (const { title, about, commands: ofPart } of parts) {
  pages.push(`## ${title}\n\n${about}`);
  for (const words of namesOf(ofPart)) pages.push(`### ${words.join(' ')}\n\n\`\`\`text\n${await helpOf(words)}\`\`\``);
}

const text = `# Commands

<!-- Printed from the commands by "npm run commands". Change them in src/cli, or the words around them in scripts/print-commands.ts. -->

What \`secrets-gateway COMMAND --help\` prints. In a checkout, or where the package is installed, it is \`npx secrets-gateway\`.

${pages.join('\n\n')}
`;

printedFile('docs/commands.md', text, { source: 'src/cli', command: 'npm run commands' });

/** The words of each command; a group comes before its commands. */
function namesOf(given: Commands): string[][] {
  return Object.entries(given).flatMap(([name, command]) =>
    isGroup(command) ? [[name], ...namesOf(command.commands).map((words) => [name, ...words])] : [[name]],
  );
}

function isGroup(command: Commands[string]): command is CommandGroup {
  return 'commands' in command;
}

async function helpOf(words: readonly string[]): Promise<string> {
  const { write } = process.stdout;
  let printed = '';
  process.stdout.write = (chunk: string | Uint8Array) => {
    printed += chunk;
    return true;
  };
  try {
    await runCommand(commands, { version: '', args: [...words, '--help'] });
  } finally {
    process.stdout.write = write;
  }
  return printed;
}
