import type { ClientSession, Db, Document, Long } from 'mongodb';
import { WriteRefused } from './errors.ts';

interface Found {
  readonly cursor: { readonly id: Long | number; readonly firstBatch: readonly Document[] };
}

interface Written {
  readonly n: number;
  readonly writeErrors?: readonly { readonly index: number; readonly code: number; readonly errmsg?: string }[];
}

/** In one command, which may have 16 MB: audit events have less than 4 KB. */
const maxDocuments = 2000;

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

  /**
   * @param documents any number of small ones, or larger ones of 12 MB together
   * @throws WriteRefused
   */
  async insert(collection: string, documents: readonly object[]): Promise<void> {
    for (let from = 0; from < documents.length; from += maxDocuments) {
      await this.#write({ insert: collection, documents: documents.slice(from, from + maxDocuments) }, from);
    }
  }

  /**
   * @returns how many matched, or were inserted
   * @throws WriteRefused
   */
  update(
    collection: string,
    updates: readonly { readonly q: Document; readonly u: Document; readonly upsert?: boolean }[],
  ): Promise<number> {
    return this.#write({ update: collection, updates });
  }

  /** One document for each filter. @returns how many there were */
  delete(collection: string, filters: readonly Document[]): Promise<number> {
    return this.#write({ delete: collection, deletes: filters.map((q) => ({ q, limit: 1 })) });
  }

  /** All documents of each filter. @returns how many there were */
  deleteAll(collection: string, filters: readonly Document[]): Promise<number> {
    return this.#write({ delete: collection, deletes: filters.map((q) => ({ q, limit: 0 })) });
  }

  async #write(command: Document, from = 0): Promise<number> {
    const { n, writeErrors } = (await this.#database.command(command, this.#options)) as Document as Written;
    const [first] = writeErrors ?? [];
    if (first) throw new WriteRefused({ ...first, index: from + first.index });
    return n;
  }
}
