import { printable } from './cli/printable.ts';
import { storeFailure } from './cli/store-failure.ts';
import { UsageError } from './cli/usage-error.ts';
import { ConfigurationError, DomainError } from './errors.ts';
import { version } from './version.ts';

/** A command is loaded when it is used: most of them need little of the gateway. */
const commands: Readonly<Record<string, () => Promise<{ help: string; run(args: string[]): Promise<void> | void }>>> = {
  serve: async () => (await import('./cli/operator/serve.ts')).serve,
  token: async () => (await import('./cli/operator/token.ts')).token,
  schema: async () => (await import('./cli/operator/schema.ts')).schema,
  keys: async () => (await import('./cli/operator/keys.ts')).keys,
};

const help = `secrets-gateway — a GraphQL gateway over secrets: values go in, are sealed, and never come back out

Usage: secrets-gateway COMMAND

  serve    run the gateway (settings come from the environment, see README.md)
  token    print a development token
  schema   print the subgraph's GraphQL schema
  keys     list, rotate and retire the keys that values are sealed with

secrets-gateway COMMAND --help tells more about a command, secrets-gateway --version prints the version.
`;

async function run([name, ...args]: string[]): Promise<void> {
  if (name === undefined || ['help', '--help', '-h'].includes(name)) return print(help);
  if (name === '--version') return print(`${await version()}\n`);
  const load = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!load) throw new UsageError('There is no such command.');
  const command = await load();
  if (args.includes('--help') || args.includes('-h')) return print(command.help);
  return command.run(args);
}

function print(text: string): void {
  process.stdout.write(text);
}

/** What is wrong with the command line. Node's own messages quote what was typed, which could be a value. */
function usageMessage(error: unknown): string | undefined {
  if (error instanceof UsageError) return error.message;
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ERR_PARSE_ARGS_UNKNOWN_OPTION':
      return 'There is no such option.';
    case 'ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL':
      return 'There is one argument too many.';
    case 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE':
      return 'An option has no value, or one that it does not take. Write --option=VALUE if the value begins with a dash.';
    default:
      return undefined;
  }
}

try {
  await run(process.argv.slice(2));
} catch (error) {
  if (error instanceof ConfigurationError || error instanceof DomainError) {
    const [command] = process.argv.slice(2);
    const what = command === 'serve' ? 'secrets-gateway cannot start' : `secrets-gateway ${command}`;
    // The message may name what stands in the database.
    process.stderr.write(`${what}: ${error instanceof DomainError ? storeFailure(error) : printable(error.message)}\n`);
    process.exit(1);
  }
  const usage = usageMessage(error);
  if (usage === undefined) throw error;
  process.stderr.write(`${usage}\nsecrets-gateway --help tells what there is.\n`);
  process.exit(2);
}
