import type { DatabaseSync } from 'node:sqlite';
import type { Statement } from './list.ts';
import { type ArrayStatement, prepareArrays } from './rows.ts';

/** Lists differ in the shape of their filters. This many shapes stay prepared. */
const maxPrepared = 128;

/** Runs the statements of lists, and keeps them prepared. */
export class PreparedLists {
  readonly #database: DatabaseSync;
  /** The one that was prepared first is first. */
  readonly #prepared = new Map<string, ArrayStatement>();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  all({ sql, values }: Statement): ReturnType<ArrayStatement['all']> {
    return this.#statement(sql).all(...values);
  }

  #statement(sql: string): ArrayStatement {
    const prepared = this.#prepared.get(sql);
    if (prepared) return prepared;
    const [oldest] = this.#prepared.keys();
    if (this.#prepared.size === maxPrepared && oldest !== undefined) this.#prepared.delete(oldest);
    const statement = prepareArrays(this.#database, sql);
    this.#prepared.set(sql, statement);
    return statement;
  }
}
