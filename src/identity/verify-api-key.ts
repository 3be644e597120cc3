import { LRUCache } from 'lru-cache';
import type { Keyring } from '../crypto/keyring.ts';
import { DomainError } from '../errors.ts';
import type { ApiKeyRecord } from '../model/api-key.ts';
import type { Principal } from '../model/principal.ts';
import { hashOfApiKey, isApiKey } from './api-key.ts';
import { requireGenuine } from './api-key-mac.ts';
import { retainedBytes } from './principal-cache.ts';
import { rejected } from './token-rejected.ts';

export interface ApiKeyRules {
  /** What the store keeps under the SHA-256 of a key. */
  readonly find: (hash: string) => Promise<ApiKeyRecord | undefined>;
  readonly keyring: () => Keyring;
  /** Told that a key is used, about once in `usedEveryMs`. */
  readonly onUse: (hash: string, at: Date) => void;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** Milliseconds on a clock that is never set back. */
  readonly clock?: () => number;
}

export interface ApiKeyVerifier {
  /**
   * The principal at once where the store was asked for the key a moment ago, otherwise a promise, which alone may fail: with
   * UNAUTHORIZED, SERVICE_UNAVAILABLE when the store does not answer, and what `admitLookUp` throws.
   * @param admitLookUp called before the store is asked for a key that was not good here before; may refuse it
   */
  verify(key: string, admitLookUp: () => Promise<void> | void): Principal | Promise<Principal>;
  /** To be called when a key was changed: the next request with it is decided by what is stored then. */
  forget(hash: string): void;
}

/**
 * How long what the store said of a key is used. A key that another replica revokes is refused here after it, whatever happens
 * to the link to the store. With the time that a look-up may take it stays below the 5 s that are promised.
 */
const freshMs = 4000;
/** How often it is kept when a key was last used. */
export const usedEveryMs = 60_000;
const maxBytes = 16 * 1024 * 1024;
const maxKeys = 10_000;
/** Keys that are not in the store, or were revoked. */
const maxRefused = 10_000;

interface Entry {
  readonly principal: Principal;
  /** From when on the key is not accepted. */
  readonly expiresAtMs: number;
  /** When the store was asked, on the clock. */
  readonly askedAtMs: number;
  usedAtMs: number;
}

/**
 * Verifies API keys. What the store said is kept for seconds, so that a key costs no more than a token that is known. Where the
 * store does not answer, no key is accepted on what it said longer ago than that.
 */
export function createApiKeyVerifier(rules: ApiKeyRules): ApiKeyVerifier {
  const { now = Date.now, clock = performance.now.bind(performance) } = rules;
  /** Also those that must be looked up again: who had a good key is not refused for what others sent from the same address. */
  const verified = new LRUCache<string, Entry>({
    max: maxKeys,
    maxSize: maxBytes,
    sizeCalculation: ({ principal }) => retainedBytes(principal),
  });
  const refused = new LRUCache<string, number>({ max: maxRefused });
  const running = new Map<string, Promise<Entry>>();

  /** A key that comes many times at once is looked up once. */
  function lookUpOnce(hash: string): Promise<Entry> {
    const earlier = running.get(hash);
    if (earlier) return earlier;
    const started = lookUp(hash, rules, clock());
    running.set(hash, started);
    // What was read before the key was changed is not kept.
    const end = (keep: () => void) => {
      if (running.get(hash) !== started) return;
      running.delete(hash);
      keep();
    };
    started.then(
      (entry) =>
        end(() => {
          // The store may not have heard yet of the last use.
          entry.usedAtMs = Math.max(entry.usedAtMs, verified.get(hash)?.usedAtMs ?? Number.NEGATIVE_INFINITY);
          verified.set(hash, entry);
        }),
      (error: unknown) =>
        end(() => {
          if (!isRejection(error)) return;
          verified.delete(hash);
          refused.set(hash, clock());
        }),
    );
    return started;
  }

  function accept(entry: Entry, hash: string): Principal {
    const nowMs = now();
    if (nowMs >= entry.expiresAtMs) throw rejected('expiry');
    if (nowMs - entry.usedAtMs >= usedEveryMs) {
      entry.usedAtMs = nowMs;
      rules.onUse(hash, new Date(nowMs));
    }
    return entry.principal;
  }

  const isFresh = (askedAtMs: number) => clock() - askedAtMs < freshMs;

  /** What was looked up had the form of a key, so that what is found has it. */
  function fresh(hash: string): Entry | undefined {
    const known = verified.get(hash);
    return known && isFresh(known.askedAtMs) && now() < known.expiresAtMs ? known : undefined;
  }

  async function verifyNew(key: string, hash: string, admitLookUp: () => Promise<void> | void): Promise<Principal> {
    if (!isApiKey(key)) throw rejected('form');
    const known = verified.get(hash);
    if (known && isFresh(known.askedAtMs)) return accept(known, hash);
    if (isFresh(refused.get(hash) ?? Number.NEGATIVE_INFINITY)) throw rejected('unknown');
    if (!known) await admitLookUp();
    return accept(await lookUpOnce(hash), hash);
  }

  return {
    verify(key, admitLookUp) {
      const hash = hashOfApiKey(key);
      const known = fresh(hash);
      return known ? accept(known, hash) : verifyNew(key, hash, admitLookUp);
    },
    forget(hash) {
      running.delete(hash);
      verified.delete(hash);
      refused.delete(hash);
    },
  };
}

async function lookUp(hash: string, { find, keyring }: ApiKeyRules, askedAtMs: number): Promise<Entry> {
  const record = await find(hash).catch((error: unknown) => {
    throw error instanceof DomainError ? notVerified(error) : error;
  });
  if (!record) throw rejected('unknown');
  requireGenuine(record, keyring(), hash);
  if (record.revokedAt) throw rejected('revoked');
  return {
    principal: principalOf(record),
    expiresAtMs: record.expiresAt?.getTime() ?? Number.POSITIVE_INFINITY,
    askedAtMs,
    usedAtMs: record.lastUsedAt?.getTime() ?? Number.NEGATIVE_INFINITY,
  };
}

function principalOf({ id, teamId, connectorId, scopes }: ApiKeyRecord): Principal {
  return {
    kind: 'apiKey',
    subject: id,
    teams: [{ id: teamId, role: 'member' }],
    scopes: new Set(scopes),
    ...(connectorId !== null && { connectorId }),
  };
}

function isRejection(error: unknown): boolean {
  return error instanceof DomainError && error.code === 'UNAUTHORIZED';
}

/** Also where the store was too slow: the key may have been revoked meanwhile. */
function notVerified(cause: DomainError): DomainError {
  return new DomainError('SERVICE_UNAVAILABLE', {
    description: 'The API key cannot be verified at the moment. Retry.',
    retryAfterSeconds: 1,
    cause,
  });
}
