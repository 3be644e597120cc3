import { type AnyBulkWriteOperation, type ClientSession, MongoBulkWriteError } from 'mongodb';
import type { ChainHead } from '../../model/audit-event.ts';
import { ownerKey } from '../../model/owner.ts';
import { type MacOfEvent, nextAuditEvent } from '../audit.ts';
import {
  countChange,
  isApiKeyWrite,
  isSecretWrite,
  isUse,
  nonceOfWrite,
  ownerOfWrite,
  type SecretWrite,
  StoreConflict,
  type Write,
} from '../store.ts';
import { writeApiKeys } from './api-keys.ts';
import {
  type AuditDocument,
  type Collections,
  documentOf,
  fieldsOf,
  type OwnerDocument,
  type SecretDocument,
} from './documents.ts';
import { Contention } from './errors.ts';
import { byOwner, takeIds } from './secret-ids.ts';

/**
 * Writes commits, their audit events and their owners' counts, inside the transaction of `session`.
 * @returns the heads of the owners' chains after it, by the owners' keys
 * @throws StoreConflict; of several commits it only says that one of them cannot be made
 */
export async function writeCommits(
  collections: Collections,
  commits: readonly (readonly Write[])[],
  session: ClientSession,
  macOfEvent: MacOfEvent,
): Promise<ReadonlyMap<string, ChainHead>> {
  const { owners, audit, apiKeys, nonces } = collections;
  const writes = byType(commits).flat();
  await spendNonces(nonces, writes, session);
  const before = await findOwners(owners, writes, session);

  const changes = changesOf(writes);
  for (const run of commits.length === 1 ? tellable(changes) : [changes]) await writeSecrets(collections, run, session);
  await requireCurrent(collections.secrets, writes, session);
  const ofApiKeys = writes.flatMap((write, index) => (isApiKeyWrite(write) ? [{ write, index }] : []));
  await writeApiKeys(apiKeys, ofApiKeys, session);

  const after = new Map(before);
  const events: AuditDocument[] = [];
  for (const write of writes) {
    const key = ownerKey(ownerOfWrite(write));
    const head = after.get(key) ?? { _id: key, count: 0, revision: 0, auditSequence: 0, auditHash: '' };
    const event = nextAuditEvent(headOf(head), write, macOfEvent);
    events.push({ owner: key, ...event });
    const count = head.count + countChange[write.type];
    after.set(key, { ...head, count, auditSequence: event.sequence, auditHash: event.hash });
  }
  try {
    await audit.insertMany(events, { session });
    await saveOwners(owners, [...after.values()], session);
    return new Map([...after.values()].map((one) => [one._id, headOf(one)]));
  } catch (error) {
    // Only gateways choose these keys: a duplicate means that another gateway committed first.
    throw isDuplicateKey(error) ? new Contention('another commit of this owner', { cause: error }) : error;
  }
}

/**
 * Makes the changes to secrets alone, for a transaction that is not committed.
 * @throws StoreConflict
 */
export async function tryWrites(
  collections: Collections,
  writes: readonly Write[],
  session: ClientSession,
): Promise<void> {
  for (const run of tellable(changesOf(writes))) await writeSecrets(collections, run, session);
}

/** @throws StoreConflict */
async function spendNonces(
  nonces: Collections['nonces'],
  writes: readonly Write[],
  session: ClientSession,
): Promise<void> {
  const spent = writes.flatMap((write, index) => {
    const nonce = nonceOfWrite(write);
    return nonce ? [{ index, document: { _id: nonce.digest, keptUntil: nonce.keptUntil } }] : [];
  });
  if (spent.length === 0) return;
  const documents = spent.map(({ document }) => document);
  await nonces.insertMany(documents, { session }).catch((error: unknown) => {
    if (!(error instanceof MongoBulkWriteError) || !isDuplicateKey(error)) throw error;
    const [first] = [error.writeErrors].flat();
    throw new StoreConflict(spent[first?.index ?? 0]?.index ?? 0, 'nonce');
  });
}

export function headOf({ auditSequence, auditHash }: OwnerDocument): ChainHead {
  return { sequence: auditSequence, hash: auditHash };
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
    deleteSecret: 0,
    updateSecret: 1,
    insertSecret: 2,
    changeApiKey: 3,
    insertApiKey: 4,
    useSecret: 5,
    appendEvent: 6,
  };
  const rankOf = ([first]: readonly Write[]) => (first ? rank[first.type] : 0);
  return commits.toSorted((a, b) => rankOf(a) - rankOf(b));
}

