import type { KeyObject } from 'node:crypto';
import type { JWTHeaderParameters } from 'jose';
import * as errors from 'jose/errors';
import { IssuerFault } from './issuer-fault.ts';
import { rejected } from './token-rejected.ts';
import { type KeysOfSet, keysOfSet, type UnusableKey, type UsableKey } from './usable-keys.ts';

export interface KeySetOptions {
  /** Where the set is, for faults. */
  readonly source: string;
  /** Fetches the keys of the JWK set. Its error is the callers' answer while there are no keys at all. */
  readonly load: () => Promise<readonly unknown[]>;
  /** Told of every load that failed, also while the old keys are still used. */
  readonly onFault?: (error: unknown) => void;
  /** Told of the keys that cannot be used, once for each change of them. */
  readonly onUnusable?: (keys: readonly UnusableKey[]) => void;
  /** Milliseconds on a clock that is never set back: a corrected time must not stop the reloads. */
  readonly now?: () => number;
}

const freshMs = 10 * 60_000;
/** How long keys are used while the issuer cannot be reached: long enough for an incident, short enough for a revocation. */
const staleMs = 60 * 60_000;
/** Keeps tokens with invented key ids from causing a flood of requests to the issuer. */
const cooldownMs = 30_000;
/** Between two attempts while there is no key at all. */
const emptyCooldownMs = 1000;
/** How many keys are tried for one token: its sender must not be able to make much work. */
const maxCandidates = 32;

interface Loaded extends KeysOfSet {
  readonly at: number;
}

/** The public keys that an issuer's tokens are verified with, kept up to date. */
export class KeySet {
  readonly #options: KeySetOptions;
  readonly #now: () => number;
  #loaded: Loaded | undefined;
  /** Of the last load. */
  #fault: unknown;
  #attemptedAt = Number.NEGATIVE_INFINITY;
  /** When a token last made it load the set. */
  #forcedAt = Number.NEGATIVE_INFINITY;
  #loading: Promise<void> | undefined;
  #generation = 0;
  #unusableTold = '[]';

  constructor(options: KeySetOptions) {
    this.#options = options;
    this.#now = options.now ?? performance.now.bind(performance);
  }

  /**
   * Verifies with each key that may have signed a token with this header, until one has. If none has, it loads the set
   * again, since the issuer may have published the key a moment ago.
   * @param verify rejects with jose's JWSSignatureVerificationFailed for a key that has not signed it
   * @throws DomainError UNAUTHORIZED, or an IssuerFault
   */
  async verify<T>(header: JWTHeaderParameters, verify: (key: KeyObject) => Promise<T>): Promise<T> {
    const before = await this.#keys();
    const tried = candidatesOf(before, header);
    const first = await firstVerified(tried, verify);
    if (first) return first.result;
    await this.#forceReload();
    const after = this.#current() ?? before;
    const fresh = candidatesOf(after, header).filter(({ text }) => tried.every((key) => key.text !== text));
    const second = await firstVerified(fresh, verify);
    if (second) return second.result;
    throw this.#noKey(after, header);
  }

