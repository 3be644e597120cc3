import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import type { RunningGateway } from '../../support/command-line.ts';
import { type Change, type Events, subscribe } from '../../support/events.ts';
import { createSecret, deleteSecret, updateSecret } from '../../support/graphql.ts';
import type { Members } from '../../support/members.ts';

export interface LiveOptions {
  /** On one store; each takes the token. */
  readonly gateways: readonly RunningGateway[];
  /** Of the store, where it is a replica set. */
  readonly members?: Members;
  readonly changes: number;
  /** How often the member that takes writes is killed meanwhile, and started again. */
  readonly kills: number;
  readonly onProgress?: (changes: number) => void;
}

/** What was told, and what was not as it must be. */
export interface LiveResult {
  readonly changes: number;
  readonly subscribers: number;
  readonly reconnects: number;
  /** Of a subscriber and an owner: empty when each change was told once, in order. */
  readonly wrong: readonly string[];
}

/** Those that the development token reaches. */
const owners = [{}, { teamId: 'demo' }, { teamId: 'demo', connectorId: 'crm' }];
type Owner = (typeof owners)[number];
const subscribersEach = 4;
const writersEach = 8;

/**
 * Changes the secrets of several owners through all gateways, while subscribers of each owner leave and come back at random, at
 * a random gateway, and members of the replica set are killed. Then compares what each was told with the audit chain.
 */
export async function followThroughFaults(options: LiveOptions): Promise<LiveResult> {
  const { gateways } = options;
  const chosen = () => gateways[Math.floor(Math.random() * gateways.length)] as RunningGateway;
  const subscribers = owners.flatMap((owner) =>
    Array.from({ length: subscribersEach }, () => new Subscriber(chosen, owner)),
  );
  await Promise.all(subscribers.map((one) => one.connect()));
  let made = 0;
  const onMade = () => {
    made += 1;
    options.onProgress?.(made);
  };
  const writing = Promise.all(
    owners.flatMap((owner, index) =>
      Array.from({ length: writersEach }, () =>
        new Writer(() => mostly(gateways, index), owner, onMade).make(
          Math.ceil(options.changes / owners.length / writersEach),
        ),
      ),
    ),
  );
  const following = subscribers.map((one) => one.follow());
  const killing = killMembers(options, () => made);
  await Promise.all([writing, killing]);
  const chains = new Map<Owner, string[]>();
  for (const owner of owners) chains.set(owner, await chainOf(chosen(), owner));
  for (const one of subscribers) one.endAfter(chains.get(one.owner) ?? []);
  await Promise.all(following);
  return {
    changes: [...chains.values()].reduce((sum, chain) => sum + chain.length, 0),
    subscribers: subscribers.length,
    reconnects: subscribers.reduce((sum, { reconnects }) => sum + reconnects, 0),
    wrong: subscribers.flatMap((one) => difference(one, chains.get(one.owner) ?? [])),
  };
}

/** Two gateways that write for one owner at the same time mostly wait for each other. */
function mostly(gateways: readonly RunningGateway[], index: number): RunningGateway {
  const other = Math.random() < 0.02 ? 1 : 0;
  return gateways[(index + other) % gateways.length] as RunningGateway;
}

async function killMembers({ members, kills, changes }: LiveOptions, made: () => number): Promise<void> {
  for (let kill = 1; members && kill <= kills; kill += 1) {
    while (made() < (changes * kill) / (kills + 1)) await setTimeout(20);
    const port = await members.primary();
    await members.kill(port);
    await members.primary(port);
    await members.restart(port);
    await members.settled();
  }
}

/** Makes changes one after the other, each until it is acknowledged: a retry with the same key changes nothing twice. */
class Writer {
  readonly #chosen: () => RunningGateway;
  readonly #owner: Owner;
  readonly #onMade: () => void;

  constructor(chosen: () => RunningGateway, owner: Owner, onMade: () => void) {
    this.#chosen = chosen;
    this.#owner = owner;
    this.#onMade = onMade;
  }