/** A command tells which insert failed, but of several updates or deletes only how many matched: each is sent alone. */
function tellable(changes: readonly Change[]): Change[][] {
  const runs: Change[][] = [];
  for (const change of changes) {
    const last = runs.at(-1);
    const isInsert = change.write.type === 'insertSecret';
    if (isInsert && last?.[0]?.write.type === 'insertSecret') last.push(change);
    else runs.push([change]);
  }
  return runs;
}

async function findOwners(
  owners: Collections['owners'],
  writes: readonly Write[],
  session: ClientSession,
): Promise<Map<string, OwnerDocument>> {
  const keys = [...new Set(writes.map((write) => ownerKey(ownerOfWrite(write))))];
  const found = await owners.find({ _id: { $in: keys } }, { session, batchSize: keys.length + 1 }).toArray();
  return new Map(found.map((owner) => [owner._id, owner]));
}

async function writeSecrets(
  { secrets, secretIds }: Collections,
  changes: readonly Change[],
  session: ClientSession,
): Promise<void> {
  const [first] = changes;
  if (!first) return;
  await takeIds(secretIds, changes, session);
  const operations = changes.map(({ write }) => operationOf(write));
  const result = await secrets.bulkWrite(operations, { session }).catch((error: unknown) => {
    throw conflictOf(error, changes) ?? error;
  });
  const guarded = changes.filter(({ write }) => write.type !== 'insertSecret').length;
  if (result.matchedCount + result.deletedCount !== guarded) throw new StoreConflict(first.index, 'version');
}

/**
 * Each commit of an owner changes the owner's document. So a secret that was read here cannot have changed by the time that
 * this transaction commits.
 */
async function requireCurrent(
  secrets: Collections['secrets'],
  writes: readonly Write[],
  session: ClientSession,
): Promise<void> {
  const uses = writes.flatMap((write, index) => (isUse(write) ? [{ write, index }] : []));
  if (uses.length === 0) return;
  const used = uses.map(({ write }) => [write.secret.id, ownerKey(write.secret.owner)] as const);
  const options = { session, projection: { owner: 1, version: 1, mac: 1 }, batchSize: used.length + 1 };
  const found = await secrets.find(byOwner(used), options).toArray();
  const byId = new Map(found.map((document) => [document._id, document]));
  for (const { write, index } of uses) {
    const { id, owner, version, mac } = write.secret;
    const stored = byId.get(id);
    const isVersion = stored?.version === version && stored.owner === ownerKey(owner);
    // What was read must be what is there: something other than a gateway may have written a record of the same version.
    if (!isVersion || stored.mac.tag !== mac.tag) throw new StoreConflict(index, 'version');
  }
}

function operationOf(write: SecretWrite): AnyBulkWriteOperation<SecretDocument> {
  if (write.type === 'insertSecret') return { insertOne: { document: documentOf(write.record) } };
  const { id, owner, version } = write.secret;
  const place = { _id: id, owner: ownerKey(owner) };
  if (write.type === 'deleteSecret') {
    return { deleteOne: { filter: { ...place, version, 'mac.tag': write.secret.mac.tag } } };
  }
  return {
    updateOne: {
      filter: { ...place, version: version - 1, 'mac.tag': write.from.tag },
      update: { $set: { ...fieldsOf(write.secret), mac: write.mac, ...(write.sealed && { sealed: write.sealed }) } },
    },
  };
}

async function saveOwners(
  owners: Collections['owners'],
  documents: readonly OwnerDocument[],
  session: ClientSession,
): Promise<void> {
  const operations = documents.map(({ revision, ...document }): AnyBulkWriteOperation<OwnerDocument> => {
    const saved = { ...document, revision: revision + 1 };
    if (revision === 0) return { insertOne: { document: saved } };
    return { updateOne: { filter: { _id: document._id, revision }, update: { $set: saved } } };
  });
  const { insertedCount, matchedCount } = await owners.bulkWrite(operations, { session, ordered: false });
  if (insertedCount + matchedCount !== operations.length) throw new Contention('another commit of this owner');
}

const conflictByIndex: Readonly<Record<string, StoreConflict['on']>> = {
  _id_: 'id',
  owner_name: 'name',
  owner_placeholder: 'placeholder',
};

function conflictOf(error: unknown, changes: readonly Change[]): StoreConflict | undefined {
  if (!(error instanceof MongoBulkWriteError) || !isDuplicateKey(error)) return undefined;
  const [first] = [error.writeErrors].flat();
  // Only the text names the index. It stands before the key, so that no key can pass for an index.
  const [, index = ''] = /index: (\S+) dup key:/.exec(first?.errmsg ?? '') ?? [];
  const on = conflictByIndex[index];
  return on && first ? new StoreConflict(changes[first.index]?.index ?? 0, on) : undefined;
}

function isDuplicateKey(error: unknown): boolean {
  return error instanceof MongoBulkWriteError && error.code === 11000;
}
