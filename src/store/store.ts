import type { ApiKeyRecord } from '../model/api-key.ts';
import type { AuditEvent, ChainHead, NewAuditEvent } from '../model/audit-event.ts';
import type { DeletedRecord, Deletion } from '../model/deleted-secret.ts';
import type { Envelope, Sealed, ValueDigest, WrappedKey } from '../model/envelope.ts';
import type { KeptResult } from '../model/kept-result.ts';
import type { Nonce } from '../model/nonce.ts';
import type { Owner } from '../model/owner.ts';
import type { RecordMac, Secret, SecretFilter, SecretRecord, StoredSecret } from '../model/secret.ts';
import type { SecretHealth } from '../model/secret-health.ts';
import type { VersionRecord } from '../model/secret-version.ts';
import type { ApiKeyStore } from './api-keys.ts';
import type { AuditStore } from './audit.ts';
import type { DeletedSecretStore, PurgedSecret } from './deleted-secrets.ts';
import type { DigestStore } from './digests.ts';
import type { Keyed, KidCounts } from './kid-counts.ts';
import type { Position } from './position.ts';
import type { VersionStore } from './versions.ts';

/**
 * One write of a commit. A change to a secret always brings the event that records it; an event may come alone. A write with
 * a nonce is made only if no write with that nonce was made before.
 */
export type Write =
  /** Takes the id for good: it stays taken when the secret is deleted. */
  | {
      readonly type: 'insertSecret';
      readonly record: SecretRecord;
      readonly nonce?: Nonce;
      readonly event: NewAuditEvent;
    }
  /**
   * The secret after the change; the stored version must be the one before, and the stored MAC that of `from`: something other
   * than a gateway may have written meanwhile. Without `sealed` the envelope is kept, and so is the stored health. With it, the
   * health is that of `secret`, and `replaced` is the value before, which is kept among the versions: its wrapped key must be the
   * stored one.
   */
  | {
      readonly type: 'updateSecret';
      readonly from: RecordMac;
      readonly secret: Secret;
      readonly sealed?: Sealed;
      readonly replaced?: VersionRecord;
      readonly nonce?: Nonce;
      readonly mac: RecordMac;
      readonly event: NewAuditEvent;
    }
  /**
   * Moves the secret to the deleted ones, where it has this MAC. The stored version, MAC and wrapped key must be these. Its name
   * and placeholder are free then, its id is not.
   */
  | {
      readonly type: 'deleteSecret';
      readonly secret: SecretRecord;
      readonly deletion: Deletion;
      readonly mac: RecordMac;
      readonly event: NewAuditEvent;
    }
  /** The secret as it is there again. The stored deleted secret must be `from`. */
  | {
      readonly type: 'restoreSecret';
      readonly from: DeletedRecord;
      readonly secret: Secret;
      /** Of its value, which is a current one again. */
      readonly digest?: ValueDigest;
      readonly mac: RecordMac;
      readonly event: NewAuditEvent;
    }
  /** Removes a secret, or a deleted one, with all its values. The stored version and the stored MAC must be these. */
  | {
      readonly type: 'purgeSecret' | 'purgeDeletedSecret';
      readonly secret: PurgedSecret;
      readonly event: NewAuditEvent;
    }
  /**
   * After the other writes the stored version and MAC must be these, so that events are in the order of what they tell. It is no
   * change of the secret. Only with `secret.used` its `lastUsedAt` becomes the time of the event, unless it is later already; no
   * other write sets it.
   */
  | {
      readonly type: 'useSecret';
      readonly secret: StoredSecret;
      /** Sets what was found out about the value. The stored health must be that of `secret`, so that of many one is first. */
      readonly health?: SecretHealth;
      readonly event: NewAuditEvent;
    }
  | { readonly type: 'insertApiKey'; readonly record: ApiKeyRecord; readonly event: NewAuditEvent }
  /** The stored MAC must be that of `from`: nobody else has changed the key. A rotation inserts the successor with it. */
  | {
      readonly type: 'changeApiKey';
      readonly from: ApiKeyRecord;
      readonly to: ApiKeyRecord;
      readonly successor?: ApiKeyRecord;
      readonly event: NewAuditEvent;
    }
  /** `recordMac` is that of the record that the event is about. */
  | {
      readonly type: 'appendEvent';
      readonly owner: Owner;
      readonly event: NewAuditEvent;
      readonly recordMac?: string;
    }
  /**
   * Keeps the result of a call, unless one of the same id is kept already. It changes nothing else, and has no event. With
   * `unchanged`, the stored version and MAC of that secret must be these: a purge at the same time must not miss the result.
   */
  | { readonly type: 'keepResult'; readonly kept: KeptResult; readonly unchanged?: StoredSecret }
  /** Removes all that is kept of calls of this principal. It has no event. */
  | { readonly type: 'forgetResults'; readonly principal: string };

