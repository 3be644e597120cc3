import { setTimeout as sleep } from 'node:timers/promises';
import { decodeNumberCursor } from '../crypto/cursor.ts';
import { DomainError } from '../errors.ts';
import { authenticated, authorize } from '../identity/authorize.ts';
import type { Caller, Credentials } from '../model/caller.ts';
import type { Owner } from '../model/owner.ts';
import type { SecretChange } from '../model/secret-change.ts';
import { FieldErrors } from '../rules/field-errors.ts';
import { type OwnerInput, resolveOwner } from '../rules/owner-input.ts';
import { changesList, Follower } from './change-feed.ts';
import type { ChangeFeeds } from './change-feeds.ts';
import type { AuditDependencies } from './list-events.ts';

export interface FollowDependencies extends AuditDependencies {
  readonly changes: ChangeFeeds;
}

export interface FollowChangesInput {
  readonly owner: OwnerInput;
  readonly after?: string | null | undefined;
}

/** How long a cursor may be ahead of what this gateway can read: the other gateway has a newer primary. */
const [looks, lookEveryMs] = [10, 500];

/**
 * The changes to an owner's secrets, as they come: several at once where several are there. They are in the order of the
 * chain, without a gap and without a double. With `after` they begin behind that position; without it with what is committed after this
 * has resolved. The caller is authorised again before each of them, every 15 s at least, and for an API key twice a second.
 * @throws DomainError UNAUTHORIZED, FORBIDDEN, PERMISSION_ERROR, UNPROCESSABLE_ENTITY, BAD_REQUEST (cursor), SERVICE_UNAVAILABLE
 */
export async function followChanges(
  { store, keyring, changes }: FollowDependencies,
  caller: Caller,
  input: FollowChangesInput,
): Promise<AsyncIterableIterator<readonly SecretChange[]>> {
  const errors = new FieldErrors();
  const owner = resolveOwner(input.owner, authenticated(caller), errors.at('owner'));
  if (owner) authorize(caller, owner, 'secrets:read');
  errors.throwIfAny();
  if (!owner) throw new Error('an owner that cannot be resolved was not reported');
  const after = input.after ? decodeNumberCursor(input.after, changesList(owner), keyring()) : undefined;
  const watched = new WatchedCredentials(caller, owner);
  watched.requireTime();

  let follower: Follower | undefined;
  // Before the head is read: nothing that is committed after it is missed.
  const { feed, close } = changes.open(owner, {
    tick(nowMs) {
      watched.verifyWhenDue(nowMs, (error) => {
        follower?.end(error);
        // What is being made of changes that were taken is not told either.
        if (error instanceof DomainError) caller.answer.stop(error);
      });
    },
  });
  try {
    let head = (await store.chainHead(owner)).sequence;
    for (let look = 1; after !== undefined && head < after; look += 1) {
      if (look > looks) throw cursorAhead();
      await sleep(lookEveryMs);
      head = (await store.chainHead(owner)).sequence;
    }
    feed.hear(head);
    follower = new Follower(feed, after ?? head);
    caller.answer.throwIfStopped();
    return told(follower, watched, caller, close);
  } catch (error) {
    close();
    throw error;
  }
}

function told(
  follower: Follower,
  watched: WatchedCredentials,
  { answer }: Caller,
  close: () => void,
): AsyncIterableIterator<readonly SecretChange[]> {
  const end = () => {
    follower.end(null);
    close();
    return Promise.resolve({ done: true as const, value: undefined });
  };
  // A generator would wait for its `next` before it returns.
  const iterator: AsyncIterableIterator<readonly SecretChange[]> = {
    [Symbol.asyncIterator]: () => iterator,
    return: end,
    async next() {
      try {
        const value = await follower.next((events) => answer.countScanned(events));
        if (!value) return end();
        await watched.verify();
        return { done: false, value };
      } catch (error) {
        await end();
        throw error;
      }
    },
  };
  answer.onEnd(() => void end());
  return iterator;
}

/** The credentials of one who follows changes, and what they still allow. */
class WatchedCredentials {
  readonly #caller: Caller;
  readonly #owner: Owner;
  readonly #credentials: Credentials;
  #dueAtMs: number;
  #isVerifying = false;

  constructor(caller: Caller, owner: Owner) {
    const credentials = caller.credentials?.();
    if (!credentials) throw new Error('a caller follows changes whose credentials cannot be verified again');
    this.#caller = caller;
    this.#owner = owner;
    this.#credentials = credentials;
    this.#dueAtMs = performance.now() + credentials.verifyEveryMs;
  }

  /** Requests accept a token for 30 s longer, for clocks that differ. @throws DomainError UNAUTHORIZED */
  requireTime(): void {
    if (Date.now() >= this.#credentials.expiresAtMs) throw ended();
  }

  /** @throws DomainError UNAUTHORIZED, FORBIDDEN, PERMISSION_ERROR, SERVICE_UNAVAILABLE */
  async verify(): Promise<void> {
    this.requireTime();
    try {
      const verified = this.#credentials.verify();
      const principal = verified instanceof Promise ? await verified : verified;
      authorize({ ...this.#caller, principal }, this.#owner, 'secrets:read');
    } catch (error) {
      throw error instanceof DomainError && error.code === 'UNAUTHORIZED' ? ended(error) : error;
    }
  }

  verifyWhenDue(nowMs: number, onFailure: (error: unknown) => void): void {
    const hasTime = Date.now() < this.#credentials.expiresAtMs;
    if (this.#isVerifying || (hasTime && nowMs < this.#dueAtMs)) return;
    this.#isVerifying = true;
    this.#dueAtMs = nowMs + this.#credentials.verifyEveryMs;
    void this.verify()
      .catch(onFailure)
      .finally(() => {
        this.#isVerifying = false;
      });
  }
}

function ended(cause?: DomainError): DomainError {
  return new DomainError('UNAUTHORIZED', {
    message: 'The credentials have ended.',
    description:
      'The subscription ends with the credentials that it began with. Subscribe again with valid ones, and with "after": the cursor of the last change that you have.',
    cause,
  });
}

function cursorAhead(): DomainError {
  return new DomainError('BAD_REQUEST', {
    description:
      'The cursor is of a later time than the database, which may have been restored. List the secrets, and subscribe without "after".',
  });
}
