import {
  type OwnerInput,
  SecretChangesDocument,
  type SecretChangesSubscription,
  type SecretChangesSubscriptionVariables,
} from './documents.ts';
import { isGatewayError } from './gateway-error.ts';
import type { CallOptions, Requester } from './request.ts';
import { subscribe } from './subscribe.ts';
import { temporaryCodes } from './temporary-codes.ts';
import { isTransportError, TransportError } from './transport-error.ts';

/** A change to a secret. `secret` is null where it is deleted, or cannot be read. */
export type SecretChange = SecretChangesSubscription['secretChanged'];

export interface FollowedChanges {
  /** Whose secrets; your own by default. */
  readonly owner?: OwnerInput | undefined;
  /** The cursor of the last change that you have. Without it you are told what happens from now on. */
  readonly after?: string | undefined;
}

export interface FollowOptions extends CallOptions {
  /**
   * Called each time the gateway has begun to tell. `resumed` is false where it goes on from no change that you know of: at
   * first without `after`, and where the connection was lost before the first change came. Read then what you need to know.
   */
  readonly onOpen?: ((opening: { readonly resumed: boolean }) => void) | undefined;
}

const [firstPauseMs, longestPauseMs] = [1000, 30_000];
/** A connection that lasted so long is a good one. */
const steadyMs = 10_000;

export function changeOperations(requester: Requester) {
  return {
    /**
     * The changes to an owner's secrets as they happen: `for await (const change of client.secretChanges()) …`. Where the connection
     * is lost it connects again, and goes on after the last change: none is left out, none comes twice.
     * @throws GatewayError when the gateway refuses; UNAUTHORIZED also when the credential ends, unless it is a function that has another one
     * @throws TransportError when no gateway answers at first, or by your signal
     */
    async *secretChanges(
      { owner = {}, after }: FollowedChanges = {},
      { onOpen, ...options }: FollowOptions = {},
    ): AsyncGenerator<SecretChange, void> {
      const variables: SecretChangesSubscriptionVariables = { owner, after };
      let wasOpen = false;
      for (let losses = 0; ; losses += 1) {
        let openedAtMs = Number.NaN;
        const opened = () => {
          openedAtMs = performance.now();
          wasOpen = true;
          onOpen?.({ resumed: variables.after != null });
        };
        let pauseMs = 0;
        try {
          const events = subscribe(requester, SecretChangesDocument, variables, { ...options, onOpen: opened });
          for await (const { secretChanged } of events) {
            variables.after = secretChanged.cursor;
            losses = 0;
            yield secretChanged;
          }
        } catch (error) {
          const isOpen = !Number.isNaN(openedAtMs);
          const unread = changeIn(error);
          if (unread) {
            variables.after = unread.cursor;
            yield unread;
          } else if (!(isOpen && requester.isRenewable && isGatewayError(error, 'UNAUTHORIZED'))) {
            if (!wasOpen || !isTemporary(error)) throw error;
            pauseMs = 1000 * ((isGatewayError(error) && error.retryAfter) || 0);
          }
        }
        if (performance.now() - openedAtMs > steadyMs) losses = 0;
        await pause(pauseMs + pauseAfter(losses), options.signal);
      }
    },
  };
}

/** A change whose secret cannot be read is a change all the same. */
function changeIn(error: unknown): SecretChange | undefined {
  if (!isGatewayError(error)) return undefined;
  const data = error.answer.data as SecretChangesSubscription | null | undefined;
  return data?.secretChanged;
}

function isTemporary(error: unknown): boolean {
  return (
    isGatewayError(error, ...temporaryCodes) || isTransportError(error, 'UNREACHABLE', 'TIMEOUT', 'UNEXPECTED_ANSWER')
  );
}

/** Random, so that clients that were cut off together do not come back together. */
function pauseAfter(losses: number): number {
  return Math.min(firstPauseMs * 2 ** losses, longestPauseMs) * (0.5 + Math.random() / 2);
}

/** @throws TransportError when it is aborted */
function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(new TransportError('ABORTED', 'The call was aborted.'));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort);
      resolve();
    }, ms);
    if (signal?.aborted) abort();
    else signal?.addEventListener('abort', abort, { once: true });
  });
}