/** A write of an owner, with its event. */
export type OwnedWrite = Exclude<Write, { type: 'keepResult' | 'forgetResults' }>;
export type SecretWrite = Extract<Write, { type: keyof typeof secretWrites }>;
export type ApiKeyWrite = Extract<Write, { type: 'insertApiKey' | 'changeApiKey' }>;

const secretWrites = {
  insertSecret: true,
  updateSecret: true,
  deleteSecret: true,
  restoreSecret: true,
  purgeSecret: true,
  purgeDeletedSecret: true,
} as const;

export function isSecretWrite(write: Write): write is SecretWrite {
  return write.type in secretWrites;
}

export function isPurge(write: Write): write is Extract<Write, { type: 'purgeSecret' | 'purgeDeletedSecret' }> {
  return write.type === 'purgeSecret' || write.type === 'purgeDeletedSecret';
}

/** The secret that must be the stored one after the other writes. */
export function requiredBy(write: Write): StoredSecret | undefined {
  if (write.type === 'useSecret') return write.secret;
  return write.type === 'keepResult' ? write.unchanged : undefined;
}

export function isApiKeyWrite(write: Write): write is ApiKeyWrite {
  return write.type === 'insertApiKey' || write.type === 'changeApiKey';
}

export function nonceOfWrite(write: Write): Nonce | undefined {
  return write.type === 'insertSecret' || write.type === 'updateSecret' ? write.nonce : undefined;
}

export function isOwned(write: Write): write is OwnedWrite {
  return write.type !== 'keepResult' && write.type !== 'forgetResults';
}

/** Whose audit chain the write belongs to. */
export function ownerOfWrite(write: OwnedWrite): Owner {
  switch (write.type) {
    case 'insertSecret':
      return write.record.owner;
    case 'insertApiKey':
      return { type: 'team', teamId: write.record.teamId };
    case 'changeApiKey':
      return { type: 'team', teamId: write.from.teamId };
    case 'appendEvent':
      return write.owner;
    default:
      return write.secret.owner;
  }
}

export interface ListQuery {
  readonly owner: Owner;
  readonly filter: SecretFilter;
  /** Both exclusive. */
  readonly after?: Position;
  readonly before?: Position;
  /** From which end of the range `limit` counts. The answer is in ascending order either way. */
  readonly from: 'start' | 'end';
  /** 0 reads no secrets. */
  readonly limit: number;
  readonly count: boolean;
  /** Told how many rows the filter may look at, where this process does it and not a database server. */
  readonly onScan?: (rows: number) => void;
  /** Called again and again while a filter looks at many rows. What it throws ends the read. */
  readonly requireWanted?: () => void;
}

export interface ListResult {
  readonly secrets: readonly Secret[];
  /** Whether the range goes on beyond `limit`. */
  readonly hasMore: boolean;
  /** Of everything that matches the filter, whatever the range; null when it was not asked for. */
  readonly totalCount: number | null;
}

/** Some secrets of an owner, each list without doubles. */
export interface NamedSecrets {
  readonly names: readonly string[];
  readonly placeholders: readonly string[];
  readonly ids: readonly string[];
}

/** Envelopes of more bytes are not read together with their secrets: `findRecords` reads a few of them at once. */
export const largeEnvelope = 8 * 1024;

/** What a selected secret may take at most: an envelope that is not large, notes and tags. */
export const maxSelectedBytes = 20 * 1024;

/** A secret whose value is to be opened. */
export interface SelectedSecret {
  readonly secret: StoredSecret;
  /** Null where no value is set, and where the envelope is large. */
  readonly envelope: Envelope | null;
  /** What the envelope takes in the store; 0 where no value is set. */
  readonly envelopeBytes: number;
}

