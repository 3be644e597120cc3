import { prepareToOpen } from '../../crypto/open-delivery.ts';
import { childEnvironment } from './child-environment.ts';
import { environment } from './environment.ts';
import { execValues, type Wanted } from './exec-values.ts';
import { openGateway } from './gateway.ts';
import type { GatewayOptions } from './options.ts';

/** Runs a program with values in its environment. @returns its exit code @throws CommandFailure */
export async function execOnce(
  options: GatewayOptions,
  wanted: Wanted,
  command: string,
  args: readonly string[],
): Promise<number> {
  const gateway = await openGateway(options);
  const [{ variables }, { runChild }] = await Promise.all([execValues(gateway, wanted), prepare()]);
  return runChild(command, args, childEnvironment(environment(), gateway.credential.secret, variables));
}

/** What takes time and does not need the answer, while the gateway works on it. */
async function prepare() {
  // The request is on its way then.
  await new Promise((sent) => setImmediate(sent));
  prepareToOpen();
  return import('./run-child.ts');
}