  async make(changes: number): Promise<void> {
    let id: string | null = null;
    for (let change = 0; change < changes; change += 1) {
      if (id === null) {
        id = randomUUID();
        const name = `S_${id.replaceAll('-', '')}`;
        const fields = { owner: this.#owner, provider: 'aws', value: `the value of ${id}` };
        await this.#send(createSecret(), { id, name, ...fields });
      } else if (change % 10 === 9) {
        await this.#send(deleteSecret, { id });
        id = null;
      } else await this.#send(updateSecret(), { id, notes: `change ${change}` });
    }
  }

  async #send(query: string, fields: object): Promise<void> {
    const input = { ...fields, idempotencyKey: randomUUID() };
    for (;;) {
      const { data, errors } = await this.#chosen().run(query, { input });
      if (data && !errors) break;
      const code = errors?.[0]?.extensions.code ?? '';
      // The first one may still run; the store may be away.
      if (!['SERVICE_UNAVAILABLE', 'GATEWAY_TIMEOUT', 'CONFLICT_ERROR'].includes(code)) {
        throw new Error(`a write was refused: ${JSON.stringify(errors)}`);
      }
      await setTimeout(50 + 100 * Math.random());
    }
    this.#onMade();
  }
}

const nameOf = ({ type, secretId, version }: Pick<Change, 'type' | 'secretId' | 'version'>) =>
  `${type} ${secretId} ${version}`;

/** Follows one owner, leaves at random, and comes back after the last change that it has. */
class Subscriber {
  readonly owner: Owner;
  readonly told: string[] = [];
  reconnects = 0;
  readonly #chosen: () => RunningGateway;
  #cursor: string | undefined;
  #events: Events | null = null;
  /** All there will be, once that is known. */
  #chain: readonly string[] | null = null;

  constructor(chosen: () => RunningGateway, owner: Owner) {
    this.#chosen = chosen;
    this.owner = owner;
  }

  async connect(): Promise<Events> {
    const { url, token } = this.#chosen();
    this.#events = await subscribe(url, { owner: this.owner, token, after: this.#cursor });
    return this.#events;
  }

  endAfter(chain: readonly string[]): void {
    this.#chain = chain;
    // It may wait for more than there will be.
    this.#events?.leave();
  }

  /** Whether it has the last change there is, or as many as there are: then what it has is compared. */
  #hasAll(more: readonly Change[] = []): boolean {
    if (!this.#chain) return false;
    const last = more.at(-1);
    const lastName = last ? nameOf(last) : this.told.at(-1);
    return this.told.length + more.length >= this.#chain.length || lastName === this.#chain.at(-1);
  }

  async follow(): Promise<void> {
    while (!this.#hasAll()) {
      const events = this.#events ?? (await this.connect());
      // Mostly soon: what goes wrong, goes wrong where one begins while others are followed.
      const most = 1 + Math.floor(Math.random() ** 3 * 100);
      // It leaves in the middle of whatever is under way, or is ended by the gateway.
      await events.until(() => events.changes.length >= most || this.#hasAll(events.changes)).catch(() => {});
      events.leave();
      for (const change of events.changes) {
        this.told.push(nameOf(change));
        this.#cursor = change.cursor;
      }
      this.#events = null;
      this.reconnects += 1;
      // It misses some of what happens, or nothing.
      if (Math.random() < 0.5) await setTimeout(300 * Math.random());
    }
  }
}

const types: Readonly<Record<string, string>> = {
  'secret.created': 'CREATED',
  'secret.updated': 'UPDATED',
  'secret.deleted': 'DELETED',
};

/** The changes of an owner as its audit chain has them. */
async function chainOf(gateway: RunningGateway, owner: Owner): Promise<string[]> {
  const query = `query ($owner: OwnerInput!, $after: String) { auditEvents(owner: $owner, first: 1000, after: $after) {
    nodes { type secretId version } pageInfo { hasNextPage endCursor } } }`;
  const chain: string[] = [];
  for (let after: string | null = null; ; ) {
    const { data, errors } = await gateway.run(query, { owner, after });
    if (errors) throw new Error(JSON.stringify(errors));
    const { nodes, pageInfo } = data.auditEvents;
    for (const { type, secretId, version } of nodes) {
      chain.push(nameOf({ type: types[type] ?? type, secretId, version }));
    }
    if (!pageInfo.hasNextPage) return chain;
    after = pageInfo.endCursor;
  }
}

function difference({ owner, told }: Subscriber, chain: readonly string[]): string[] {
  const at = chain.findIndex((change, index) => told[index] !== change);
  if (at < 0 && told.length === chain.length) return [];
  const where = at < 0 ? chain.length : at;
  return [
    `${JSON.stringify(owner)}: change ${where + 1} of ${chain.length} is ${chain[where]}, and was told as ${told[where]}`,
  ];
}
