import { Agent, type ClientRequest, type ClientRequestArgs } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { AbortSignalLike } from '../../runtime/abort.ts';
import { type ConnectionRules, connect, type Upstream } from './connect.ts';

/**
 * Many servers close a connection that was idle for 5 s without saying so, and a request that crosses the end cannot be repeated
 * if it changes anything.
 */
const idleMs = 4000;
const maxIdleOfPool = 32;
const maxIdle = 512;
/** Then the name is looked up again, and the certificate checked. */
const maxAgeMs = 5 * 60_000;

/** What a request tells about its socket. */
export interface SocketUse {
  /** Sockets are shared within a pool only. */
  readonly pool: string;
  readonly upstream: Upstream;
  /** Ends the making of a connection. */
  readonly signal: AbortSignalLike;
  /** Whether it is closed after the request. */
  readonly isAlone: boolean;
}

type Options = ClientRequestArgs & { readonly use: SocketUse };

/** The sockets to upstreams. Each is connected, checked and idle, or in use by one request. */
export class UpstreamSockets extends Agent {
  readonly #rules: ConnectionRules;
  /** The one that has been idle for longest first. */
  readonly #idle = new Set<Duplex>();
  #isClosed = false;
  readonly #openedAtMs = new WeakMap<Duplex, number>();
  readonly #alone = new WeakSet<Duplex>();

  constructor(rules: ConnectionRules) {
    super({ keepAlive: true, timeout: idleMs, maxFreeSockets: maxIdleOfPool });
    this.#rules = rules;
  }

  override getName(options?: object): string {
    return (options as Options).use.pool;
  }

  override createConnection(
    options: ClientRequestArgs,
    callback: (error: Error | null, socket: Duplex) => void,
  ): undefined {
    const { upstream, signal, isAlone } = (options as Options).use;
    const failed = (error: Error) => callback(error, undefined as never);
    const opened = (socket: Socket) => {
      if (isAlone) this.#alone.add(socket);
      this.#opened(socket, callback);
    };
    connect(upstream, this.#rules, signal).then(opened, failed);
  }

  override keepSocketAlive(socket: Duplex): boolean {
    const isYoung = performance.now() - (this.#openedAtMs.get(socket) ?? 0) < maxAgeMs;
    const mayBeKept = isYoung && !this.#alone.has(socket);
    // Node's declaration says void. It is false where the server's Keep-Alive header leaves no time.
    const isKept = mayBeKept && (super.keepSocketAlive(socket) as unknown as boolean);
    if (!isKept) return false;
    this.#idle.add(socket);
    const [oldest] = this.#idle;
    if (this.#idle.size > maxIdle) oldest?.destroy();
    return true;
  }

  override reuseSocket(socket: Duplex, request: ClientRequest): void {
    super.reuseSocket(socket, request);
    this.#idle.delete(socket);
  }

  /** Closes the idle sockets of a pool, of which one was found closed by its server. */
  closeIdle(pool: string): void {
    const sockets = this.freeSockets as Record<string, Socket[] | undefined>;
    for (const socket of sockets[pool] ?? []) socket.destroy();
    // They leave the list once they are closed, and could be used until then.
    delete sockets[pool];
  }

  override destroy(): void {
    this.#isClosed = true;
    super.destroy();
  }

  /** Node keeps an empty list for each pool whose connections failed. */
  forgetEmpty(pool: string): void {
    const sockets = this.sockets as Record<string, Socket[] | undefined>;
    if (sockets[pool]?.length === 0) delete sockets[pool];
  }

  #opened(socket: Socket, callback: (error: Error | null, socket: Duplex) => void): void {
    this.#openedAtMs.set(socket, performance.now());
    socket.once('close', () => this.#idle.delete(socket));
    // One that was being connected meanwhile.
    if (this.#isClosed) socket.destroy();
    callback(null, socket);
  }
}
