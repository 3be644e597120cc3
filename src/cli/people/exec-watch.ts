import { changeOperations } from '../../client/change-operations.ts';
import { UsageError } from '../usage-error.ts';
import { childEnvironment } from './child-environment.ts';
import { environment } from './environment.ts';
import { execValues, namesOf, type Wanted } from './exec-values.ts';
import { openGateway } from './gateway.ts';
import type { GatewayOptions } from './options.ts';
import { ChildRunner } from './run-child.ts';
import { runWatching } from './run-watching.ts';

const maxJitterSeconds = 3600;

/** @returns milliseconds @throws UsageError */
export function parseJitter(seconds: string): number {
  if (/^\d+(\.\d+)?$/.test(seconds) && Number(seconds) <= maxJitterSeconds) return Number(seconds) * 1000;
  throw new UsageError(`--watch-jitter must be a number of seconds from 0 to ${maxJitterSeconds}: --watch-jitter 30`);
}

/** Runs a program, and again whenever one of its values has changed. @returns the exit code of the one that ends by itself */
export async function execWatching(
  options: GatewayOptions,
  wanted: Wanted,
  jitterMs: number,
  [command = '', ...args]: readonly string[],
): Promise<number> {
  const gateway = await openGateway(options, true);
  const { secretChanges } = changeOperations(gateway.requester);
  const runner = new ChildRunner();
  const skipped = new Set<string>();
  try {
    return await runWatching({
      follow: (options) => secretChanges({ owner: gateway.owner }, options),
      // All of the owner's where none is named.
      names: wanted.only.length > 0 ? new Set(namesOf(wanted)) : null,
      values: () => execValues(gateway, wanted, skipped),
      start: (variables) =>
        runner.start(command, args, childEnvironment(environment(), gateway.credential.secret, variables)),
      endings: () => runner.endings,
      isTerminated: () => runner.isTerminated,
      tell: (text) => void process.stderr.write(`${text}\n`),
      jitterMs,
    });
  } finally {
    runner.stop();
  }
}
