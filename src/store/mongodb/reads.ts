import type { ClientSession, MongoClient, Timestamp } from 'mongodb';

/** What a primary says of itself. Election ids grow. */
interface Hello {
  readonly isWritablePrimary?: boolean;
  readonly electionId?: { toHexString(): string };
  readonly lastWrite?: { readonly opTime?: { readonly ts?: Timestamp } };
}

/**
 * Runs reads that see every acknowledged write, also just after an election. The new primary has these writes then, but for
 * a moment it does not know that a majority has the last of them, and read concern majority leaves those out. So a read
 * waits at the server until a majority has what the new primary had when it told of itself.
 */
export class Reads {
  readonly #client: MongoClient;
  /** Those of reads that have not ended. They may have been begun before the election, and be sent after it. */
  readonly #sessions = new Set<ClientSession>();
  #electionId = '';
  #lastWrite: Timestamp | undefined;

  constructor(client: MongoClient) {
    this.#client = client;
    // The driver passes this on before it takes the server for the primary, so before it sends anything to it.
    client.on('serverHeartbeatSucceeded', ({ reply }) => this.#follow(reply));
  }

  #follow({ isWritablePrimary, electionId, lastWrite }: Hello): void {
    const id = electionId?.toHexString() ?? '';
    // Not the cluster time of the reply: it may be later than every write, and the read would wait for the next one.
    const time = lastWrite?.opTime?.ts;
    if (!isWritablePrimary || id <= this.#electionId || !time) return;
    this.#electionId = id;
    this.#lastWrite = time;
    for (const session of this.#sessions) session.advanceOperationTime(time);
  }

  async run<T>(read: (session: ClientSession) => Promise<T>): Promise<T> {
    const session = this.#client.startSession();
    if (this.#lastWrite) session.advanceOperationTime(this.#lastWrite);
    this.#sessions.add(session);
    try {
      return await read(session);
    } finally {
      this.#sessions.delete(session);
      await session.endSession();
    }
  }
}
