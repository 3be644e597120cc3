import { setTimeout } from 'node:timers/promises';
import { isGatewayError } from '../../client/gateway-error.ts';
import { counted } from '../counted.ts';
import { CommandFailure } from '../failure.ts';
import { createProgress } from '../progress.ts';
import type { GatewayClient } from './client.ts';
import { clientFailure } from './client-failure.ts';
import type { Compared } from './compare.ts';
import { providerOfName } from './provider-of-name.ts';

const longestWaitSeconds = 120;

/**
 * Writes them one by one. Ctrl-C stops between two.
 * @param provider of all of them; told by each name where it is not given
 * @throws CommandFailure that says how many are written
 */
export async function writeAll(
  gateway: GatewayClient,
  toWrite: readonly Compared[],
  provider: string | undefined,
): Promise<void> {
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort()).once('SIGTERM', () => stop.abort());
  const progress = createProgress('importing', process.stderr);
  let written = 0;
  try {
    for (const one of toWrite) {
      if (stop.signal.aborted) break;
      if (!(await writeOne(gateway, one, provider, stop.signal))) break;
      written += 1;
      progress.show(written, toWrite.length);
    }
  } catch (error) {
    const failure = clientFailure(error);
    if (!(failure instanceof CommandFailure) || written === 0) throw failure;
    failure.message += `\n${restOf(written, toWrite.length)}`;
    throw failure;
  } finally {
    progress.end();
  }
  if (stop.signal.aborted) {
    process.stderr.write(`Stopped. ${restOf(written, toWrite.length)}\n`);
    process.exit(130);
  }
  process.stdout.write(`${counted(written, 'secret is', 'secrets are')} written.\n`);
}

function restOf(written: number, total: number): string {
  return `${written} of ${total} are written. Run the same command again to write the rest.`;
}

/** @returns false where it was stopped while it waited for the rate limit */
async function writeOne(
  { client, owner }: GatewayClient,
  { entry: { name, value }, secret }: Compared,
  provider: string | undefined,
  signal: AbortSignal,
): Promise<boolean> {
  for (;;) {
    try {
      // The version that was compared: a newer value is not replaced unseen.
      const change = secret && {
        id: secret.id,
        value,
        expectedVersion: secret.version,
        ...(provider !== undefined && { provider }),
      };
      if (change) await client.updateSecret({ ...change, owner });
      else await client.createSecret({ owner, name, value, provider: provider ?? providerOfName(name) });
      return true;
    } catch (error) {
      const wait = isGatewayError(error, 'TOO_MANY_REQUESTS') ? error.retryAfter : undefined;
      if (wait === undefined || wait > longestWaitSeconds) throw error;
      const hasWaited = await setTimeout(wait * 1000, true, { signal }).catch(() => false);
      if (!hasWaited) return false;
    }
  }
}
