import { subscribe } from 'node:diagnostics_channel';
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import type { Socket } from 'node:net';

// Loaded before a gateway in its own process. It breaks what that process uses when the parent process says so.

const sockets = new Set<Socket>();
subscribe('net.client.socket', (message) => {
  const { socket } = message as { socket: Socket };
  sockets.add(socket);
  socket.once('close', () => sockets.delete(socket));
});

/** In the working directory of the gateway: on the disk of its database. */
const filler = 'disk/filler';

const faults: Readonly<Record<string, () => void>> = {
  'cut the links'() {
    for (const socket of sockets) socket.destroy();
  },
  'lose the replies'() {
    for (const socket of sockets) {
      socket
        .unpipe()
        .on('data', () => socket.destroy())
        .resume();
    }
  },
  'fill the disk'() {
    const file = openSync(filler, 'w');
    try {
      for (const bytes of [Buffer.alloc(65_536), Buffer.alloc(512)]) fill(file, bytes);
    } finally {
      closeSync(file);
    }
  },
  'free the disk'() {
    rmSync(filler);
  },
};

function fill(file: number, bytes: Uint8Array): void {
  try {
    while (writeSync(file, bytes) === bytes.length);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
}

process.on('message', (fault: string) => {
  faults[fault]?.();
  process.send?.('done');
});
process.channel?.unref();
// Sent by the system for a write beyond the limit of a file's size. It would end the process before the write fails.
process.on('SIGXFSZ', () => {});
