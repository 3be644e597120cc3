import { setImmediate as nextTick } from 'node:timers/promises';
import { type ClientSession, type Document, ObjectId } from 'mongodb';
import type { ChainHead } from '../../model/audit-event.ts';
import type { ValueDigest } from '../../model/envelope.ts';
import { ownerKey } from '../../model/owner.ts';
import type { SecretRecord } from '../../model/secret.ts';
import { emptyChain, extended, type MacOfEvent, nextAuditEvent } from '../audit.ts';
import { countChange } from '../count-change.ts';
import {
  isApiKeyWrite,
  isOwned,
  isSecretWrite,
  nonceOfWrite,
  ownerOfWrite,
  requiredBy,
  type SecretWrite,
  StoreConflict,
  type Write,
} from '../store.ts';
import { writeApiKeys } from './api-keys.ts';
import type { Collections } from './collections.ts';
import { currentDocumentOf, documentOf, type SecretDocument, updateTo } from './documents.ts';
import { Contention, isDuplicateKey, WriteRefused } from './errors.ts';
import { ConflictAmong, versionConflict } from './first-conflict.ts';
import { keepResults, removeResults } from './kept-results.ts';
import { asRead, moveDeleted, withWrappedKey } from './move-deleted.ts';
import { chainFields, chainOf, type OwnerDocument } from './owner-document.ts';
import { takeIds } from './secret-ids.ts';
import { TransactionCommands } from './transaction-commands.ts';
import { useSecrets } from './use-secrets.ts';
import { keepVersions, removeVersions } from './versions.ts';

/** Others are answered in between. */
const eventsPerTick = 100;

/**
 * Writes commits, their audit events and their owners' counts, inside the transaction of `session`.
 * @returns the heads of the owners' chains after it, by the owners' keys
 * @throws StaleUses, StoreConflict, ConflictAmong; of several commits the last two only say that one of them cannot be made
 */
export async function writeCommits(
  { database, apiKeys }: Collections,
  commits: readonly (readonly Write[])[],
  session: ClientSession,
  macOfEvent: MacOfEvent,
): Promise<ReadonlyMap<string, ChainHead>> {
  const ordered = byType(commits);
  const writes = ordered.flat();
  const commands = new TransactionCommands(database, session);
  await keepResults(commands, writes);
  await spendNonces(commands, writes);
  const before = await findOwners(commands, writes);

  for (const run of runsOf(changesOf(writes))) await writeSecrets(commands, run);
  await keepVersions(commands, writes);
  await removeVersions(commands, writes);
  await removeResults(commands, writes);
  await useSecrets(commands, ordered);
  const ofApiKeys = writes.flatMap((write, index) => (isApiKeyWrite(write) ? [{ write, index }] : []));
  await writeApiKeys(apiKeys, ofApiKeys, session);

  const after = new Map(before);
  const events: object[] = [];
  for (const write of writes.filter(isOwned)) {
    const key = ownerKey(ownerOfWrite(write));
    const stored = after.get(key) ?? { _id: key, count: 0, revision: 0, ...chainFields(emptyChain) };
    const chain = chainOf(stored);
    const event = nextAuditEvent(chain.head, write, macOfEvent);
    events.push({ _id: new ObjectId(), owner: key, ...event });
    const count = stored.count + countChange[write.type];
    after.set(key, { ...stored, count, ...chainFields(extended(chain, event)) });
    if (events.length % eventsPerTick === 0) await nextTick();
  }
  try {
    await commands.insert('audit', events);
    await saveOwners(commands, [...after.values()]);
    return new Map([...after.values()].map((one) => [one._id, chainOf(one).head]));
  } catch (error) {
    // Only gateways choose these keys: a duplicate means that another gateway committed first.
    throw isDuplicateKey(error) ? new Contention('another commit of this owner', { cause: error }) : error;
  }
}

/**
 * Makes the changes to secrets alone, for a transaction that is not committed. The last is sent alone.
 * @throws StoreConflict, ConflictAmong
 */
export async function tryWrites(
  { database }: Collections,
  writes: readonly Write[],
  session: ClientSession,
): Promise<void> {
  const commands = new TransactionCommands(database, session);
  const changes = changesOf(writes);
  for (const run of [...runsOf(changes.slice(0, -1)), changes.slice(-1)]) await writeSecrets(commands, run);
}

/** @throws StoreConflict */
async function spendNonces(commands: TransactionCommands, writes: readonly Write[]): Promise<void> {
  const spent = writes.flatMap((write, index) => {
    const nonce = nonceOfWrite(write);
    return nonce ? [{ index, document: { _id: nonce.digest, keptUntil: nonce.keptUntil } }] : [];
  });
  if (spent.length === 0) return;
  const documents = spent.map(({ document }) => document);
  await commands.insert('nonces', documents).catch((error: unknown) => {
    if (!(error instanceof WriteRefused) || !isDuplicateKey(error)) throw error;
    throw new StoreConflict(spent[error.index]?.index ?? 0, 'nonce');
  });
}

/** With its index in the commit. */
interface Change {
  readonly write: SecretWrite;
  readonly index: number;
}

function changesOf(writes: readonly Write[]): Change[] {
  return writes.flatMap((write, index) => (isSecretWrite(write) ? [{ write, index }] : []));
}

