import DataLoader from 'dataloader';
import { type Owner, ownerKey, ownerOfKey } from '../../model/owner.ts';
import { actorOfKey } from '../../model/principal.ts';
import type { RecordMac } from '../../model/secret.ts';
import { keptValues, type SecretVersion, type VersionRecord } from '../../model/secret-version.ts';
import { destinationText } from '../destination-text.ts';
import { isPurge, type Write } from '../store.ts';
import { newestFirst, type VersionStore, versionId } from '../versions.ts';
import { batched } from './batched.ts';
import {
  type MarkDocument,
  readMac,
  readSealed,
  type SealedDocument,
  sealedDocumentOf,
  sealedOf,
  storedDestination,
} from './documents.ts';
import type { Reads } from './reads.ts';
import type { RowDecoder, RowReader } from './row-reader.ts';
import type { TransactionCommands } from './transaction-commands.ts';

/** An earlier value. `_id` is the secret's id and a place among those that its values take in turn. */
export interface VersionDocument {
  readonly _id: string;
  readonly owner: string;
  readonly secretId: string;
  readonly maskedValue: string | null;
  readonly mac: RecordMac;
  readonly sealed: SealedDocument;
  /** As text, where there is one. */
  readonly destination?: string;
}

/** Keeps the values of secrets that get another with these writes. */
export async function keepVersions(commands: TransactionCommands, writes: readonly Write[]): Promise<void> {
  const updates = writes.flatMap((write) =>
    write.type === 'updateSecret' && write.replaced ? [putOf(write.replaced)] : [],
  );
  if (updates.length > 0) await commands.update('secretVersions', updates);
}

function putOf(version: VersionRecord) {
  const { secretId, maskedValue, destination, sealed, mac } = version;
  const place = { _id: versionId(version), owner: ownerKey(version.owner), secretId };
  const to = destination && { destination: destinationText(destination) };
  const document: VersionDocument = { ...place, maskedValue, mac, sealed: sealedDocumentOf(sealed), ...to };
  return { q: place, u: document, upsert: true };
}

/** Removes all earlier values of secrets that these writes purge. */
export async function removeVersions(commands: TransactionCommands, writes: readonly Write[]): Promise<void> {
  const filters = writes.flatMap((write) => {
    if (!isPurge(write)) return [];
    return [{ owner: ownerKey(write.secret.owner), secretId: write.secret.id }];
  });
  if (filters.length > 0) await commands.deleteAll('secretVersions', filters);
}

interface ListKey {
  /** The owner's key. */
  readonly owner: string;
  readonly secretId: string;
}

interface ListedVersion {
  readonly secretId: string;
  readonly version: SecretVersion;
}

/** The fields that `listCommand` computes, in their order. */
interface ListedDocument extends Pick<MarkDocument, 'version' | 'setAt' | 'setBy'> {
  readonly secretId: string;
  readonly maskedValue: string | null;
  readonly current: number;
  readonly destination?: string;
}

function listedOf(document: ListedDocument): ListedVersion {
  const { secretId, maskedValue, version, setAt, setBy, current } = document;
  // As text whatever is there: a damaged row must not fail what came with the same command.
  const actor = actorOfKey(String(setBy));
  const destination = storedDestination(document);
  const shown = { version, maskedValue, destination, createdAt: setAt, actor, current: current === 1 };
  return { secretId, version: shown };
}

/** It comes last, where there is one. */
function readDestination(row: RowReader): { readonly destination?: string } {
  return row.isNext('destination') ? { destination: row.text('destination') } : {};
}

export const listedVersion: RowDecoder<ListedVersion> = {
  read: (row) =>
    listedOf({
      secretId: row.text('secretId'),
      maskedValue: row.textOrNull('maskedValue'),
      version: row.integer('version'),
      setAt: row.date('setAt'),
      setBy: row.text('setBy'),
      current: row.integer('current'),
      ...readDestination(row),
    }),
  of: (document) => listedOf(document as ListedDocument),
};

export const versionRecord: RowDecoder<VersionRecord> = {
  read(row) {
    row.text('_id');
    return {
      owner: ownerOfKey(row.text('owner')),
      secretId: row.text('secretId'),
      maskedValue: row.textOrNull('maskedValue'),
      mac: row.object('mac', readMac),
      sealed: row.object('sealed', readSealed),
      destination: storedDestination(readDestination(row)),
    };
  },
  of(document) {
    const { owner, secretId, maskedValue, mac, sealed } = document as VersionDocument;
    const destination = storedDestination(document);
    return { owner: ownerOfKey(owner), secretId, maskedValue, destination, sealed: sealedOf(sealed), mac };
  },
};

/** Secrets whose values are listed in one command: at most ten times as many rows. */
const maxSecrets = 100;

export class MongodbVersions implements VersionStore {
  readonly #reads: Reads;
  readonly #answer: <T>(answer: Promise<T>) => Promise<T>;
  readonly #lists: DataLoader<ListKey, SecretVersion[]>;

  /** @param answer bounds how long a call takes, and types its errors */
  constructor(reads: Reads, answer: <T>(answer: Promise<T>) => Promise<T>) {
    this.#reads = reads;
    this.#answer = answer;
    this.#lists = new DataLoader((keys) => answer(listAll(reads, keys)), batched(maxSecrets));
  }

  list(owner: Owner, secretId: string): Promise<SecretVersion[]> {
    return this.#lists.load({ owner: ownerKey(owner), secretId });
  }

  async find(owner: Owner, secretId: string, version: number): Promise<VersionRecord | undefined> {
    const filter = { owner: ownerKey(owner), secretId, 'sealed.version': version };
    const command = { find: 'secretVersions', filter, limit: 1, batchSize: 2 };
    const [found] = await this.#answer(this.#reads.rows(command, versionRecord));
    return found;
  }
}

/** One command for each owner, so that each asks one shard. */
async function listAll(reads: Reads, keys: readonly ListKey[]): Promise<SecretVersion[][]> {
  const byOwner = Map.groupBy(keys, ({ owner }) => owner);
  const lists = await Promise.all(
    [...byOwner].map(async ([owner, some]) => {
      const rows = await reads.rows(
        listCommand(owner, [...new Set(some.map(({ secretId }) => secretId))]),
        listedVersion,
      );
      return [owner, Map.groupBy(rows, ({ secretId }) => secretId)] as const;
    }),
  );
  const byKey = new Map(lists);
  return keys.map(({ owner, secretId }) => {
    const rows = byKey.get(owner)?.get(secretId) ?? [];
    return newestFirst(rows.map(({ version }) => version));
  });
}

/** The parts of a pipeline are read one after the other: the current values before the earlier ones, so that none is missed. */
function listCommand(owner: string, ids: readonly string[]) {
  const shown = (secretId: string, current: number) => ({
    _id: 0,
    secretId,
    maskedValue: '$maskedValue',
    version: '$sealed.version',
    setAt: '$sealed.setAt',
    setBy: '$sealed.setBy',
    current: { $literal: current },
    // Missing where it is missing.
    destination: '$destination',
  });
  const earlier = [{ $match: { owner, secretId: { $in: ids } } }, { $project: shown('$secretId', 0) }];
  const current = [{ $match: { owner, _id: { $in: ids }, sealed: { $ne: null } } }, { $project: shown('$_id', 1) }];
  return {
    aggregate: 'secrets',
    pipeline: [
      ...current,
      { $unionWith: { coll: 'deletedSecrets', pipeline: current } },
      { $unionWith: { coll: 'secretVersions', pipeline: earlier } },
    ],
    cursor: { batchSize: ids.length * keptValues + 1 },
  };
}
