import { setTimeout } from 'node:timers/promises';
import type { Keyring } from '../../src/crypto/keyring.ts';
import { ownerKey } from '../../src/model/owner.ts';
import type { Store } from '../../src/store/store.ts';
import { breakOf, chain } from '../contract/fixtures.ts';
import { type LoadAnswer, NoAnswer, type Run } from './load-client.ts';
import { untypedPart } from './typed-error.ts';

export interface Findings {
  /** Acknowledged writes. */
  readonly made: number;
  readonly refused: number;
  /** Writes that timed out, or got no answer. */
  readonly unknown: number;
  /** Answered reads. */
  readonly read: number;
  /** Reads that did not show what had been acknowledged before them. */
  readonly stale: number;
  /** Acknowledged, and not there. */
  readonly lost: readonly string[];
  /** Made more than once, or though it was refused. */
  readonly doubled: readonly string[];
  /** A secret, its events, its owner's count or the chain of the owner that do not belong together. */
  readonly halfWritten: readonly string[];
  /** Answers that are neither a success nor one of the errors that a client is promised, and requests without an answer. */
  readonly untyped: readonly string[];
}

export interface LoadOptions {
  /** How its clients reach the gateways: each uses one of these, the next client the next one. */
  readonly runs: readonly Run[];
  readonly team?: string;
  readonly owners?: number;
  /** Which requests may get no answer. None by default. */
  readonly mayBeCutOff?: (error: NoAnswer) => boolean;
}

const create = `mutation ($input: CreateSecretInput!) { createSecret(input: $input) { secret { id } } }`;
const update = `mutation ($input: UpdateSecretInput!) { updateSecret(input: $input) { secret { version } } }`;
const read = `query ($id: String!, $owner: OwnerInput!) { secrets(owner: $owner, filter: { name: $id }) { nodes { version } } }`;

const maxAttempts = 3;
/** How long a client waits after a failure. Less than Retry-After says, so that more requests meet the fault. */
const pauseMs = 20;

/** taken: what an earlier attempt made · unsent: nobody was there to take it */
type Outcome = 'made' | 'refused' | 'unknown' | 'taken' | 'unsent';

const notMade: readonly Outcome[] = ['refused', 'unsent'];

interface Told {
  readonly owner: object;
  readonly creates: Outcome[];
  readonly updates: Outcome[];
}

/** Clients that create, update and read secrets of several owners, and remember what they were told of each. */
export class WriteLoad {
  readonly #runs: readonly Run[];
  readonly #mayBeCutOff: (error: NoAnswer) => boolean;
  readonly team: string;
  readonly connectors: readonly string[];
  readonly untyped: string[] = [];
  /** By id: what was answered to each attempt to create it, and to each update. */
  readonly #told = new Map<string, Told>();
  #isRunning = false;
  #clients: Promise<void>[] = [];
  #stale = 0;
  #read = 0;
  readonly #waiting = new Set<() => void>();
  acknowledged = 0;
  refused = 0;
  unknown = 0;

  constructor({ runs, owners = 4, team = 'red', mayBeCutOff = () => false }: LoadOptions) {
    this.team = team;
    this.#runs = runs;
    this.#mayBeCutOff = mayBeCutOff;
    this.connectors = Array.from({ length: owners }, () => `connector-${crypto.randomUUID()}`);
  }