/** Commits that wait together have no order among them. With alike ones side by side they need fewer commands. */
function byType(commits: readonly (readonly Write[])[]): readonly (readonly Write[])[] {
  const rank = {
    purgeSecret: 0,
    purgeDeletedSecret: 0,
    deleteSecret: 0,
    updateSecret: 1,
    restoreSecret: 2,
    insertSecret: 3,
    changeApiKey: 4,
    insertApiKey: 5,
    useSecret: 6,
    appendEvent: 7,
    keepResult: 8,
    forgetResults: 9,
  };
  const rankOf = ([first]: readonly Write[]) => (first ? rank[first.type] : 0);
  return commits.toSorted((a, b) => rankOf(a) - rankOf(b));
}

/** Changes of one type that follow each other go out together. */
function runsOf(changes: readonly Change[]): Change[][] {
  const runs: Change[][] = [];
  let type: SecretWrite['type'] | undefined;
  for (const change of changes) {
    if (change.write.type === type) runs.at(-1)?.push(change);
    else runs.push([change]);
    type = change.write.type;
  }
  return runs;
}

async function findOwners(
  commands: TransactionCommands,
  writes: readonly Write[],
): Promise<Map<string, OwnerDocument>> {
  const required = writes.flatMap((write) => requiredBy(write)?.owner ?? []);
  const keys = [...new Set([...writes.filter(isOwned).map(ownerOfWrite), ...required].map(ownerKey))];
  const found = await commands.find<OwnerDocument>('owners', keys.length, { filter: { _id: { $in: keys } } });
  return new Map(found.map((owner) => [owner._id, owner]));
}

async function writeSecrets(commands: TransactionCommands, changes: readonly Change[]): Promise<void> {
  const inserted = changes.flatMap(({ write }) => insertionOf(write));
  const updates = changes.flatMap(({ write }) => (write.type === 'updateSecret' ? [updateOf(write)] : []));
  const deleted = changes.flatMap(({ write }) => removalOf(write));
  await takeIds(commands, changes);
  await moveDeleted(commands, changes);
  try {
    if (inserted.length > 0) await commands.insert('secrets', inserted);
    const matched = updates.length > 0 ? await commands.update('secrets', updates) : 0;
    const removed = deleted.length > 0 ? await commands.delete('secrets', deleted) : 0;
    if (matched + removed < updates.length + deleted.length) throw versionConflict(changes);
  } catch (error) {
    throw conflictOf(error, changes) ?? error;
  }
}

function insertionOf(write: SecretWrite): SecretDocument[] {
  if (write.type === 'insertSecret') return [currentOf(write.record, write.record.sealed?.digest)];
  if (write.type !== 'restoreSecret') return [];
  const { secret, from, digest, mac } = write;
  const { sealed, lastUsedAt, health } = from;
  return [currentOf({ ...secret, sealed, lastUsedAt, health, mac }, digest)];
}

function currentOf(record: SecretRecord, digest: ValueDigest | undefined): SecretDocument {
  return { ...documentOf(record), sealed: record.sealed && currentDocumentOf(record.sealed, digest) };
}

function updateOf({ from, secret, sealed, replaced, mac }: Extract<SecretWrite, { type: 'updateSecret' }>) {
  const q = {
    _id: secret.id,
    owner: ownerKey(secret.owner),
    version: secret.version - 1,
    'mac.tag': from.tag,
    // A rewrap may have replaced it since it was read. What is kept is then what the rewrap left, in another attempt.
    ...(replaced && { 'sealed.envelope.encrypted_key': replaced.sealed.envelope.encrypted_key }),
  };
  return { q, u: updateTo(secret, mac, sealed) };
}

function removalOf(write: SecretWrite): Document[] {
  if (write.type === 'deleteSecret') return [{ ...asRead(write.secret), ...withWrappedKey(write.secret.sealed) }];
  return write.type === 'purgeSecret' ? [asRead(write.secret)] : [];
}

async function saveOwners(commands: TransactionCommands, documents: readonly OwnerDocument[]): Promise<void> {
  const saved = documents.map((document) => ({ ...document, revision: document.revision + 1 }));
  const [added, changed] = [
    saved.filter(({ revision }) => revision === 1),
    saved.filter(({ revision }) => revision > 1),
  ];
  if (added.length > 0) await commands.insert('owners', added);
  if (changed.length === 0) return;
  const updates = changed.map((owner) => ({ q: { _id: owner._id, revision: owner.revision - 1 }, u: { $set: owner } }));
  if ((await commands.update('owners', updates)) < updates.length) throw new Contention('another commit of this owner');
}

const conflictByIndex: Readonly<Record<string, StoreConflict['on']>> = {
  _id_: 'id',
  owner_name: 'name',
  owner_placeholder: 'placeholder',
};

function conflictOf(error: unknown, changes: readonly Change[]): StoreConflict | ConflictAmong | undefined {
  if (!(error instanceof WriteRefused) || !isDuplicateKey(error)) return undefined;
  const on = conflictByIndex[error.uniqueIndex ?? ''];
  const change = changes[error.index];
  if (!on || !change) return undefined;
  // An update before it may have matched nothing.
  const isFirst = changes.length === 1 || change.write.type === 'insertSecret';
  return isFirst ? new StoreConflict(change.index, on) : new ConflictAmong(change.index + 1);
}
