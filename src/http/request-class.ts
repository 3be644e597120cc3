import { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

/**
 * The class of requests for a server. Node reads all requests that one packet brings, thousands of them, and keeps each with
 * its response until the connection has closed. It does not keep a request that is taken out of HTTP, as an upgrade is. So
 * the requests that are too many are treated as upgrades.
 */
export function requestClass(isTooMany: (socket: Socket) => boolean): typeof IncomingMessage {
  return class extends IncomingMessage {
    #upgrade: boolean | null = null;

    /** Asked first before the request counts on its connection, and again when all of the packet has been read. */
    get upgrade(): boolean {
      this.#upgrade ??= this.method === 'CONNECT' || isTooMany(this.socket);
      return this.#upgrade;
    }

    /** Node sets what the headers say. No upgrade that they could ask for exists here. */
    set upgrade(_asked: boolean) {}
  };
}
