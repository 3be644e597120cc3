import type { Owner } from '../model/owner.ts';

/** A flattened JWE (RFC 7516, section 7.2.2) as crypto/envelope.ts makes it. */
export interface Envelope {
  protected: string;
  header: { alg: string; kid: string };
  encrypted_key: string;
  iv: string;
  ciphertext: string;
  tag: string;
}

/** What a caller may see of a secret. There is no field for a value. */
export interface Secret {
  readonly id: string;
  readonly owner: Owner;
  readonly placeholder: string;
  readonly name: string;
  readonly provider: string | null;
  readonly notes: string | null;
  readonly tags: readonly string[];
  readonly maskedValue: string | null;
  readonly version: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** A sealed value, and the version of the secret that it was sealed for: part of what the envelope is bound to. */
export interface Sealed {
  readonly version: number;
  readonly envelope: Envelope;
}

/** The content key of a secret's envelope, wrapped: the part that a rewrap replaces. */
export interface WrappedKey {
  readonly secretId: string;
  /** Of the key that wraps it; `unknownKid` where something that is no gateway broke the envelope. */
  readonly kid: string;
  readonly encryptedKey: string;
}

/** No key has this id. */
export const unknownKid = '';

/** What a store holds. */
export interface SecretRecord extends Secret {
  readonly sealed: Sealed | null;
}

/** Why a change was made: the part of its audit event that the operation knows. */
export interface AuditNote {
  readonly type: 'secret.created' | 'secret.updated' | 'secret.deleted';
  readonly actor: string;
  readonly requestId: string;
  readonly at: Date;
}

export type Change = { readonly audit: AuditNote } & (
  | { readonly type: 'insert'; readonly record: SecretRecord }
  /** The secret as it shall be; the stored version must be the one before. `sealed` left out keeps the envelope. */
  | { readonly type: 'update'; readonly secret: Secret; readonly sealed?: Sealed }
  /** The stored version must be this one. */
  | { readonly type: 'delete'; readonly secret: Secret }
);

/** One link of an owner's audit chain; see store/audit.ts for its hash. */
export interface AuditEvent extends AuditNote {
  readonly sequence: number;
  readonly secretId: string;
  readonly version: number;
  readonly previousHash: string;
  readonly hash: string;
}

export interface Filter {
  readonly name?: string;
  readonly nameStartsWith?: string;
  readonly provider?: string;
  /** All of them. */
  readonly tags?: readonly string[];
  readonly placeholder?: string;
}

/** A place in the order of a list. Names are unique for an owner, so that the id never decides; it ties a cursor to one secret. */
export interface Position {
  readonly name: string;
  readonly id: string;
}

export interface ListQuery {
  readonly owner: Owner;
  readonly filter: Filter;
  /** Both exclusive. */
  readonly after?: Position;
  readonly before?: Position;
  /** From which end of the range `limit` counts. The answer is in ascending order either way. */
  readonly from: 'start' | 'end';
  /** 0 reads no secrets. */
  readonly limit: number;
  readonly count: boolean;
}

export interface ListResult {
  readonly secrets: readonly Secret[];
  /** Whether the range goes on beyond `limit`. */
  readonly hasMore: boolean;
  /** Of everything that matches the filter, whatever the range; null when it was not asked for. */
  readonly totalCount: number | null;
}

/** A commit broke a rule that only the store can hold. Nothing of it was written. */
export class StoreConflict extends Error {
  override readonly name = 'StoreConflict';
  readonly index: number;
  readonly on: 'id' | 'name' | 'placeholder' | 'version';

  /** @param index which change of the commit broke the rule */
  constructor(index: number, on: StoreConflict['on']) {
    super(`change ${index} conflicts on its ${on}`);
    this.index = index;
    this.on = on;
  }
}

export interface Counter {
  /** Adds to what the key has in its window, which begins with its first points. */
  add(key: string, points: number): Promise<{ readonly count: number; readonly resetsInMilliseconds: number }>;
}

/**
 * Where secrets are kept. Names order and compare byte by byte (UTF-8).
 * Every method rejects with a DomainError SERVICE_UNAVAILABLE when the store cannot be reached,
 * or GATEWAY_TIMEOUT when it does not answer before its deadline.
 */
export interface Store {
  find(id: string): Promise<Secret | undefined>;
  /** With the envelope: for those who will open it. */
  findRecord(id: string): Promise<SecretRecord | undefined>;
  list(query: ListQuery): Promise<ListResult>;
  /**
   * All changes, their audit events and the owners' counts, durably, or nothing at all.
   * @throws StoreConflict
   */
  commit(changes: readonly Change[]): Promise<void>;
  /** An owner's audit chain from its first event on, in order. */
  auditEvents(owner: Owner, afterSequence: number, limit: number): Promise<AuditEvent[]>;
  /** The wrapped content keys of all owners, in the order of the secrets' ids, after this one. */
  wrappedKeys(afterId: string, limit: number): Promise<WrappedKey[]>;
  /**
   * Puts each content key in the place of the one it was made from, where that is still there. Nothing else of a secret
   * changes, its version neither.
   * @returns how many were put in place
   */
  replaceWrappedKeys(replacements: readonly { from: WrappedKey; to: WrappedKey }[]): Promise<number>;
  /** Counts in windows of this length; gateways on one store count together, where the store is shared at all. */
  counter(windowSeconds: number): Counter;
  /** Whether the store has never held a secret. */
  isEmpty(): Promise<boolean>;
  /** Resolves when the store can answer. */
  check(): Promise<void>;
  close(): Promise<void>;
}
