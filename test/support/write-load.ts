import type { Keyring } from '../../src/crypto/keyring.ts';
import { ownerKey } from '../../src/model/owner.ts';
import type { Store } from '../../src/store/store.ts';
import { breakOf, chain } from '../contract/fixtures.ts';
import type { GraphQLAnswer } from './gateway.ts';

type Run = (query: string, variables: Record<string, unknown>) => Promise<GraphQLAnswer>;

export interface Findings {
  readonly made: number;
  /** Acknowledged, and not there. */
  readonly lost: readonly string[];
  /** Made more than once, or though it was refused. */
  readonly doubled: readonly string[];
  /** A secret, its events, its owner's count or the chain of the owner that do not belong together. */
  readonly halfWritten: readonly string[];
  /** Answers that are neither a success nor one of the errors that a client is promised. */
  readonly untyped: readonly string[];
}

const create = `mutation ($input: CreateSecretInput!) { createSecret(input: $input) { secret { id } } }`;
const update = `mutation ($input: UpdateSecretInput!) { updateSecret(input: $input) { secret { version } } }`;
const promised = new Set(['SERVICE_UNAVAILABLE', 'GATEWAY_TIMEOUT']);

/** Writers that create and update secrets of several owners, and remember what they were told of each. */
export class WriteLoad {
  readonly #run: Run;
  readonly team: string;
  readonly connectors: readonly string[];
  readonly untyped: string[] = [];
  /** By id: whether the create was acknowledged, refused, or of unknown outcome, and the same of its updates. */
  readonly #told = new Map<string, { created: Outcome; updates: Map<number, Outcome> }>();
  #isRunning = false;
  #writers: Promise<void>[] = [];
  acknowledged = 0;
  /** Called with each acknowledged write. */
  onAcknowledged: () => void = () => {};

  constructor(run: Run, owners = 4, team = 'red') {
    this.team = team;
    this.#run = run;
    this.connectors = Array.from({ length: owners }, () => `connector-${crypto.randomUUID()}`);
  }

  start(writers = 8): void {
    this.#isRunning = true;
    this.#writers = Array.from({ length: writers }, (_, index) => this.#write(index));
  }

  async stop(): Promise<void> {
    this.#isRunning = false;
    await Promise.all(this.#writers);
  }

  async #write(writer: number): Promise<void> {
    const connectorId = this.connectors[writer % this.connectors.length];
    while (this.#isRunning) {
      const id = crypto.randomUUID();
      const told = { created: 'unknown' as Outcome, updates: new Map<number, Outcome>() };
      this.#told.set(id, told);
      const owner = { teamId: this.team, connectorId };
      told.created = await this.#outcomeOf(create, { input: { id, owner, name: id, value: 'a value of some length' } });
      for (let change = 1; change <= 2 && told.created === 'made' && this.#isRunning; change += 1) {
        told.updates.set(change, await this.#outcomeOf(update, { input: { id, notes: `change ${change}` } }));
      }
    }
  }

  async #outcomeOf(query: string, variables: Record<string, unknown>): Promise<Outcome> {
    let answer: GraphQLAnswer;
    try {
      answer = await this.#run(query, variables);
    } catch {
      // The gateway ended. Where it must not end, the test itself asks it afterwards.
      return 'unknown';
    }
    const [error] = answer.errors;
    if (answer.status === 200 && !error) {
      this.acknowledged += 1;
      this.onAcknowledged();
      return 'made';
    }
    const code = error?.extensions.code ?? 'none';
    if (!promised.has(code)) this.untyped.push(`${answer.status} ${code}: ${answer.text.slice(0, 200)}`);
    return code === 'SERVICE_UNAVAILABLE' ? 'refused' : 'unknown';
  }

  /** Compares what the writers were told with what the store holds. */
  async findings(store: Store, keyring: Keyring): Promise<Findings> {
    const lost: string[] = [];
    const doubled: string[] = [];
    const halfWritten: string[] = [];
    const created = new Map<string, number>();
    const updated = new Map<string, number>();
    for (const connectorId of this.connectors) {
      const owner = { type: 'connector', teamId: this.team, connectorId } as const;
      const events = await chain(store, owner);
      if (breakOf(events, owner, keyring) !== null) halfWritten.push(`the chain of ${ownerKey(owner)}`);
      for (const { type, secretId } of events) {
        if (secretId === undefined) continue;
        const counts = type === 'secret.created' ? created : updated;
        counts.set(secretId, (counts.get(secretId) ?? 0) + 1);
      }
      const { totalCount } = await store.list({ owner, filter: {}, from: 'start', limit: 0, count: true });
      const ofOwner = new Set(events.map(({ secretId }) => secretId));
      if (totalCount !== ofOwner.size) halfWritten.push(`the count of ${ownerKey(owner)}`);
    }
    for (const [id, told] of this.#told) {
      const secret = await store.find(id);
      const changes = [...told.updates.values()];
      const acknowledged = changes.filter((outcome) => outcome === 'made').length;
      const possible = changes.filter((outcome) => outcome !== 'refused').length;
      const made = updated.get(id) ?? 0;
      if (told.created === 'made' && !secret) lost.push(`${id}: create`);
      if (made < acknowledged) lost.push(`${id}: update`);
      if ((created.get(id) ?? 0) > (told.created === 'refused' ? 0 : 1)) doubled.push(`${id}: create`);
      if (made > possible) doubled.push(`${id}: update`);
      if ((secret !== undefined) !== created.has(id)) halfWritten.push(`${id}: create`);
      if (secret && secret.version !== made + 1) halfWritten.push(`${id}: update`);
    }
    return { made: this.acknowledged, lost, doubled, halfWritten, untyped: this.untyped };
  }
}

type Outcome = 'made' | 'refused' | 'unknown';

export const nothingFound = { lost: [], doubled: [], halfWritten: [], untyped: [] };
