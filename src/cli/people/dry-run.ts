import { createProgress } from '../progress.ts';
import { type Bulk, faultsOf } from './bulk.ts';
import { callsOf, type Line } from './calls.ts';
import { refusal } from './dotenv-file.ts';
import type { DotenvFault } from './dotenv-scan.ts';
import { providerOfName } from './provider-of-name.ts';

export type Action = 'CREATED' | 'UPDATED' | 'UNCHANGED' | 'SKIPPED';

/**
 * What the gateway would do with each line if it replaced what is there. Nothing is written. Whoever may ask whether two values are
 * the same is told UNCHANGED where they are.
 * @param path of the file, for the error
 * @throws CommandFailure that names each line that breaks a rule
 */
export async function dryRun(bulk: Bulk, lines: readonly Line[], path: string): Promise<Map<Line, Action>> {
  const progress = createProgress('comparing', process.stderr);
  const actions = new Map<Line, Action>();
  const faults: DotenvFault[] = [];
  try {
    for (const call of callsOf(lines, bulk)) {
      try {
        for (const { index, action } of await send(bulk, call)) {
          const line = call[index];
          if (line) actions.set(line, action);
        }
      } catch (error) {
        const found = faultsOf(error, call);
        if (found.length === 0) throw error;
        faults.push(...found);
      }
      progress.show(actions.size, lines.length);
    }
  } finally {
    progress.end();
  }
  if (faults.length > 0) throw refusal(path, faults);
  return actions;
}

function send({ client, owner, provider }: Bulk, call: readonly Line[]) {
  return client.createSecrets({
    owner,
    // What is there keeps its provider, so that only another value makes a difference.
    secrets: call.map(({ entry: { name, value }, secret }) => ({
      name,
      value,
      provider: secret ? secret.provider : (provider ?? providerOfName(name)),
    })),
    onConflict: 'UPDATE',
    dryRun: true,
  });
}
