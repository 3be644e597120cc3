import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** silent: sent bytes are lost · stalled: nothing is read · cut: connections are closed, new ones too */
export type LinkFault = 'silent' | 'stalled' | 'cut';

/** A TCP proxy to a server on this machine, with faults on request. */
export class FaultyLink {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #fault: LinkFault | null = null;
  #sentBytes = 0;
  #waiting: { bytes: number; resolve: () => void } | null = null;

  private constructor(target: { host: string; port: number }) {
    this.#server = createServer((client) => {
      const server = connect(target);
      this.#join(client, server, (bytes) => this.#count(bytes));
      this.#join(server, client);
      if (this.#fault === 'cut') client.destroy();
      if (this.#fault === 'stalled') for (const socket of [client, server]) socket.pause();
    });
  }

  static async open(target: { host: string; port: number }): Promise<FaultyLink> {
    const link = new FaultyLink(target);
    link.#server.listen(0, '127.0.0.1');
    await once(link.#server, 'listening');
    return link;
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the link is closed');
    return address.port;
  }

  /** Resolves once this many bytes in total were sent to the server. */
  sent(bytes: number): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting = { bytes, resolve };
      this.#count(0);
    });
  }

  fail(fault: LinkFault): void {
    this.#fault = fault;
    if (fault === 'cut') this.#destroyAll();
    if (fault === 'stalled') for (const socket of this.#sockets) socket.pause();
  }

  /** Ends the fault for new connections. Connections that lost bytes are closed. */
  restore(): void {
    this.#fault = null;
    this.#destroyAll();
  }

  async close(): Promise<void> {
    this.#destroyAll();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #join(from: Socket, to: Socket, count: (bytes: number) => void = () => {}): void {
    this.#sockets.add(from);
    from.on('data', (chunk) => {
      if (this.#fault === null) to.write(chunk);
      count(chunk.length);
    });
    // The close event that follows closes the other side.
    from.on('error', () => {});
    from.on('close', () => {
      this.#sockets.delete(from);
      to.destroy();
    });
  }

  #count(bytes: number): void {
    this.#sentBytes += bytes;
    if (this.#waiting && this.#sentBytes >= this.#waiting.bytes) this.#waiting.resolve();
  }

  #destroyAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}
