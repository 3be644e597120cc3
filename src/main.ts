import { type Commands, runCommand } from './cli/command.ts';
import { complete } from './cli/completion.ts';
import { CommandFailure } from './cli/failure.ts';
import { peopleNames } from './cli/people/names.ts';
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

/** A gateway loads nothing of the commands for people, and they load nothing of a gateway's: both start faster. */
async function commandsFor(first = ''): Promise<Commands> {
  const isForPeople = peopleNames.some((name) => name === first);
  const operator = isForPeople ? {} : (await import('./cli/operator/commands.ts')).operator;
  const people = Object.hasOwn(operator, first) ? {} : (await import('./cli/people/commands.ts')).people;
  return { ...operator, ...people, complete };
}
