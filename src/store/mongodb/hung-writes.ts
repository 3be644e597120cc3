import { createRequire } from 'node:module';
import type { Socket } from 'node:net';

/** What is used of the driver's connection, which the driver does not export. */
interface Connection {
  readonly socket: Socket;
  once(event: 'close', listener: () => void): void;
  writeCommand(...args: unknown[]): Promise<void>;
}

const guarded = new WeakSet<Connection>();
let isInstalled = false;

/**
 * Ends every write of the driver together with its socket. The driver (up to 7.9.0) waits for `drain`, which a socket that
 * is destroyed never emits, and no time-out of the driver ends that wait. It is corrected here because a commit, an abort, a
 * heartbeat and the end of the sessions take no signal. docs/adr/0019-writes-of-the-mongodb-driver.md has the details.
 */
export function endWritesWithTheirSocket(): void {
  if (isInstalled) return;
  isInstalled = true;
  const { Connection } = createRequire(import.meta.url)('mongodb/lib/cmap/connection.js') as {
    readonly Connection: { readonly prototype: Connection };
  };
  const { writeCommand } = Connection.prototype;
  Connection.prototype.writeCommand = function (this: Connection, ...args) {
    if (!guarded.has(this)) guard(this);
    return writeCommand.apply(this, args);
  };
}

function guard(connection: Connection): void {
  guarded.add(connection);
  const { socket } = connection;
  const write = socket.write.bind(socket) as (data: Uint8Array) => boolean;
  // The driver makes a network error of what this throws, closes the connection, and so does the same as for a lost reply.
  socket.write = (data: Uint8Array | string) => {
    if (socket.destroyed) throw new Error('the socket is destroyed');
    return write(data as Uint8Array);
  };
  // A write that waits looks next at the error with which the connection was closed, and fails with it.
  connection.once('close', () => void socket.emit('drain'));
}
