import { open } from 'node:fs/promises';
import { walkChains } from '../../audit/walk-chains.ts';
import type { Config } from '../../config.ts';
import { ConfigurationError } from '../../errors.ts';
import { readKeyring } from '../../keyring/file.ts';
import type { AuditEvent } from '../../model/audit-event.ts';
import type { Actor } from '../../model/principal.ts';
import { withStore } from '../../store/open-store.ts';
import { printable } from '../printable.ts';
import { createProgress } from '../progress.ts';
import { type OwnerOptions, ownerOfOptions } from './audit-owner.ts';
import { figuresOf, tellBroken } from './audit-verify.ts';
import { exitOnInterrupt } from './exit-on-interrupt.ts';

export interface ExportOptions extends OwnerOptions {
  readonly output?: string;
}

/** Writes all events of the chains, one JSON object in a line. */
export async function exportEvents({ keyringFile, databaseUrl }: Config, options: ExportOptions): Promise<void> {
  const owner = ownerOfOptions(options);
  const keyring = await readKeyring(keyringFile);
  exitOnInterrupt();
  await using file = options.output === undefined ? null : await newFile(options.output);
  const lines = new Lines(file ? (chunk) => file.writeFile(chunk) : toStandardOutput);
  const progress = createProgress('exporting', process.stderr);
  const walked = await withStore(databaseUrl, (store) =>
    walkChains(store, keyring, {
      ...(owner && { owner }),
      onEvent: async (key, event) => void (await lines.write(lineOf(key, event))),
      onProgress: progress.show,
    }),
  ).finally(() => progress.end());
  await lines.flush();
  await file?.sync();
  const where = options.output === undefined ? '' : ` to ${printable(options.output)}`;
  process.stderr.write(`${figuresOf(walked)} exported${where}.\n`);
  tellBroken(walked.broken);
}

const actorKinds = new Map<Actor['kind'], string>([
  ['user', 'USER'],
  ['apiKey', 'API_KEY'],
  ['system', 'SYSTEM'],
]);

/** The owner is written as in the log of heads, everything else as GraphQL has it, and what a check of the chain needs. */
function lineOf(owner: string, { actor, ...event }: AuditEvent): string {
  // What something other than a gateway wrote may have none, or another.
  const kind = actorKinds.get(actor?.kind) ?? null;
  return `${JSON.stringify({ owner, ...event, actor: { kind, id: actor?.id ?? null } })}\n`;
}

/** @throws ConfigurationError where something is there already */
async function newFile(path: string) {
  try {
    const file = await open(path, 'wx', 0o600);
    // The umask may take rights away from the owner.
    await file.chmod(0o600);
    return file;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new ConfigurationError(
      code === 'EEXIST'
        ? 'The file of --output is there already, and is not overwritten. Name a file that is not there.'
        : `The file of --output cannot be written (${code}). Check the path and the rights.`,
    );
  }
}

const chunkLength = 64 * 1024;

type WriteChunk = (chunk: string) => Promise<unknown>;

/** Text goes out in chunks, as fast as it is taken. */
class Lines {
  readonly #write: WriteChunk;
  #chunk = '';

  constructor(write: WriteChunk) {
    this.#write = write;
  }

  write(line: string): Promise<unknown> | undefined {
    this.#chunk += line;
    return this.#chunk.length < chunkLength ? undefined : this.flush();
  }

  async flush(): Promise<void> {
    const chunk = this.#chunk;
    this.#chunk = '';
    await this.#write(chunk);
  }
}

const toStandardOutput: WriteChunk = (chunk) =>
  new Promise<void>((resolve) => {
    process.stdout.write(chunk, (error) => {
      // Who reads has gone: head, for one.
      if (error) process.exit(1);
      resolve();
    });
  });
