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
  if (error.code !== 'EPIPE') throw error;
});

const args = process.argv.slice(2);
try {
  await runCommand(await commandsFor(args[0]), { version: await version(), args });
} catch (error) {
  if (error instanceof ConfigurationError || error instanceof DomainError) {
    const what = args[0] === 'serve' ? 'secrets-gateway cannot start' : `secrets-gateway ${args[0]}`;
    // The message may name what stands in the database.
    process.stderr.write(`${what}: ${error instanceof DomainError ? storeFailure(error) : printable(error.message)}\n`);
    process.exit(1);
  }
  if (error instanceof CommandFailure) {
    process.stderr.write(`secrets-gateway ${args[0]}: ${error.message}\n`);
    process.exit(error.exitCode);
  }
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`${error.message}\nSee ${error.command} --help.\n`);
  process.exit(2);
}

/** The one that was typed. All of them where there is none of this name: for the list, suggestions and completion. */
async function commandsFor(first = ''): Promise<Commands> {
  const loaders: CommandLoaders = { ...operator, ...people };
  const typed = Object.hasOwn(loaders, first) ? loaders[first] : undefined;
  if (typed) return { [first]: await typed() };
  return { ...(await loadCommands(loaders)), complete };
}
