import { type CommandLoaders, type Commands, loadCommands, runCommand } from './cli/command.ts';
import { complete } from './cli/complete.ts';
import { CommandFailure } from './cli/failure.ts';
import { operator } from './cli/operator/commands.ts';
import { people } from './cli/people/commands.ts';
import { printable } from './cli/printable.ts';
import { storeFailure } from './cli/store-failure.ts';
import { UsageError } from './cli/usage-error.ts';
import { ConfigurationError, DomainError } from './errors.ts';
import { version } from './version.ts';

// Who pipes the output into `head` closes it early.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') return;
  process.stderr.write(`secrets-gateway: Standard output cannot be written (${error.code}).\n`);
  process.exit(1);
});

const args = process.argv.slice(2);
// No top-level await, which the bundle could not have.
void main();

async function main(): Promise<void> {
  let commands: Commands = {};
  try {
    commands = await commandsFor(args[0]);
    await runCommand(commands, { version: version(), args });
  } catch (error) {
    const name = nameOf(commands, args);
    if (error instanceof ConfigurationError || error instanceof DomainError) {
      const what = args[0] === 'serve' ? 'secrets-gateway cannot start' : name;
      // The message may name what stands in the database.
      process.stderr.write(
        `${what}: ${error instanceof DomainError ? storeFailure(error) : printable(error.message)}\n`,
      );
      process.exit(1);
    }
    if (error instanceof CommandFailure) {
      process.stderr.write(`${name}: ${error.message}\n`);
      process.exit(error.exitCode);
    }
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${error.message}\nSee ${error.command} --help.\n`);
    process.exit(2);
  }
}

/** The one that was typed. All of them where there is none of this name: for the list, suggestions and completion. */
async function commandsFor(first = ''): Promise<Commands> {
  const loaders: CommandLoaders = { ...operator, ...people };
  const typed = Object.hasOwn(loaders, first) ? loaders[first] : undefined;
  if (typed) return { [first]: await typed() };
  return { ...(await loadCommands(loaders)), complete };
}

/** The words of the command that was run: `secrets-gateway keys list`. Of what was typed it has known names alone. */
function nameOf(commands: Commands, [first = '', second = '']: readonly string[]): string {
  const command = Object.hasOwn(commands, first) ? commands[first] : undefined;
  const isOfGroup = command !== undefined && 'commands' in command && Object.hasOwn(command.commands, second);
  return ['secrets-gateway', ...(command ? [first] : []), ...(isOfGroup ? [second] : [])].join(' ');
}
