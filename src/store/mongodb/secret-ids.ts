import { LRUCache } from 'lru-cache';
import type { Filter } from 'mongodb';
import { ownerKey } from '../../model/owner.ts';
import { StoreConflict, type Write } from '../store.ts';
import type { SecretDocument } from './documents.ts';
import { isDuplicateKey, WriteRefused } from './errors.ts';
import type { Reads } from './reads.ts';
import type { RowDecoder } from './row-reader.ts';
import type { TransactionCommands } from './transaction-commands.ts';

/**
 * Whose a secret's id is. It stays when the secret is deleted: an id is never free again. `_id` is the shard key, so that an
 * id is unique whatever shard its owner is on.
 */
export interface SecretIdDocument {
  readonly _id: string;
  readonly owner: string;
}

/** In characters of ids and owners: about 16 MiB at most. */
const maxKept = 4 * 1024 * 1024;

const ownerOfId: RowDecoder<SecretIdDocument> = {
  read: (row) => ({ _id: row.text('_id'), owner: row.text('owner') }),
  of: (document) => document as SecretIdDocument,
};

/**
 * Finds secrets by their ids alone: first whose each id is, and then the secret at that owner, whose shard alone is asked.
 * An id belongs to one owner for good, so what was read once is kept, and a find by an id that was seen before is one command.
 */
export class SecretOwners {
  readonly #reads: Reads;
  readonly #kept = new LRUCache<string, string>({
    maxSize: maxKept,
    sizeCalculation: (owner, id) => owner.length + id.length,
  });

  constructor(reads: Reads) {
    this.#reads = reads;
  }

  /**
   * The secrets of these ids, by id. What is kept is not relied on: where an owner has no such secret, whose the id is is read
   * again, since the database may have been restored from a backup meanwhile.
   * @param find reads what matches a filter
   */
  async find<T extends { readonly secret: { readonly id: string } }>(
    ids: readonly string[],
    find: (filter: Filter<SecretDocument>) => Promise<T[]>,
  ): Promise<ReadonlyMap<string, T>> {
    const found = new Map<string, T>();
    const findAt = async (owners: ReadonlyMap<string, string>) => {
      if (owners.size > 0) for (const row of await find(byOwner(owners))) found.set(row.secret.id, row);
    };
    const kept = new Map<string, string>();
    const unknown = new Set<string>();
    for (const id of ids) {
      const owner = this.#kept.get(id);
      if (owner === undefined) unknown.add(id);
      else kept.set(id, owner);
    }
    await findAt(new Map([...kept, ...(await this.#read(unknown))]));
    const missed = new Set(kept.keys()).difference(found);
    const moved = [...(await this.#read(missed))].filter(([id, owner]) => kept.get(id) !== owner);
    await findAt(new Map(moved));
    return found;
  }

  /** Those of these ids that are taken. What is kept is not asked: the database may have been restored from a backup. */
  async taken(ids: readonly string[]): Promise<ReadonlySet<string>> {
    return new Set((await this.#read(new Set(ids))).keys());
  }

  /** The owners' keys by id; ids that were never taken are left out. */
  async #read(ids: ReadonlySet<string>): Promise<ReadonlyMap<string, string>> {
    if (ids.size === 0) return new Map();
    const filter = { _id: { $in: [...ids] } };
    const find = { find: 'secretIds', filter, batchSize: ids.size + 1 };
    const found = await this.#reads.rows(find, ownerOfId);
    for (const { _id, owner } of found) this.#kept.set(_id, owner);
    return new Map(found.map(({ _id, owner }) => [_id, owner]));
  }

  /** To be called when the writes are durable: new secrets are soon asked for. */
  keep(writes: readonly Write[]): void {
    for (const write of writes) {
      if (write.type === 'insertSecret') this.#kept.set(write.record.id, ownerKey(write.record.owner));
    }
  }
}

/** Matches the secrets of these ids, each at its owner. Every branch has the shard key, so that no other shard is asked. */
export function byOwner(owners: Iterable<readonly [id: string, owner: string]>): Filter<SecretDocument> {
  const ids = new Map<string, string[]>();
  for (const [id, owner] of owners) {
    const known = ids.get(owner);
    if (known) known.push(id);
    else ids.set(owner, [id]);
  }
  const branches = [...ids].map(([owner, of]) => ({ owner, _id: { $in: of } }));
  const [first] = branches;
  return first && branches.length === 1 ? first : { $or: branches };
}

/**
 * Takes the ids of new secrets, for good.
 * @throws StoreConflict
 */
export async function takeIds(
  commands: TransactionCommands,
  changes: readonly { readonly write: Write; readonly index: number }[],
): Promise<void> {
  const taken = changes.flatMap(({ write, index }) =>
    write.type === 'insertSecret'
      ? [{ index, document: { _id: write.record.id, owner: ownerKey(write.record.owner) } }]
      : [],
  );
  if (taken.length === 0) return;
  const documents = taken.map(({ document }) => document);
  await commands.insert('secretIds', documents).catch((error: unknown) => {
    if (!(error instanceof WriteRefused) || !isDuplicateKey(error)) throw error;
    throw new StoreConflict(taken[error.index]?.index ?? 0, 'id');
  });
}
