import type { ClientSession, Db, Document, Long } from 'mongodb';
import { WriteRefused } from './errors.ts';

interface Found {
  readonly cursor: { readonly id: Long | number; readonly firstBatch: readonly Document[] };
}

interface Written {
  readonly n: number;
  readonly writeErrors?: readonly { readonly index: number; readonly code: number; readonly errmsg?: string }[];
}

/** In one command: each is encoded in one tick of the event loop, and the server accepts 16 MB. */
const maxStatements = 500;
/** In UTF-16 units of their texts, which have up to three bytes each. */
const maxUnits = 2_000_000;

/** What the driver's cursors and bulk writes send in a transaction, without them: they take more CPU than the commands. */
export class TransactionCommands {
  readonly #database: Db;
  readonly #options: { readonly session: ClientSession; readonly enableUtf8Validation: false };

  constructor(database: Db, session: ClientSession) {
    this.#database = database;
    this.#options = { session, enableUtf8Validation: false };
  }

  /** At most `limit` documents, far less than the 16 MB of a reply. */
  async find<T>(collection: string, limit: number, query: Document): Promise<readonly T[]> {
    const command = { find: collection, batchSize: limit + 1, ...query };
    const { cursor } = (await this.#database.command(command, this.#options)) as Document as Found;
    if (String(cursor.id) !== '0') throw new Error('the reply to a read of a transaction is not whole');
    return cursor.firstBatch as readonly Document[] as readonly T[];
  }

  /** @throws WriteRefused */
  async insert(collection: string, documents: readonly object[]): Promise<void> {
    await this.#writeAll(documents, (some) => ({ insert: collection, documents: some }));
  }

  /**
   * @returns how many matched, or were inserted
   * @throws WriteRefused
   */
  update(
    collection: string,
    updates: readonly { readonly q: Document; readonly u: Document; readonly upsert?: boolean }[],
  ): Promise<number> {
    return this.#writeAll(updates, (some) => ({ update: collection, updates: some }));
  }

  /** One document for each filter. @returns how many there were */
  delete(collection: string, filters: readonly Document[]): Promise<number> {
    const deletes = filters.map((q) => ({ q, limit: 1 }));
    return this.#writeAll(deletes, (some) => ({ delete: collection, deletes: some }));
  }

  /** All documents of each filter. @returns how many there were */
  deleteAll(collection: string, filters: readonly Document[]): Promise<number> {
    const deletes = filters.map((q) => ({ q, limit: 0 }));
    return this.#writeAll(deletes, (some) => ({ delete: collection, deletes: some }));
  }

  async #writeAll<T>(statements: readonly T[], commandOf: (some: readonly T[]) => Document): Promise<number> {
    let [n, from] = [0, 0];
    while (from < statements.length) {
      const end = endOfCommand(statements, from);
      n += await this.#write(commandOf(statements.slice(from, end)), from);
      from = end;
    }
    return n;
  }

  async #write(command: Document, from: number): Promise<number> {
    const { n, writeErrors } = (await this.#database.command(command, this.#options)) as Document as Written;
    const [first] = writeErrors ?? [];
    if (first) throw new WriteRefused({ ...first, index: from + first.index });
    return n;
  }
}

function endOfCommand(statements: readonly unknown[], from: number): number {
  let units = 0;
  for (let end = from; end < statements.length; end += 1) {
    units += unitsOf(statements[end]);
    if (end > from && (end - from === maxStatements || units > maxUnits)) return end;
  }
  return statements.length;
}

function unitsOf(value: unknown): number {
  if (typeof value === 'string') return value.length;
  if (typeof value !== 'object' || value === null) return 0;
  return Object.values(value).reduce((sum: number, one) => sum + unitsOf(one), 0);
}
