import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { openStore } from '../../../src/store/open-store.ts';
import { CommandLine, injectedFaults, type RunningGateway } from '../../support/command-line.ts';
import type { NoAnswer } from '../../support/load-client.ts';
import { Members } from '../../support/members.ts';
import { withDatabase } from '../../support/mongod.ts';
import { WriteLoad } from '../../support/write-load.ts';
import { clientsOf, keyringIn, type Round, stuckPart, type Way } from './way.ts';

const team = 'demo';
/** The whole end may take 10 s. */
const endMs = 12_000;

interface Kind {
  readonly store: 'sqlite' | 'mongodb';
  /** Happens just before the gateway is told to end. */
  readonly fault?: (gateway: RunningGateway) => Promise<unknown>;
  /** Whether no reply comes from the database from then on. */
  readonly isSilent?: true;
}

const kinds: Readonly<Record<string, Kind>> = {
  'SIGTERM, on SQLite': { store: 'sqlite' },
  'SIGTERM, on MongoDB': { store: 'mongodb' },
  'SIGTERM, on MongoDB whose connections are cut': {
    store: 'mongodb',
    fault: (gateway) => gateway.ask('cut the links'),
  },
  'SIGTERM, on MongoDB that does not answer any more': { store: 'mongodb', isSilent: true },
};

export const sigtermKinds: readonly string[] = Object.keys(kinds);

/** Gateways that are told to end while they are written to, and started again. */
export class SigtermWay implements Way {
  readonly kinds = sigtermKinds;
  readonly #members: Members;
  readonly #commandLines: Readonly<Record<Kind['store'], CommandLine>>;

  private constructor(members: Members, commandLines: Record<Kind['store'], CommandLine>) {
    this.#members = members;
    this.#commandLines = commandLines;
  }

  static async open(): Promise<SigtermWay> {
    const members = await Members.start(1);
    return new SigtermWay(members, { sqlite: await CommandLine.open(), mongodb: await CommandLine.open() });
  }

  async inject(kind: string): Promise<Round> {
    const { store: storeName, fault, isSilent } = kinds[kind] as Kind;
    const commandLine = this.#commandLines[storeName];
    const databaseUrl = {
      sqlite: `sqlite:${join(commandLine.directory, 'secrets.db')}`,
      mongodb: withDatabase(this.#members.uri, 'sigterm'),
    }[storeName];
    const env = { DATABASE_URL: databaseUrl, RATE_LIMIT: 'off', LOG_LEVEL: 'error' };
    const gateway = await commandLine.serve(env, [injectedFaults]);
    const clients = clientsOf([gateway], 20);
    const stuck = await stuckPart(gateway, team);
    const load = new WriteLoad({ runs: clients.map(({ run }) => run), team, mayBeCutOff });
    load.start(16, 4);
    const last = randomInt(20, 200);
    if (stuck.length === 0) await load.until(({ acknowledged }) => acknowledged >= last);
    await fault?.(gateway);
    const link = this.#members.link(this.#members.ports[0] ?? 0);
    if (isSilent) link.fail('silent');
    stuck.push(...(await endedPart(gateway)));
    if (isSilent) link.restore();
    await load.stop();
    for (const client of clients) client.close();
    const store = await openStore(databaseUrl);
    try {
      return { ...(await load.findings(store, await keyringIn(commandLine.directory))), stuck };
    } finally {
      await store.close();
    }
  }

  async close(): Promise<void> {
    await Promise.all(Object.values(this.#commandLines).map((commandLine) => commandLine.close()));
    await this.#members.close();
  }
}

/** Once the port is closed. A connection that the system took meanwhile, and the gateway did not, is reset. */
function mayBeCutOff({ isKept, code }: NoAnswer): boolean {
  return code === 'ECONNREFUSED' || (!isKept && code === 'ECONNRESET');
}

async function endedPart(gateway: RunningGateway): Promise<string[]> {
  const exit = gateway.stop('SIGTERM');
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), endMs);
  });
  const ended = await Promise.race([exit, late]);
  clearTimeout(timer);
  if (ended?.code === 0) return [];
  if (ended) return [`ended with ${ended.code}`];
  await gateway.stop('SIGKILL');
  return ['did not end'];
}
