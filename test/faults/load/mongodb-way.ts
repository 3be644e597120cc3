import { setTimeout } from 'node:timers/promises';
import { openStore } from '../../../src/store/open-store.ts';
import { CommandLine, injectedFaults, type RunningGateway } from '../../support/command-line.ts';
import { Members } from '../../support/members.ts';
import { withDatabase } from '../../support/mongod.ts';
import { WriteLoad } from '../../support/write-load.ts';
import { clientsOf, keyringIn, type Round, stuckPart, type Way } from './way.ts';

const team = 'demo';

interface Target {
  readonly members: Members;
  readonly gateways: readonly RunningGateway[];
}

/** Each ends when the fault is over, but for the election that it may have led to. */
const faults: Readonly<Record<string, (target: Target) => Promise<void>>> = {
  async 'the primary steps down'({ members }) {
    await stepDown(members, await members.primary());
  },
  async 'the primary is killed, and started again'({ members }) {
    const port = await members.primary();
    await members.kill(port);
    await members.primary(port);
    await members.restart(port);
  },
  async 'the primary stops, is replaced, and goes on'({ members }) {
    const port = await members.primary();
    members.signal(port, 'SIGSTOP');
    await members.primary(port);
    members.signal(port, 'SIGCONT');
  },
  async 'the primary stops for less than an election takes'({ members }) {
    const port = await members.primary();
    members.signal(port, 'SIGSTOP');
    await setTimeout(200 + 800 * Math.random());
    members.signal(port, 'SIGCONT');
  },
  async 'a secondary is killed, and started again'({ members }) {
    const [port = 0] = await secondaries(members);
    await members.kill(port);
    await setTimeout(500 * Math.random());
    await members.restart(port);
  },
  async 'a secondary stops, and goes on'({ members }) {
    const [port = 0] = await secondaries(members);
    members.signal(port, 'SIGSTOP');
    await setTimeout(1000 + 1000 * Math.random());
    members.signal(port, 'SIGCONT');
  },
  async 'two members are killed, and started again'({ members }) {
    const two = [await members.primary(), ...(await secondaries(members))].slice(0, 2);
    await Promise.all(two.map((port) => members.kill(port)));
    await setTimeout(1000 * Math.random());
    await Promise.all(two.map((port) => members.restart(port)));
  },
  async 'the connections of the gateways are cut, ten times'({ gateways }) {
    for (let cut = 0; cut < 10; cut += 1) {
      await Promise.all(gateways.map((gateway) => gateway.ask('cut the links')));
      await setTimeout(50 * Math.random());
    }
  },
  async 'the replies to the gateways are lost, five times'({ gateways }) {
    for (let loss = 0; loss < 5; loss += 1) {
      await Promise.all(gateways.map((gateway) => gateway.ask('lose the replies')));
      await setTimeout(100 * Math.random());
    }
  },
  async 'the link to the primary is cut until another replaces it'({ members }) {
    const port = await members.primary();
    members.link(port).fail('cut');
    await members.primary(port);
    members.link(port).restore();
  },
  async 'packets to and from the primary are lost until another replaces it'({ members }) {
    const port = await members.primary();
    members.link(port).fail('silent');
    await members.primary(port);
    members.link(port).restore();
  },
  async 'the connection is closed at the next ten commits'({ members }) {
    const data = { appName: 'secrets-gateway', failCommands: ['commitTransaction'], closeConnection: true };
    const port = await members.primary();
    await members.admin(port, { configureFailPoint: 'failCommand', mode: { times: 10 }, data });
  },
  async 'the primary confirms no write for a while'({ members }) {
    // The members that copy from it are stopped, so that there is no majority.
    const ports = await secondaries(members);
    for (const port of ports) members.signal(port, 'SIGSTOP');
    await setTimeout(500 + 500 * Math.random());
    for (const port of ports) members.signal(port, 'SIGCONT');
  },
};

export const mongodbKinds: readonly string[] = Object.keys(faults);

async function stepDown(members: Members, port: number): Promise<void> {
  // The server may close the connection before it answers.
  await members.admin(port, { replSetStepDown: 5, force: true }).catch(() => {});
}

async function secondaries(members: Members): Promise<number[]> {
  const primary = await members.primary();
  return members.ports.filter((port) => port !== primary);
}

/** Two gateways on a replica set of three members. */
export class MongodbWay implements Way {
  readonly kinds = mongodbKinds;
  readonly #members: Members;
  readonly #commandLine: CommandLine;
  #gateways: readonly RunningGateway[] = [];

  private constructor(members: Members, commandLine: CommandLine) {
    this.#members = members;
    this.#commandLine = commandLine;
  }

  static async open(): Promise<MongodbWay> {
    const way = new MongodbWay(await Members.start(3), await CommandLine.open());
    await way.#serve();
    return way;
  }

  get #databaseUrl(): string {
    return withDatabase(this.#members.uri, 'faults');
  }

  async #serve(): Promise<void> {
    const env = { DATABASE_URL: this.#databaseUrl, RATE_LIMIT: 'off', LOG_LEVEL: 'error' };
    // One after the other: the first makes the keyring of both.
    const first = await this.#commandLine.serve(env, [injectedFaults]);
    this.#gateways = [first, await this.#commandLine.serve(env, [injectedFaults])];
  }

  async inject(kind: string): Promise<Round> {
    await this.#members.settled();
    const clients = clientsOf(this.#gateways);
    const load = new WriteLoad({ runs: clients.map(({ run }) => run), team });
    load.start();
    await load.until(({ acknowledged }) => acknowledged >= 40);
    await faults[kind]?.({ members: this.#members, gateways: this.#gateways });
    await this.#members.primary();
    const parts = await Promise.all(this.#gateways.map((gateway) => stuckPart(gateway, team)));
    const stuck = parts.flat();
    // What comes after the fault is written by the same gateways. Without a gateway that answers there would be no end.
    const last = load.acknowledged + 40;
    if (stuck.length === 0) await load.until(({ acknowledged }) => acknowledged >= last);
    await load.stop();
    for (const client of clients) client.close();
    if (stuck.length > 0) await this.#restart();
    const store = await openStore(this.#databaseUrl);
    try {
      return { ...(await load.findings(store, await keyringIn(this.#commandLine.directory))), stuck };
    } finally {
      await store.close();
    }
  }

  /** So that the next fault meets gateways that work. */
  async #restart(): Promise<void> {
    await Promise.all(this.#gateways.map((gateway) => gateway.stop('SIGKILL')));
    await this.#serve();
  }

  async close(): Promise<void> {
    await this.#commandLine.close();
    await this.#members.close();
  }
}
