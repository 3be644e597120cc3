import { Option } from 'commander';
import { type Config, readConfig, type SettingName } from '../../config.ts';
import type { Gateway } from '../../gateway.ts';
import { createLog, describeError, type Log } from '../../runtime/log.ts';
import type { Command } from '../command.ts';
import { keepDebuggerClosed } from '../debugger.ts';
import { settings } from '../settings.ts';

interface Options {
  readonly only?: Exclude<Config['only'], null>;
}

export const serve: Command<Options> = {
  summary: 'run the gateway',
  details:
    'Without any setting it runs in development mode, on this machine only, and keeps its files in .data/. Ctrl-C stops it.',
  options: [
    new Option(
      '--only <part>',
      'broker: only what uses secrets (/v1/use), health and metrics; graphql: all but that. Needs MongoDB, on which both run apart',
    ).choices(['broker', 'graphql']),
  ],
  settings: Object.keys(settings) as SettingName[],
  run,
};

/** Runs the gateway until it is told to stop. */
async function run({ only = null }: { readonly only?: Config['only'] }): Promise<void> {
  const config = { ...readConfig(), only };
  const log = createLog(config.logLevel);
  if (config.production) keepDebuggerClosed(() => log.warn('SIGUSR1 ignored: there is no debugger in production'));
  // Loaded after the settings are known to be right: a mistake in them is told at once.
  const { startGateway } = await import('../../gateway.ts');
  const gateway = await startGateway(config, log);
  const isDevelopment = gateway.developmentToken !== null;
  // Before anything is printed: who reads that the gateway runs may stop it at once.
  stopOnSignal(gateway, log, isDevelopment);
  if (gateway.developmentToken && only !== 'broker') welcome(gateway.url, gateway.developmentToken, config.databaseUrl);
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

function stopOnSignal(gateway: Gateway, log: Log, isDevelopment: boolean): void {
  const say = (text: string, message: string) => {
    if (isDevelopment) process.stdout.write(text);
    else log.info(message);
  };
  let stopping = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, async () => {
      // A second signal means: stop at once.
      if (stopping) process.exit(1);
      stopping = true;
      say('\n  Stopping: the requests in flight are answered first. Ctrl-C again stops at once.\n', 'stopping');
      await gateway.close().catch((error: unknown) => {
        log.error({ cause: describeError(error) }, 'not closed properly');
        process.exit(1);
      });
      say('  Stopped. Goodbye.\n', 'stopped');
      process.exit(0);
    });
  }
}
