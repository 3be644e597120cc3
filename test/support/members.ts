import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { type Document, MongoClient } from 'mongodb';
import { FaultyLink } from './faulty-link.ts';
import { mongodPath } from './mongod.ts';

const startMs = 30_000;

/** The states of a member that is up: primary, secondary. */
const healthy = [1, 2];

/**
 * A replica set of several processes on this machine that can be stopped, killed and started again one by one. Clients and the
 * other members reach each member through a link.
 */
export class Members {
  readonly #directory: string;
  readonly ports: readonly number[];
  readonly #links: ReadonlyMap<number, FaultyLink>;
  readonly #processes = new Map<number, ChildProcess>();

  private constructor(directory: string, links: ReadonlyMap<number, FaultyLink>) {
    this.#directory = directory;
    this.#links = links;
    this.ports = [...links.keys()];
  }

  static async start(count: number): Promise<Members> {
    const links = new Map<number, FaultyLink>();
    for (const port of await Promise.all(Array.from({ length: count }, freePort))) {
      links.set(port, await FaultyLink.open({ host: '127.0.0.1', port }));
    }
    const members = new Members(await mkdtemp(join(tmpdir(), 'members-')), links);
    await Promise.all(members.ports.map((port) => members.#spawn(port)));
    const [first = 0] = members.ports;
    await members.admin(first, {
      replSetInitiate: {
        _id: 'faults',
        members: [...links.values()].map((link, _id) => ({ _id, host: `127.0.0.1:${link.port}` })),
        settings: { electionTimeoutMillis: 2000, heartbeatIntervalMillis: 500 },
      },
    });
    await members.settled();
    return members;
  }

  get uri(): string {
    return `mongodb://${[...this.#links.values()].map(({ port }) => `127.0.0.1:${port}`).join(',')}/?replicaSet=faults`;
  }

  /** What everybody else reaches this member through. */
  link(port: number): FaultyLink {
    const link = this.#links.get(port);
    if (!link) throw new Error('there is no such member');
    return link;
  }

  /** The port of the member that takes writes, once there is one. @param replaced a member that does not count */
  async primary(replaced?: number): Promise<number> {
    const end = performance.now() + startMs;
    while (performance.now() < end) {
      for (const port of this.ports) {
        if (port === replaced) continue;
        const hello = await this.admin(port, { hello: 1 }).catch(() => null);
        if (hello?.isWritablePrimary) return port;
      }
      await setTimeout(100);
    }
    throw new Error('there is no primary');
  }

  /** Resolves when every member is primary or secondary. */
  async settled(): Promise<void> {
    const end = performance.now() + startMs;
    while (performance.now() < end) {
      const status = await this.admin(await this.primary(), { replSetGetStatus: 1 }).catch(() => null);
      if (status?.members.every(({ state }: { state: number }) => healthy.includes(state))) return;
      await setTimeout(100);
    }
    throw new Error('the replica set is not whole');
  }

  async admin(port: number, command: Document): Promise<Document> {
    const client = new MongoClient(`mongodb://127.0.0.1:${port}/?directConnection=true`, {
      serverSelectionTimeoutMS: 2000,
      socketTimeoutMS: 10_000,
    });
    try {
      return await client.db('admin').command(command);
    } finally {
      await client.close();
    }
  }

  signal(port: number, signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#processes.get(port)?.kill(signal);
  }

  async kill(port: number): Promise<void> {
    const child = this.#processes.get(port);
    if (!child) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
    this.#processes.delete(port);
  }

  restart(port: number): Promise<void> {
    return this.#spawn(port);
  }

  async close(): Promise<void> {
    await Promise.all(this.ports.map((port) => this.kill(port)));
    await Promise.all([...this.#links.values()].map((link) => link.close()));
    await rm(this.#directory, { recursive: true, force: true });
  }

  async #spawn(port: number): Promise<void> {
    const path = await mongodPath();
    if (path === undefined) throw new Error('there is no mongod to start by hand');
    const data = join(this.#directory, String(port));
    await mkdir(data, { recursive: true });
    const args = ['--replSet', 'faults', '--port', String(port), '--dbpath', data, '--bind_ip', '127.0.0.1'];
    const tuning = ['--wiredTigerCacheSizeGB', '0.25', '--setParameter', 'enableTestCommands=1', '--quiet'];
    this.#processes.set(port, spawn(path, [...args, ...tuning], { stdio: 'ignore' }));
    const end = performance.now() + startMs;
    while (!(await this.admin(port, { ping: 1 }).catch(() => null))) {
      if (performance.now() > end) throw new Error('a mongod did not start');
      await setTimeout(100);
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
