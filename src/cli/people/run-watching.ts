import { setTimeout } from 'node:timers/promises';
import type { FollowOptions, SecretChange } from '../../client/change-operations.ts';
import { isGatewayError } from '../../client/gateway-error.ts';
import { temporaryCodes } from '../../client/temporary-codes.ts';
import { isTransportError } from '../../client/transport-error.ts';
import { printable } from '../printable.ts';
import { clientFailure } from './client-failure.ts';
import type { ExecValues } from './exec-values.ts';
import type { RunningChild } from './run-child.ts';

export interface Watching {
  /** The changes to the owner's secrets, as they happen. */
  readonly follow: (options: FollowOptions) => AsyncIterable<SecretChange>;
  /** The names of the secrets that count; null: all. */
  readonly names: ReadonlySet<string> | null;
  /** The values as they are now. */
  readonly values: () => Promise<ExecValues>;
  readonly start: (variables: ExecValues['variables']) => RunningChild;
  /** How many signals have come so far that ask this process to end. */
  readonly endings: () => number;
  /** Whether one of them was SIGTERM. */
  readonly isTerminated: () => boolean;
  readonly tell: (text: string) => void;
  /** Before the values are read again: at most so long, at random, so that programs which share a secret do not all start at once. */
  readonly jitterMs: number;
  /** How long a program may take to end. */
  readonly graceMs?: number;
  readonly random?: () => number;
  readonly sleep?: (ms: number, signal: AbortSignal) => Promise<void>;
}

const graceMs = 10_000;
const [firstRetryMs, longestRetryMs] = [2000, 60_000];
const sleepFor = (ms: number, signal: AbortSignal) => setTimeout(ms, undefined, { signal });

/**
 * Runs a program with values in its environment, and starts it anew when one of them changes, until it ends by itself.
 * @returns its exit code
 * @throws what stands in the way of the first start
 */
export function runWatching(watching: Watching): Promise<number> {
  return new WatchedRun(watching).run();
}

class WatchedRun {
  readonly #watching: Required<Watching>;
  readonly #over = new AbortController();
  #values: ExecValues | null = null;
  #isChanged = false;
  #onChange: () => void = () => {};

  constructor(watching: Watching) {
    this.#watching = { graceMs, random: Math.random, sleep: sleepFor, ...watching };
  }

  async run(): Promise<number> {
    try {
      // Before the values are read: what changes in between is told.
      await this.#follow();
      let values = await this.#watching.values();
      this.#values = values;
      for (;;) {
        const child = this.#watching.start(values.variables);
        const next = await this.#nextFor(child, values);
        if (typeof next === 'number') return next;
        const before = this.#watching.endings();
        const code = await this.#stop(child);
        // Who wants this process to end does not want the program to start again.
        if (this.#watching.endings() > before) return code;
        values = next;
      }
    } finally {
      this.#over.abort();
    }
  }

  /** Resolves when the gateway has begun to tell. */
  #follow(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    let isOpen = false;
    const onOpen: FollowOptions['onOpen'] = ({ resumed }) => {
      // What happened since the connection was lost is not told.
      if (isOpen && !resumed) this.#change();
      isOpen = true;
      resolve();
    };
    const follow = async () => {
      for await (const change of this.#watching.follow({ onOpen, signal: this.#over.signal })) {
        if (this.#concerns(change)) this.#change();
      }
    };
    follow().catch((error: unknown) => {
      reject(error);
      if (!isOpen || this.#over.signal.aborted) return;
      this.#watching.tell(`Changes are not watched any more. ${this.#reason(error)} The program goes on.`);
    });
    return promise;
  }

  /** A secret of these names, also one that is new or was renamed, or one that the program has. */
  #concerns({ secretId, secret }: SecretChange): boolean {
    const { names } = this.#watching;
    if (!names || !this.#values) return true;
    return this.#values.ids.has(secretId) || (secret !== null && names.has(secret.name));
  }

  #change(): void {
    this.#isChanged = true;
    this.#onChange();
  }

  #changed(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onChange = resolve;
    if (this.#isChanged) resolve();
    return promise;
  }

  /** The exit code of the program, or the values that it is to have when they are others. */
  async #nextFor(child: RunningChild, current: ExecValues): Promise<number | ExecValues> {
    for (;;) {
      const code = await Promise.race([child.ended, this.#changed()]);
      if (code !== undefined) return code;
      const next = await this.#valuesAfterChange(child);
      if (typeof next === 'number') return next;
      if (!next) continue;
      this.#values = next;
      const names = differing(current.variables, next.variables);
      if (names.length === 0) continue;
      // It is on its way to its end.
      if (this.#watching.isTerminated()) return child.ended;
      this.#watching.tell(`Changed: ${names.map(printable).join(', ')}. The program starts anew.`);
      return next;
    }
  }

  /** Null where they cannot be had until something changes again. */
  async #valuesAfterChange(child: RunningChild): Promise<number | ExecValues | null> {
    const { jitterMs, random, values, tell } = this.#watching;
    for (let attempt = 0; ; attempt += 1) {
      const retryMs = Math.min(firstRetryMs * 2 ** (attempt - 1), longestRetryMs);
      const code = await this.#endsWithin(child, random() * (attempt === 0 ? jitterMs : retryMs));
      if (code !== undefined) return code;
      // One answer for all changes so far. What changes while it is read comes next.
      this.#isChanged = false;
      try {
        return await values();
      } catch (error) {
        const isTemporary = isTransportError(error) || isGatewayError(error, ...temporaryCodes);
        if (attempt === 0 || !isTemporary) {
          const what = isTemporary ? 'The gateway is asked again.' : 'It starts anew when they change again.';
          tell(`The program goes on with the values that it has. ${this.#reason(error)} ${what}`);
        }
        if (!isTemporary) return null;
      }
    }
  }

  /** Asks it to end, and ends it where it does not. */
  async #stop(child: RunningChild): Promise<number> {
    child.kill('SIGTERM');
    const code = await this.#endsWithin(child, this.#watching.graceMs);
    if (code !== undefined) return code;
    child.kill('SIGKILL');
    return child.ended;
  }

  async #endsWithin(child: RunningChild, ms: number): Promise<number | undefined> {
    const waiting = new AbortController();
    const slept = this.#watching.sleep(ms, waiting.signal).then(
      () => undefined,
      () => undefined,
    );
    try {
      return await Promise.race([child.ended, slept]);
    } finally {
      waiting.abort();
    }
  }

  #reason(error: unknown): string {
    const failure = clientFailure(error);
    if (failure instanceof Error) return failure.message.replace(' Nothing was started.', '');
    return 'The reason is not known.';
  }
}

/** The variables that one of them does not have, or that have another value. */
function differing(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): string[] {
  const names = new Set([...before.keys(), ...after.keys()]);
  return [...names].filter((name) => before.get(name) !== after.get(name));
}