/** A commit broke a rule that only the store can hold. Nothing of it was written. */
export class StoreConflict extends Error {
  override readonly name = 'StoreConflict';
  readonly index: number;
  readonly on: 'idempotency' | 'nonce' | 'id' | 'name' | 'placeholder' | 'version';

  /** @param index which write of the commit broke the rule */
  constructor(index: number, on: StoreConflict['on']) {
    super(`write ${index} conflicts on its ${on}`);
    this.index = index;
    this.on = on;
  }
}

export interface Counter {
  /** Adds points to the key's window. A window begins with its first points. */
  add(key: string, points: number): Promise<{ readonly count: number; readonly resetsInMs: number }>;
}

/** Commits that were asked for and have not ended. */
export interface Backlog {
  readonly commits: number;
  /** For how long the oldest of them has been there. */
  readonly oldestMs: number;
}

/**
 * Where secrets are kept. Names order and compare byte by byte (UTF-8).
 * Every method rejects with a DomainError SERVICE_UNAVAILABLE when the store cannot be reached,
 * or GATEWAY_TIMEOUT when it does not answer before its deadline.
 */
export interface Store {
  find(id: string): Promise<StoredSecret | undefined>;
  /** With the envelope: for an operation that opens it. */
  findRecord(id: string): Promise<SecretRecord | undefined>;
  /** The same for several of an owner, in any order. Those that are not there are left out. */
  findRecords(owner: Owner, ids: readonly string[]): Promise<SecretRecord[]>;
  /** The secrets of an owner that are named, or all, in the order of their names, and at most `limit`. */
  select(owner: Owner, named: NamedSecrets | null, limit: number): Promise<SelectedSecret[]>;
  list(query: ListQuery): Promise<ListResult>;
  /** Those of these ids that a secret has or had: they are never free again. */
  takenIds(ids: readonly string[]): Promise<ReadonlySet<string>>;
  /** What is kept of calls of this principal, in any order, also after its time. Those that are not there are left out. */
  keptResults(principal: string, ids: readonly string[]): Promise<KeptResult[]>;
  /**
   * Makes all writes, their audit events, their nonces and their owners' counts durable, or none of them. The results and then the
   * nonces of a commit are looked at before anything else of it: what else conflicts may be the work of the same call.
   * @throws StoreConflict
   */
  commit(writes: readonly Write[]): Promise<void>;
  /**
   * Sets what was found out about a value, where version, MAC and health of the stored secret are those of `secret`. No event tells
   * of it.
   * @returns whether they were
   */
  setHealth(secret: StoredSecret, health: SecretHealth): Promise<boolean>;
  /** An owner's audit chain from its first event on, in order. */
  auditEvents(owner: Owner, afterSequence: number, limit: number): Promise<AuditEvent[]>;
  /** Where the next event of this owner will be linked. */
  chainHead(owner: Owner): Promise<ChainHead>;
  /**
   * The wrapped content keys of all owners, wherever sealed values are kept, after this position; the first are after ''. A page
   * may have fewer than `limit`; the last one is empty.
   */
  wrappedKeys(after: string, limit: number): Promise<WrappedKey[]>;
  /** Counts the keys that at most the next `limit` need, after the range that ended there; the first range is after ''. */
  countKids(of: Keyed, after: string, limit: number): Promise<KidCounts>;
  /**
   * Replaces each wrapped content key where the stored one is still the one it was made from. Nothing else of a secret
   * changes, not even its version.
   * @returns how many were replaced
   */
  replaceWrappedKeys(replacements: readonly { from: WrappedKey; to: WrappedKey }[]): Promise<number>;
  /** Counts in windows of this length. Gateways that share a store count together. */
  counter(windowSeconds: number): Counter;
  readonly apiKeys: ApiKeyStore;
  readonly audit: AuditStore;
  readonly versions: VersionStore;
  readonly deletedSecrets: DeletedSecretStore;
  readonly digests: DigestStore;
  /** Whether nothing was ever committed to the store. */
  isEmpty(): Promise<boolean>;
  readonly backlog: Backlog;
  /**
   * Resolves when the store can answer and can write. The `reason` of the error says in one fixed word what is wrong.
   */
  check(): Promise<void>;
  /** Makes the commits that wait, and closes. Takes a few seconds at most, whatever the store does. */
  close(): Promise<void>;
}
