import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { ConfigurationError } from '../errors.ts';
import type { ChainHead } from '../model/audit-event.ts';

/** By the owner's key. */
export type KnownHeads = ReadonlyMap<string, readonly ChainHead[]>;

/**
 * The heads of audit chains in a log of gateways: the lines `audit heads`. What a collector put before the JSON of a line is
 * skipped. Other lines may be anything.
 * @throws ConfigurationError for a file that cannot be read or has no such line, and for a line that is not whole
 */
export async function readHeads(path: string): Promise<KnownHeads> {
  const known = new Map<string, Map<string, ChainHead>>();
  let number = 0;
  try {
    for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY })) {
      number += 1;
      if (!line.includes('audit heads') && !line.includes('"heads":[{"owner":')) continue;
      for (const { owner, sequence, hash } of headsOf(line, number)) {
        const ofOwner = known.get(owner) ?? new Map();
        known.set(owner, ofOwner.set(`${sequence} ${hash}`, { sequence, hash }));
      }
    }
  } catch (error) {
    if (error instanceof ConfigurationError) throw error;
    throw new ConfigurationError(`The log cannot be read (${(error as NodeJS.ErrnoException).code}). Check the path.`);
  }
  if (known.size === 0) {
    throw new ConfigurationError('The log has no line "audit heads". Name the log of gateways, at the level info.');
  }
  return new Map([...known].map(([owner, heads]) => [owner, [...heads.values()]]));
}

interface LoggedHead extends ChainHead {
  readonly owner: string;
}

function headsOf(line: string, number: number): readonly LoggedHead[] {
  const heads = parsed(line)?.heads;
  if (Array.isArray(heads) && heads.every(isHead)) return heads;
  throw new ConfigurationError(
    `Line ${number} of the log names audit heads, and is not whole. Get it from where the log was collected, or remove the line.`,
  );
}

function parsed(line: string): { readonly heads?: unknown } | undefined {
  try {
    return Object(JSON.parse(line.slice(line.indexOf('{'))));
  } catch {
    return undefined;
  }
}

function isHead(head: unknown): head is LoggedHead {
  const { owner, sequence, hash } = Object(head) as Partial<LoggedHead>;
  return typeof owner === 'string' && Number.isSafeInteger(sequence) && typeof hash === 'string';
}
