import { UsageError } from './cli/usage-error.ts';
import { ConfigurationError } from './errors.ts';

const help = `secrets-gateway — a GraphQL gateway over secrets: values go in, are sealed, and never come back out

Usage: secrets-gateway COMMAND

  serve    run the gateway (settings come from the environment, see README.md)
  token    print a development token
  schema   print the subgraph's GraphQL schema
  keys     list, rotate and retire the keys that values are sealed with

secrets-gateway COMMAND --help tells more about a command, secrets-gateway --version prints the version.
`;

async function run(args: string[]): Promise<void> {
  const [command, ...rest] = args;
  const wantsHelp = rest.includes('--help') || rest.includes('-h');
  switch (command) {
    case 'serve': {
      const { serve, serveHelp } = await import('./cli/operator/serve.ts');
      return wantsHelp ? print(serveHelp) : serve(rest);
    }
    case 'token': {
      const { token, tokenHelp } = await import('./cli/operator/token.ts');
      return wantsHelp ? print(tokenHelp) : token(rest);
    }
    case 'schema': {
      const { printSubgraph, schemaHelp } = await import('./cli/operator/schema.ts');
      return wantsHelp ? print(schemaHelp) : printSubgraph(rest);
    }
    case 'keys': {
      const { keys, keysHelp } = await import('./cli/operator/keys.ts');
      return wantsHelp ? print(keysHelp) : keys(rest);
    }
    case '--version':
      return print(`${await (await import('./cli/version.ts')).version()}\n`);
    case undefined:
    case 'help':
    case '--help':
    case '-h':
      return print(help);
    default:
      throw new UsageError('There is no such command.');
  }
}

function print(text: string): void {
  process.stdout.write(text);
}

try {
  await run(process.argv.slice(2));
} catch (error) {
  if (error instanceof ConfigurationError) {
    const [command] = process.argv.slice(2);
    const what = command === 'serve' ? 'secrets-gateway cannot start' : `secrets-gateway ${command}`;
    process.stderr.write(`${what}: ${error.message}\n`);
    process.exit(1);
  }
  const usage = usageMessage(error);
  if (usage === undefined) throw error;
  process.stderr.write(`${usage}\nsecrets-gateway --help tells what there is.\n`);
  process.exit(2);
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
