import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { mask } from '../../src/secrets/mask.ts';

/** A change of one of few secrets, so that many are refused. */
export const changes = fc.record({
  type: fc.constantFrom(
    'create',
    'create',
    'value',
    'value',
    'value',
    'name',
    'rollback',
    'rollback',
    'delete',
    'restore',
    'restore',
    'purge',
  ),
  secret: fc.nat(2),
  name: fc.constantFrom('FIRST', 'SECOND', 'THIRD'),
  /** How many versions back. */
  back: fc.nat(12),
  /** Whether a value that is set has a destination. */
  goes: fc.boolean(),
  /** Whether to expect a version, and by how much it is off. */
  expected: fc.constantFrom(undefined, undefined, undefined, 0, 0, 1),
});

export type Change = typeof changes extends fc.Arbitrary<infer T> ? T : never;

type Verdict = 'NOT_FOUND' | 'CONFLICT_ERROR' | null;

interface Modelled {
  readonly id: string;
  name: string;
  version: number;
  /** By the versions in which they were set, the oldest first. */
  values: Map<number, Value>;
  deleted: boolean;
}

/** With where it may be sent; null: nowhere. */
interface Value {
  readonly text: string;
  readonly origin: string | null;
}

interface Mutation {
  readonly field: string;
  readonly input: Record<string, unknown>;
}

const keptValues = 10;

/** What one user's secrets are after random changes, in memory. */
export class History {
  readonly #ids = Array.from({ length: 3 }, () => randomUUID() as string);
  readonly #secrets = new Map<string, Modelled>();
  readonly #events: { type: string; secretId: string; secretName: string; version: number | null }[] = [];
  readonly #used = new Set<string>();
  #made = 0;

  /** @returns the mutation, and why it must be refused */
  make(change: Change): Mutation & { readonly verdict: Verdict } {
    const id = this.#ids[change.secret] ?? '';
    this.#made += 1;
    switch (change.type) {
      case 'create':
        return this.#create(id, change);
      case 'value':
      case 'name':
        return this.#update(id, change);
      case 'rollback':
        return this.#rollBack(id, change);
      case 'delete':
        return this.#delete(id, change);
      case 'restore':
        return this.#restore(id);
      case 'purge':
        return this.#purge(id);
    }
  }

  ids(): string[] {
    return this.#ids;
  }

  /** What opens, by id. */
  values(): Map<string, string> {
    return new Map(this.#live().map(({ id, values }) => [id, latest(values).text]));
  }

  state() {
    const live = this.#live();
    const deleted = [...this.#secrets.values()].filter((one) => one.deleted).toSorted(byId);
    const seen = ({ id, name, version, values }: Modelled) => ({
      id,
      name,
      version,
      maskedValue: mask(latest(values).text),
      ...placeOf(latest(values)),
    });
    return {
      secrets: {
        totalCount: live.length,
        nodes: live.map((one) => ({
          ...seen(one),
          versions: [...one.values]
            .map(([version, value], index) => ({
              version,
              maskedValue: mask(value.text),
              ...placeOf(value),
              current: index === one.values.size - 1,
            }))
            .reverse(),
        })),
      },
      deletedSecrets: { totalCount: deleted.length, nodes: deleted.map(seen) },
      auditEvents: { nodes: this.#events },
    };
  }

  #create(id: string, { name, goes }: Change) {
    const value = this.#newValue(goes);
    const input = { id, name, provider: 'aws', ...inputOf(value) };
    const verdict: Verdict = this.#used.has(id) || this.#isTaken(name) ? 'CONFLICT_ERROR' : null;
    if (!verdict) {
      this.#used.add(id);
      const secret = { id, name, version: 1, values: new Map([[1, value]]), deleted: false };
      this.#secrets.set(id, secret);
      this.#record('secret.created', secret);
    }
    return { field: 'createSecret', input, verdict };
  }

  #update(id: string, { type, name, expected, goes }: Change) {
    const secret = this.#liveOf(id);
    const value = this.#newValue(goes);
    const input = { id, ...(type === 'value' ? inputOf(value) : { name }), ...expectedVersion(secret, expected) };
    const renamed = type === 'name' && secret?.name !== name;
    let verdict: Verdict = refusal(secret, expected);
    if (secret && !verdict && renamed && this.#isTaken(name)) verdict = 'CONFLICT_ERROR';
    if (secret && !verdict && (type === 'value' || renamed)) {
      secret.version += 1;
      if (type === 'value') set(secret, value);
      else secret.name = name;
      this.#record('secret.updated', secret);
    }
    return { field: 'updateSecret', input, verdict };
  }

  #rollBack(id: string, { back, expected }: Change) {
    const secret = this.#liveOf(id);
    const toVersion = (secret?.version ?? 1) - back;
    const input = { id, toVersion, ...expectedVersion(secret, expected) };
    let verdict = refusal(secret, expected);
    const value = secret?.values.get(toVersion);
    if (secret && !verdict && value === undefined) verdict = 'NOT_FOUND';
    const isCurrent = toVersion === [...(secret?.values.keys() ?? [])].at(-1);
    if (secret && !verdict && value !== undefined && !isCurrent) {
      secret.version += 1;
      set(secret, value);
      this.#record('secret.rolledBack', secret);
    }
    return { field: 'rollbackSecret', input, verdict };
  }

  #delete(id: string, { expected }: Change) {
    const secret = this.#liveOf(id);
    const input = { id, ...expectedVersion(secret, expected) };
    const verdict = refusal(secret, expected);
    if (secret && !verdict) {
      secret.deleted = true;
      this.#record('secret.deleted', secret);
    }
    return { field: 'deleteSecret', input, verdict };
  }