  /** Increases when a key was removed or changed: tokens that were verified before must be verified again. */
  generation(): number {
    const found = this.#current();
    const mayTry = this.#now() - this.#attemptedAt >= cooldownMs;
    if (found && this.#now() - found.at > freshMs && mayTry) void this.#reload();
    return this.#generation;
  }

  /**
   * Looks after the set also when no token comes.
   * @throws IssuerFault when there are no keys to verify with
   */
  async check(): Promise<void> {
    this.generation();
    await this.#keys();
  }

  /** What was wrong with the last load, in a word. */
  get fault(): string | undefined {
    return this.#fault instanceof IssuerFault ? this.#fault.reason : undefined;
  }

  /** How many keys there are that can be used, and how many that cannot. */
  get counts(): { usable: number; unusable: number } {
    return { usable: this.#current()?.usable.length ?? 0, unusable: this.#loaded?.unusable.length ?? 0 };
  }

  async #keys(): Promise<Loaded> {
    const mayTry = this.#now() - this.#attemptedAt >= emptyCooldownMs;
    if (!this.#current() && (this.#loading || mayTry)) await this.#reload();
    const found = this.#current();
    if (!found) throw this.#fault;
    return found;
  }

  #current(): Loaded | undefined {
    if (this.#loaded && this.#now() - this.#loaded.at > freshMs + staleMs) {
      this.#loaded = undefined;
      this.#generation += 1;
    }
    return this.#loaded?.usable.length ? this.#loaded : undefined;
  }

  /** At most once in a cooldown, but also a moment after the set was loaded for another reason. */
  async #forceReload(): Promise<void> {
    if (this.#loading) return this.#loading;
    if (this.#now() - this.#forcedAt < cooldownMs) return undefined;
    this.#forcedAt = this.#now();
    return this.#reload();
  }

  #reload(): Promise<void> {
    this.#loading ??= (async () => {
      this.#attemptedAt = this.#now();
      try {
        this.#accept(await this.#options.load());
        this.#fault = undefined;
      } catch (error) {
        this.#fault = error;
        this.#options.onFault?.(error);
      } finally {
        this.#loading = undefined;
      }
    })();
    return this.#loading;
  }

  /** @throws IssuerFault for a set without a key that can be used */
  #accept(keys: readonly unknown[]): void {
    const { usable, unusable } = keysOfSet(keys);
    const texts = new Set(usable.map(({ text }) => text));
    if (this.#loaded?.usable.some(({ text }) => !texts.has(text))) this.#generation += 1;
    this.#loaded = { usable, unusable, at: this.#now() };
    const faults = JSON.stringify(unusable);
    if (faults !== this.#unusableTold && unusable.length > 0) this.#options.onUnusable?.(unusable);
    this.#unusableTold = faults;
    if (usable.length === 0) throw this.#faultOf(unusable.length === 0 ? 'no-keys' : 'no-usable-keys');
  }

  /** Why no key verifies a token with this header. */
  #noKey(keys: Loaded, header: JWTHeaderParameters): unknown {
    const { kid } = header;
    const candidates = candidatesOf(keys, header);
    const hasKid = (key: { kid: string | undefined }) => key.kid !== undefined && key.kid === kid;
    if (candidates.some(hasKid)) return rejected('signature');
    // While the issuer cannot be reached, a new key and an invented one look the same. Blame the issuer, not the token.
    if (this.#fault) return this.#fault;
    if (keys.unusable.some(hasKid)) return this.#faultOf('unusable-key');
    const untilReload = Math.ceil((this.#forcedAt + cooldownMs - this.#now()) / 1000);
    return rejected(kid === undefined && candidates.length > 0 ? 'signature' : 'kid', Math.max(1, untilReload));
  }

  #faultOf(reason: 'no-keys' | 'no-usable-keys' | 'unusable-key'): IssuerFault {
    return new IssuerFault(reason, { source: this.#options.source });
  }
}

/** The keys that may have signed a token: those with its `kid`, then those that have none; all, when the token names none. */
function candidatesOf({ usable }: KeysOfSet, { alg, kid }: JWTHeaderParameters): UsableKey[] {
  const fitting = usable.filter(({ algorithms }) => algorithms.includes(alg));
  const named = fitting.filter((key) => kid !== undefined && key.kid === kid);
  const unnamed = fitting.filter((key) => kid === undefined || key.kid === undefined);
  return [...named, ...unnamed].slice(0, maxCandidates);
}

async function firstVerified<T>(
  keys: readonly UsableKey[],
  verify: (key: KeyObject) => Promise<T>,
): Promise<{ result: T } | null> {
  for (const { key } of keys) {
    try {
      return { result: await verify(key) };
    } catch (error) {
      if (!(error instanceof errors.JWSSignatureVerificationFailed)) throw error;
    }
  }
  return null;
}
