import type { ApiKey, ApiKeyRecord } from '../model/api-key.ts';
import type { Position } from './position.ts';

export interface ApiKeyQuery {
  readonly teamId: string;
  /** Exclusive. */
  readonly after?: Position;
  /** 0 reads no keys. */
  readonly limit: number;
  readonly count: boolean;
}

export interface ApiKeyList {
  readonly apiKeys: readonly ApiKey[];
  /** Whether there are more after them. */
  readonly hasMore: boolean;
  /** Of all keys of the team; null when it was not asked for. */
  readonly totalCount: number | null;
}

/** API keys as a store keeps them. Keys that were revoked or have expired stay. Changes are writes of a commit. */
export interface ApiKeyStore {
  /** The key with this SHA-256. */
  findByHash(hash: string): Promise<ApiKeyRecord | undefined>;
  /** A key of one of these teams. */
  find(id: string, teamIds: readonly string[]): Promise<ApiKeyRecord | undefined>;
  /** A team's keys and those of its connectors, in the order of their names, and of their ids where names are equal. */
  list(query: ApiKeyQuery): Promise<ApiKeyList>;
  /** Keeps when a key was last used, unless that was less than `everyMs` before. May be lost. No audit event tells of it. */
  markUsed(hash: string, at: Date, everyMs: number): Promise<void>;
}