  #restore(id: string) {
    const secret = this.#secrets.get(id);
    let verdict: Verdict = secret?.deleted ? null : 'NOT_FOUND';
    if (secret && !verdict && this.#isTaken(secret.name)) verdict = 'CONFLICT_ERROR';
    if (secret && !verdict) {
      secret.deleted = false;
      secret.version += 1;
      this.#record('secret.restored', secret);
    }
    return { field: 'restoreSecret', input: { id }, verdict };
  }

  #purge(id: string) {
    const secret = this.#secrets.get(id);
    const verdict: Verdict = secret ? null : 'NOT_FOUND';
    if (secret) {
      this.#secrets.delete(id);
      this.#record('secret.purged', secret);
    }
    return { field: 'purgeSecret', input: { id }, verdict };
  }

  #live(): Modelled[] {
    return [...this.#secrets.values()].filter(({ deleted }) => !deleted).toSorted(byName);
  }

  #liveOf(id: string): Modelled | undefined {
    const secret = this.#secrets.get(id);
    return secret?.deleted ? undefined : secret;
  }

  #isTaken(name: string): boolean {
    return this.#live().some((secret) => secret.name === name);
  }

  /** Its mask is like no other's. */
  #newValue(goes: boolean): Value {
    const text = `${String(this.#made).padStart(6, '0')}-a-value-of-a-history-${'x'.repeat(16)}`;
    return { text, origin: goes ? `https://of-${this.#made}.example` : null };
  }

  #record(type: string, { id, name, version }: Modelled): void {
    this.#events.push({ type, secretId: id, secretName: name, version });
  }
}

export function byId(one: { readonly id: string }, other: { readonly id: string }): number {
  return one.id < other.id ? -1 : 1;
}

function byName(one: Modelled, other: Modelled): number {
  return one.name < other.name ? -1 : 1;
}

function latest(values: Modelled['values']): Value {
  return [...values.values()].at(-1) ?? { text: '', origin: null };
}

/** As a query shows it. */
function placeOf({ origin }: Value) {
  return { destination: origin === null ? null : { origin } };
}

function inputOf({ text, origin }: Value) {
  return { value: text, destination: origin === null ? null : { origin } };
}

function set(secret: Modelled, value: Value): void {
  secret.values.set(secret.version, value);
  const [oldest] = secret.values.keys();
  if (secret.values.size > keptValues && oldest !== undefined) secret.values.delete(oldest);
}

function expectedVersion(secret: Modelled | undefined, off: number | undefined) {
  return off === undefined ? {} : { expectedVersion: (secret?.version ?? 1) + off };
}

function refusal(secret: Modelled | undefined, off: number | undefined): Verdict {
  if (!secret) return 'NOT_FOUND';
  return off ? 'CONFLICT_ERROR' : null;
}
