import type { Keyring } from '../crypto/keyring.ts';
import type { IdempotencyDependencies } from '../idempotency/once.ts';
import type { ApiKeyStore } from '../store/api-keys.ts';
import type { Store } from '../store/store.ts';

/** What operations on API keys work with. */
export interface ApiKeyDependencies extends IdempotencyDependencies {
  readonly store: Store;
  readonly apiKeys: ApiKeyStore;
  /** Ends what is kept here of a key, by its SHA-256: the next request with it is decided by the store. */
  readonly forgetApiKey: (hash: string) => void;
  /** The keyring as it is now. */
  readonly keyring: () => Keyring;
  readonly now: () => Date;
}
