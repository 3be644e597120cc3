import { parseArgs } from 'node:util';
import { readConfig } from '../../config.ts';
import type { Gateway } from '../../gateway.ts';
import { createLog, describeError, type Log } from '../../runtime/log.ts';
import { keepDebuggerClosed } from '../debugger.ts';

const help = `Usage: secrets-gateway serve

Runs the gateway. Its settings come from the environment; docs/configuration.md lists them.
`;

export const serve = { help, run };

/** Runs the gateway until it is told to stop. */
async function run(args: string[]): Promise<void> {
  parseArgs({ args, options: {} });
  const config = readConfig();
  const log = createLog(config.logLevel);
  if (config.production) keepDebuggerClosed(() => log.warn('SIGUSR1 ignored: there is no debugger in production'));
  // Loaded after the settings are known to be right: a mistake in them is told at once.
  const { startGateway } = await import('../../gateway.ts');
  const gateway = await startGateway(config, log);
  // Before anything is printed: who reads that the gateway runs may stop it at once.
  stopOnSignal(gateway, log);
  if (gateway.developmentToken) welcome(gateway.url, gateway.developmentToken, config.databaseUrl);
  else log.info({ url: gateway.url }, 'listening');
}

function welcome(url: string, token: string, databaseUrl: string): void {
  process.stdout.write(`
  secrets-gateway is running in development mode, on this machine only.

  GraphiQL and GraphQL   ${url}
  Store                  ${databaseUrl.startsWith('sqlite:') ? databaseUrl : 'MongoDB'}

  Open the URL in a browser, or call it with this token (subject "developer", team "demo", 12 hours):

  curl ${url} \\
    -H 'Content-Type: application/json' \\
    -H 'Authorization: Bearer ${token}' \\
    -d '{"query":"{ viewer { subject } secrets { totalCount } }"}'

  Another token: npx secrets-gateway token --sub developer --team demo:admin
  Stop: Ctrl-C
`);
}

function stopOnSignal(gateway: Gateway, log: Log): void {
  let stopping = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, async () => {
      // A second signal means: stop at once.
      if (stopping) process.exit(1);
      stopping = true;
      await gateway.close().catch((error: unknown) => {
        log.error({ cause: describeError(error) }, 'not closed properly');
        process.exit(1);
      });
      process.exit(0);
    });
  }
}
