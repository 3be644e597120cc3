import type { Keyring } from '../crypto/keyring.ts';
import type { IdempotencyDependencies } from '../idempotency/once.ts';
import type { Destination } from '../model/destination.ts';
import type { Owner } from '../model/owner.ts';
import type { Principal } from '../model/principal.ts';
import type { ProviderTable } from '../model/provider.ts';
import type { ProviderCheck } from '../model/provider-check.ts';
import type { CheckResult } from '../model/secret-health.ts';
import type { KeyedMutex } from '../runtime/keyed-mutex.ts';
import type { LargeWork } from '../runtime/large-work.ts';
import type { Trace } from '../runtime/trace.ts';
import type { Store } from '../store/store.ts';

/** What operations work with. */
export interface Dependencies extends IdempotencyDependencies {
  readonly store: Store;
  /** The keyring as it is now. */
  readonly keyring: () => Keyring;
  readonly now: () => Date;
  /** For how long a deletion can be undone. */
  readonly deletedRetentionMs: number;
  /** Writers of one secret in this process wait for each other, by the secret's id. */
  readonly mutex: KeyedMutex;
  /** Bounds how many of the requests that take much memory are under way. */
  readonly largeWork: LargeWork;
  readonly trace: Trace;
  /** Destinations are read from it only when a value is set. */
  readonly providers: ProviderTable;
  /** Whether the gateway may connect to an address. Names are looked up, and judged, when a value is used. */
  readonly isAllowedAddress: (address: string) => boolean;
  /** Whether a value may be sent over plain HTTP to loopback, as in development. */
  readonly allowHttp: boolean;
  /** What clients reach the gateway by, without a slash at the end. */
  readonly publicUrl: () => string;
  /** Takes one from what a principal may compare with stored values in a minute. @throws DomainError TOO_MANY_REQUESTS */
  readonly spendMatch: SpendOne;
  readonly askProvider: AskProvider;
  /** Takes one from what a principal may have checked in a minute. @throws DomainError TOO_MANY_REQUESTS */
  readonly spendCheck: SpendOne;
}

type SpendOne = (principal: Principal) => Promise<void> | void;

/** A value that its provider is asked about, at its own destination. */
export interface KeyToCheck {
  readonly owner: Owner;
  readonly value: string;
  readonly destination: Destination;
  /** See providerCheckOf. */
  readonly check: ProviderCheck;
}

/**
 * Asks a provider whether it knows a key, within 5 s. The caller's audit event must be durable before.
 * @throws DomainError SERVICE_UNAVAILABLE with too many at once, or when the gateway ends
 */
export type AskProvider = (key: KeyToCheck) => Promise<CheckResult>;
