import { type Commands, runCommand } from './cli/command.ts';
import { backup } from './cli/operator/backup.ts';
import { keys } from './cli/operator/keys.ts';
import { restore } from './cli/operator/restore.ts';
import { schema } from './cli/operator/schema.ts';
import { serve } from './cli/operator/serve.ts';
import { token } from './cli/operator/token.ts';
import { printable } from './cli/printable.ts';
import { storeFailure } from './cli/store-failure.ts';
import { UsageError } from './cli/usage-error.ts';
import { ConfigurationError, DomainError } from './errors.ts';
import { version } from './version.ts';

const commands: Commands = { serve, token, schema, keys, backup, restore };

const description = 'A GraphQL gateway over secrets: values go in, are sealed, and never come back out.';

// Who pipes the output into `head` closes it early.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

const args = process.argv.slice(2);
try {
  await runCommand(commands, { description, version: await version(), args });
} catch (error) {
  if (error instanceof ConfigurationError || error instanceof DomainError) {
    const what = args[0] === 'serve' ? 'secrets-gateway cannot start' : `secrets-gateway ${args[0]}`;
    // The message may name what stands in the database.
    process.stderr.write(`${what}: ${error instanceof DomainError ? storeFailure(error) : printable(error.message)}\n`);
    process.exit(1);
  }
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`${error.message}\n${error.command} --help tells what there is.\n`);
  process.exit(2);
}
