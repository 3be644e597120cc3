import type { Config } from '../../config.ts';
import { keepDebuggerClosed } from '../debugger.ts';

/**
 * Runs what a command does with the gateway's settings. They are loaded only then, so that help and completion stay quick.
 * @throws ConfigurationError
 */
export async function withConfig(use: (config: Config) => Promise<void>): Promise<void> {
  const { readConfig } = await import('../../config.ts');
  const config = readConfig();
  if (config.production) keepDebuggerClosed();
  await use(config);
}