  start(writers = 8, readers = 2): void {
    this.#isRunning = true;
    const run = (index: number) => this.#runs[index % this.#runs.length] as Run;
    this.#clients = [
      // Two writers side by side share an owner, which is so written through more than one gateway.
      ...Array.from({ length: writers }, (_, index) => this.#write(run(index), Math.floor(index / 2))),
      ...Array.from({ length: readers }, (_, index) => this.#readAll(run(writers + index))),
    ];
  }

  async stop(): Promise<void> {
    this.#isRunning = false;
    await Promise.all(this.#clients);
  }

  /** Resolves when the load has this state; it is looked at after each answer. */
  until(state: (load: WriteLoad) => boolean): Promise<void> {
    if (state(this)) return Promise.resolve();
    return new Promise((resolve) => {
      const look = () => {
        if (!state(this)) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
    });
  }

  async #write(run: Run, place: number): Promise<void> {
    const owner = { teamId: this.team, connectorId: this.connectors[place % this.connectors.length] };
    while (this.#isRunning) {
      const id = crypto.randomUUID();
      const told: Told = { owner, creates: [], updates: [] };
      this.#told.set(id, told);
      const input = { id, owner, name: id, value: 'a value of some length' };
      // Again, as a client does that was told to come back, or that does not know.
      while (this.#isRunning && told.creates.length < maxAttempts && !told.creates.includes('made')) {
        told.creates.push(await this.#outcomeOf(run, create, { input }, told.creates.length > 0));
        if (told.creates.at(-1) === 'taken') break;
      }
      for (let change = 1; change <= 2 && told.creates.at(-1) === 'made' && this.#isRunning; change += 1) {
        told.updates.push(await this.#outcomeOf(run, update, { input: { id, notes: `change ${change}` } }));
      }
    }
  }

  async #readAll(run: Run): Promise<void> {
    while (this.#isRunning) {
      const known = [...this.#told].filter(([, { creates }]) => creates.includes('made')).slice(-20);
      const [id, told] = known[Math.floor(Math.random() * known.length)] ?? [];
      if (id === undefined || !told) {
        await setTimeout(pauseMs);
        continue;
      }
      const version = 1 + told.updates.filter((outcome) => outcome === 'made').length;
      const answer = await this.#ask(run, read, { id, owner: told.owner });
      if (answer instanceof NoAnswer) continue;
      if (answer.status === 200 && answer.errors.length === 0) {
        this.#read += 1;
        if (!(answer.data.secrets.nodes[0]?.version >= version)) this.#stale += 1;
        await setTimeout(pauseMs / 4);
      } else this.#note(untypedPart(answer));
    }
  }

  async #ask(run: Run, query: string, variables: Record<string, unknown>): Promise<LoadAnswer | NoAnswer> {
    const answer = await run(query, variables).catch((error: unknown) => {
      if (error instanceof NoAnswer) return error;
      throw error;
    });
    if (answer instanceof NoAnswer && !this.#mayBeCutOff(answer)) this.#note(`no answer, ${answer.message}`);
    if (answer instanceof NoAnswer || answer.status !== 200) await setTimeout(pauseMs);
    return answer;
  }

  async #outcomeOf(run: Run, query: string, variables: Record<string, unknown>, isAgain = false): Promise<Outcome> {
    const answer = await this.#ask(run, query, variables);
    const outcome = this.#judge(answer, isAgain);
    if (outcome === 'made') this.acknowledged += 1;
    if (outcome === 'refused') this.refused += 1;
    if (outcome === 'unknown') this.unknown += 1;
    for (const look of this.#waiting) look();
    return outcome;
  }

  #judge(answer: LoadAnswer | NoAnswer, isAgain: boolean): Outcome {
    if (answer instanceof NoAnswer) return answer.code === 'ECONNREFUSED' ? 'unsent' : 'unknown';
    const { status, errors } = answer;
    if (status === 200 && errors.length === 0) return 'made';
    const code = errors[0]?.extensions?.code;
    // What an earlier attempt made. Whether one can have made it is looked at in the end.
    if (isAgain && code === 'CONFLICT_ERROR') return 'taken';
    this.#note(untypedPart(answer));
    return code === 'SERVICE_UNAVAILABLE' ? 'refused' : 'unknown';
  }

  #note(untyped: string | null): void {
    if (untyped !== null) this.untyped.push(untyped);
  }

  /** Compares what the clients were told with what the store holds. */
  async findings(store: Store, keyring: Keyring): Promise<Findings> {
    const lost: string[] = [];
    const doubled: string[] = [];
    const halfWritten: string[] = [];
    const events = { created: new Map<string, number>(), updated: new Map<string, number>() };
    for (const connectorId of this.connectors) {
      const owner = { type: 'connector', teamId: this.team, connectorId } as const;
      const audit = await chain(store, owner);
      if (breakOf(audit, owner, keyring) !== null) halfWritten.push(`the chain of ${ownerKey(owner)}`);
      for (const { type, secretId } of audit) {
        if (secretId === undefined) continue;
        const counts = type === 'secret.created' ? events.created : events.updated;
        counts.set(secretId, (counts.get(secretId) ?? 0) + 1);
      }
      const { totalCount } = await store.list({ owner, filter: {}, from: 'start', limit: 0, count: true });
      const ofOwner = new Set(audit.map(({ secretId }) => secretId));
      if (totalCount !== ofOwner.size) halfWritten.push(`the count of ${ownerKey(owner)}`);
    }
    for (const [id, { creates, updates }] of this.#told) {
      const secret = await store.find(id);
      const [created, updated] = [events.created.get(id) ?? 0, events.updated.get(id) ?? 0];
      const isTold = creates.includes('made') || creates.includes('taken');
      const mayBeThere = creates.includes('made') || creates.includes('unknown');
      const acknowledged = updates.filter((outcome) => outcome === 'made').length;
      const possible = updates.filter((outcome) => !notMade.includes(outcome)).length;
      if (isTold && !secret) lost.push(`${id}: create`);
      if (updated < acknowledged) lost.push(`${id}: update`);
      if (created > (mayBeThere ? 1 : 0)) doubled.push(`${id}: create`);
      if (updated > possible) doubled.push(`${id}: update`);
      if ((secret !== undefined) !== created > 0) halfWritten.push(`${id}: create`);
      if (secret && secret.version !== updated + 1) halfWritten.push(`${id}: update`);
    }
    const { acknowledged: made, refused, unknown, untyped } = this;
    return { made, refused, unknown, read: this.#read, stale: this.#stale, lost, doubled, halfWritten, untyped };
  }
}

export const nothingFound = { lost: [], doubled: [], halfWritten: [], untyped: [] };
