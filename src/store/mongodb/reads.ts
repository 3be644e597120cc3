import {
  type ClientSession,
  type Db,
  type Document,
  Long,
  type MongoClient,
  MongoError,
  MongoNetworkError,
  type Timestamp,
} from 'mongodb';
import { decodeRows, type RowDecoder } from './row-reader.ts';

/** What a primary says of itself. Election ids grow. */
interface Hello {
  readonly isWritablePrimary?: boolean;
  readonly electionId?: { toHexString(): string };
  readonly lastWrite?: { readonly opTime?: { readonly ts?: Timestamp } };
}

interface Reply {
  readonly cursor: { readonly id: Long | number; readonly firstBatch: readonly Uint8Array[] };
}

/** Of a command of one's own the driver takes no option of the client. */
const bsonOptions = { enableUtf8Validation: false };
const rawRows = { ...bsonOptions, fieldsAsRaw: { firstBatch: true } };

/**
 * Runs reads that see every acknowledged write, also just after an election. The new primary has these writes then, but for
 * a moment it does not know that a majority has the last of them, and read concern majority leaves those out. So a read
 * waits at the server until a majority has what the new primary had when it told of itself.
 */
export class Reads {
  readonly #client: MongoClient;
  readonly #database: Db;
  readonly #timeoutMs: number;
  /** Those of reads that have not ended. They may have been begun before the election, and be sent after it. */
  readonly #sessions = new Set<ClientSession>();
  #electionId = '';
  #lastWrite: Timestamp | undefined;

  constructor(client: MongoClient, databaseName: string, timeoutMs: number) {
    this.#client = client;
    this.#database = client.db(databaseName);
    this.#timeoutMs = timeoutMs;
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

  /**
   * The rows that a `find` or an `aggregate` returns. The driver's cursors, and its documents, would take several times the CPU
   * of everything else here.
   * @param command whose batch size is larger than its answer, so that one reply holds it all and the server closes the cursor
   */
  rows<T>(command: Document, decoder: RowDecoder<T>): Promise<T[]> {
    const { readConcern = { level: 'majority' } } = command;
    // The name of the command stays first.
    const whole = { ...command, readConcern, maxTimeMS: this.#timeoutMs };
    return this.run((session) => this.#rows(whole, decoder, session));
  }

  async #rows<T>(command: Document, decoder: RowDecoder<T>, session: ClientSession): Promise<T[]> {
    const send = async () => {
      const { cursor } = (await this.#database.command(command, { ...rawRows, session })) as Document as Reply;
      return String(cursor.id) === '0' ? decodeRows(cursor.firstBatch, decoder) : Long.fromString(String(cursor.id));
    };
    const rows = await send().catch((error: unknown) => {
      if (this.#client.options.retryReads && isRetryable(error)) return send();
      throw error;
    });
    if (!(rows instanceof Long)) return rows;
    // Of more than 16 MB the server sends the rest later, and only a cursor of the driver asks the same server again.
    const killCursors = { killCursors: command.find ?? command.aggregate, cursors: [rows] };
    await this.#database.command(killCursors, { session }).catch(() => {});
    const documents = await this.#database.runCursorCommand(command, { ...bsonOptions, session }).toArray();
    return documents.map((document) => decoder.of(document));
  }
}

/** Codes of https://github.com/mongodb/specifications/blob/master/source/retryable-reads/retryable-reads.md */
const retryableCodes: ReadonlySet<unknown> = new Set([
  // HostUnreachable, HostNotFound, NetworkTimeout, ShutdownInProgress, ReadConcernMajorityNotAvailableYet, PrimarySteppedDown
  ...[6, 7, 89, 91, 134, 189],
  // ExceededTimeLimit, SocketException, NotWritablePrimary, InterruptedAtShutdown, InterruptedDueToReplStateChange
  ...[262, 9001, 10107, 11600, 11602],
  // NotPrimaryNoSecondaryOk, NotPrimaryOrSecondary
  ...[13435, 13436],
]);

/** Whether a read may be sent once more. The driver does it for reads of its own, but not for `command`. */
function isRetryable(error: unknown): boolean {
  return error instanceof MongoNetworkError || (error instanceof MongoError && retryableCodes.has(error.code));
}
