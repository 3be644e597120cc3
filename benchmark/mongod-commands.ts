import { MongoClient } from 'mongodb';

const counted = ['aggregate', 'find', 'insert', 'update', 'delete', 'findAndModify', 'commitTransaction'] as const;

/** Reads from a mongod how many commands it has run. */
export class MongodCommands {
  readonly #client: MongoClient;

  constructor(uri: string) {
    this.#client = new MongoClient(uri);
  }

  async total(): Promise<number> {
    const { metrics } = await this.#client.db('admin').command({ serverStatus: 1 });
    return counted.reduce((sum, name) => sum + Number(metrics.commands[name]?.total ?? 0), 0);
  }

  async close(): Promise<void> {
    await this.#client.close();
  }
}
