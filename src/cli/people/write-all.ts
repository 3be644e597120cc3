import { randomUUID } from 'node:crypto';
import { isGatewayError } from '../../client/gateway-error.ts';
import { isTransportError } from '../../client/transport-error.ts';
import { counted } from '../counted.ts';
import { CommandFailure } from '../failure.ts';
import { createProgress } from '../progress.ts';
import { type Bulk, faultsOf } from './bulk.ts';
import { callsOf, type Line } from './calls.ts';
import { clientFailure } from './client-failure.ts';
import { lineFaults } from './dotenv-file.ts';
import type { DotenvFault } from './dotenv-scan.ts';
import { providerOfName } from './provider-of-name.ts';

export interface WriteRules {
  readonly onConflict: 'FAIL' | 'SKIP' | 'UPDATE';
  /** What to do after a failure. */
  readonly advice: string;
  /** Ends it between two calls. */
  readonly stop: AbortSignal;
}

/**
 * Writes the secrets in as few calls as possible, each all or none.
 * @throws CommandFailure that says which lines are written
 */
export async function writeAll(
  bulk: Bulk,
  lines: readonly Line[],
  { onConflict, advice, stop }: WriteRules,
): Promise<void> {
  const progress = createProgress('importing', process.stderr);
  const calls = callsOf(lines, bulk);
  let [done, shown, written] = [0, 0, 0];
  const warnings: DotenvFault[] = [];
  let failure: unknown;
  try {
    for (const call of calls) {
      if (stop.aborted) break;
      progress.show(shown, lines.length);
      for (const item of await write(bulk, call, onConflict)) {
        if (item.action === 'CREATED' || item.action === 'UPDATED') written += 1;
        const line = call[item.index]?.entry.line ?? 0;
        warnings.push(...item.warnings.map(({ message }) => ({ line, message })));
      }
      done += 1;
      shown += call.length;
      progress.show(shown, lines.length);
    }
  } catch (error) {
    failure = error;
  } finally {
    progress.end();
  }
  if (warnings.length > 0) process.stderr.write(`Warnings:${lineFaults(warnings)}\n`);
  if (done === calls.length) {
    process.stdout.write(`${counted(written, 'secret is', 'secrets are')} written.\n`);
    return;
  }
  const outcome = `${outcomeOf(calls, done, mayBeWritten(failure))}${advice}`;
  if (stop.aborted) {
    process.stderr.write(`Stopped.\n${outcome}\n`);
    process.exit(130);
  }
  throw told(failure, calls[done] ?? [], outcome);
}

function write({ client, owner, provider }: Bulk, call: readonly Line[], onConflict: WriteRules['onConflict']) {
  return client.createSecrets({
    owner,
    secrets: call.map(({ entry: { name, value }, secret }) => ({
      name,
      value,
      provider: provider ?? (secret ? secret.provider : providerOfName(name)),
    })),
    onConflict,
    // Where the answer is lost, the same call gets it again.
    idempotencyKey: randomUUID(),
  });
}

/** No answer, or one that does not tell what the store has done. */
function mayBeWritten(error: unknown): boolean {
  if (isTransportError(error)) return error.code !== 'REDIRECTED';
  if (!isGatewayError(error)) return false;
  return error.status >= 500 || error.errors.some(({ type }) => type === 'idempotency_key_in_use');
}

function outcomeOf(calls: readonly (readonly Line[])[], done: number, isUnknown: boolean): string {
  const behind = isUnknown ? done + 1 : done;
  const parts = [
    ['Written', calls.slice(0, done)],
    ['Not known, all or none', calls.slice(done, behind)],
    ['Not written', calls.slice(behind)],
  ] as const;
  return parts
    .map(([what, some]) => ({ what, lines: some.flat() }))
    .filter(({ lines }) => lines.length > 0)
    .map(({ what, lines }) => `${what}: ${spanOf(lines)} (${counted(lines.length, 'secret', 'secrets')}).\n`)
    .join('');
}

function spanOf(lines: readonly Line[]): string {
  const [first, last] = [lines[0]?.entry.line, lines.at(-1)?.entry.line];
  return first === last ? `line ${first}` : `lines ${first} to ${last}`;
}

function told(error: unknown, call: readonly Line[], outcome: string): unknown {
  const failure = clientFailure(error);
  if (!(failure instanceof CommandFailure)) return failure;
  const faults = faultsOf(error, call);
  const head =
    isGatewayError(error) && faults.length > 0
      ? `${error.code}: ${error.message}${lineFaults(faults)}`
      : failure.message;
  failure.message = `${head}\n${outcome}`;
  return failure;
}
