import type { Keyring } from '../crypto/keyring.ts';
import { macOfRecord } from '../crypto/record.ts';
import type { Caller } from '../model/caller.ts';
import type { Destination } from '../model/destination.ts';
import type { Nonce } from '../model/nonce.ts';
import { actorOf, type Principal } from '../model/principal.ts';
import type { Secret } from '../model/secret.ts';
import type { SecretHealth } from '../model/secret-health.ts';
import type { Write } from '../store/store.ts';
import { eventOf } from './audit-event.ts';
import type { Dependencies } from './dependencies.ts';
import { newPlaceholder } from './placeholder.ts';
import { sealForStore } from './seal-for-store.ts';

/** Whose work it is, in which call. */
export interface Author {
  readonly principal: Principal;
  readonly caller: Caller;
}

/** A value to be sealed. */
export interface NewValue {
  /** Text, or the UTF-8 of one. */
  readonly value: string | Uint8Array;
  readonly maskedValue: string | null;
  /** Where it may be sent; null: nowhere. */
  readonly destination: Destination | null;
  /** What its provider said of it before it was sealed. */
  readonly health?: SecretHealth | null | undefined;
  /** Spent with the write. */
  readonly nonce?: Nonce | undefined;
}

export interface PreparedWrite<W extends Write = Write> {
  readonly secret: Secret;
  readonly write: W;
}

type Insert = Extract<Write, { type: 'insertSecret' }>;

/** The fields of a secret that its caller chooses. */
export type ChosenFields = Pick<Secret, 'owner' | 'id' | 'name' | 'provider' | 'notes' | 'tags' | 'expiresAt'>;

/** A new secret with its value sealed, and the write that creates it. */
export function firstVersion(
  fields: ChosenFields,
  value: NewValue | null,
  { principal, caller }: Author,
  dependencies: Dependencies,
): PreparedWrite<Insert> {
  const at = dependencies.now();
  const actor = actorOf(principal);
  const secret: Secret = {
    ...fields,
    placeholder: newPlaceholder(),
    maskedValue: value?.maskedValue ?? null,
    destination: value?.destination ?? null,
    version: 1,
    createdAt: at,
    updatedAt: at,
    createdBy: actor,
    updatedBy: actor,
    lastUsedAt: null,
    health: value?.health ?? null,
  };
  const sealed = value && sealForStore(value.value, secret, null, dependencies);
  const mac = macOfRecord({ ...secret, sealed }, dependencies.keyring());
  return {
    secret,
    write: {
      type: 'insertSecret',
      record: { ...secret, sealed, mac },
      ...(value?.nonce && { nonce: value.nonce }),
      event: eventOf('secret.created', secret, principal, caller, at),
    },
  };
}

/** The same secret under another placeholder: the one before is taken. */
export function withAnotherPlaceholder(
  { secret: before, write }: PreparedWrite<Insert>,
  keyring: Keyring,
): PreparedWrite<Insert> {
  const secret = { ...before, placeholder: newPlaceholder() };
  const record = { ...write.record, ...secret };
  return { secret, write: { ...write, record: { ...record, mac: macOfRecord(record, keyring) } } };
}
