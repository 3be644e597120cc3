import { bulkOperations } from '../../client/bulk-operations.ts';
import type { OwnerInput } from '../../client/documents.ts';
import { isGatewayError } from '../../client/gateway-error.ts';
import { Sealer } from '../../client/sealer.ts';
import { secretOperations } from '../../client/secret-operations.ts';
import type { Line } from './calls.ts';
import type { DotenvFault } from './dotenv-scan.ts';
import type { Gateway } from './gateway.ts';
import { patient } from './patient-request.ts';

/** Who sends the lines of a file, and for whom. */
export interface Bulk {
  /** Calls that are repeated where no answer comes. */
  readonly client: ReturnType<typeof bulkOperations> & ReturnType<typeof secretOperations>;
  readonly owner: OwnerInput;
  readonly subject: string;
  /** Of all secrets; told by each name where it is not given. */
  readonly provider: string | undefined;
}

/** @param signal ends the waits for the gateway */
export function openBulk(
  { request, owner }: Gateway,
  {
    subject,
    provider,
    signal,
  }: { readonly subject: string; readonly provider?: string | undefined; readonly signal?: AbortSignal },
): Bulk {
  const patiently = patient(request, signal);
  const sealer = new Sealer(patiently);
  const client = { ...secretOperations(patiently, sealer), ...bulkOperations(patiently, sealer) };
  return { client, owner, subject, provider };
}

/** The lines of a call that break a rule; empty where the error is about something else, too. */
export function faultsOf(error: unknown, call: readonly Line[]): DotenvFault[] {
  if (!isGatewayError(error)) return [];
  const faults = error.errors.flatMap(({ loc: [, list, index, ...path], message }) => {
    const line = list === 'secrets' && typeof index === 'number' ? call[index] : undefined;
    const field = path[0] === 'sealedValue' ? 'value' : path.join('.');
    return line ? [{ line: line.entry.line, message: `${field}: ${message}` }] : [];
  });
  return faults.length === error.errors.length ? faults : [];
}
