import { type AnyBulkWriteOperation, type ClientSession, MongoBulkWriteError } from 'mongodb';
import { ownerKey } from '../../model/owner.ts';
import { changedSecret, countDelta, nextAuditEvent } from '../audit.ts';
import { type Change, StoreConflict } from '../store.ts';
import {
  type AuditDocument,
  type Collections,
  documentOf,
  fieldsOf,
  type OwnerDocument,
  type SecretDocument,
} from './documents.ts';
import { Contention } from './errors.ts';

/**
 * Writes commits, their audit events and their owners' counts, inside the transaction of `session`.
 * @throws StoreConflict; of several commits it only says that one of them cannot be
 */
export async function writeCommits(
  { secrets, owners, audit }: Collections,
  commits: readonly (readonly Change[])[],
  session: ClientSession,
): Promise<void> {
  const changes = byType(commits).flat();
  const before = await findOwners(owners, changes, session);

  let offset = 0;
  for (const run of commits.length === 1 ? tellable(changes) : [changes]) {
    await writeSecrets(secrets, run, offset, session);
    offset += run.length;
  }

  const after = new Map(before);
  const events: AuditDocument[] = [];
  for (const change of changes) {
    const owner = ownerKey(changedSecret(change).owner);
    const head = after.get(owner) ?? { _id: owner, count: 0, revision: 0, auditSequence: 0, auditHash: '' };
    const event = nextAuditEvent({ sequence: head.auditSequence, hash: head.auditHash }, change);
    events.push({ owner, ...event });
    const count = head.count + countDelta[change.type];
    after.set(owner, { ...head, count, auditSequence: event.sequence, auditHash: event.hash });
  }
  try {
    await audit.insertMany(events, { session });
    await saveOwners(owners, [...after.values()], session);
  } catch (error) {
    // These keys are the gateway's own: a duplicate is another gateway that was faster.
    throw isDuplicateKey(error) ? new Contention('another commit of this owner', { cause: error }) : error;
  }
}

/** Commits that wait together have no order among them; alike ones side by side go out in one command. */
function byType(commits: readonly (readonly Change[])[]): readonly (readonly Change[])[] {
  const rank = { delete: 0, update: 1, insert: 2 };
  const rankOf = ([first]: readonly Change[]) => (first ? rank[first.type] : 0);
  return commits.toSorted((a, b) => rankOf(a) - rankOf(b));
}

/** A command tells which insert failed, but of several updates or deletes only how many matched: each goes alone. */
function tellable(changes: readonly Change[]): Change[][] {
  const runs: Change[][] = [];
  for (const change of changes) {
    const last = runs.at(-1);
    if (change.type === 'insert' && last?.[0]?.type === 'insert') last.push(change);
    else runs.push([change]);
  }
  return runs;
}

async function findOwners(
  owners: Collections['owners'],
  changes: readonly Change[],
  session: ClientSession,
): Promise<Map<string, OwnerDocument>> {
  const keys = [...new Set(changes.map((change) => ownerKey(changedSecret(change).owner)))];
  const found = await owners.find({ _id: { $in: keys } }, { session, batchSize: keys.length + 1 }).toArray();
  return new Map(found.map((owner) => [owner._id, owner]));
}

async function writeSecrets(
  secrets: Collections['secrets'],
  changes: readonly Change[],
  offset: number,
  session: ClientSession,
): Promise<void> {
  const result = await secrets.bulkWrite(changes.map(writeOf), { session }).catch((error: unknown) => {
    throw conflictOf(error, offset) ?? error;
  });
  const guarded = changes.filter((change) => change.type !== 'insert').length;
  if (result.matchedCount + result.deletedCount !== guarded) throw new StoreConflict(offset, 'version');
}

function writeOf(change: Change): AnyBulkWriteOperation<SecretDocument> {
  if (change.type === 'insert') return { insertOne: { document: documentOf(change.record) } };
  const { id, owner, version } = change.secret;
  if (change.type === 'delete') return { deleteOne: { filter: { _id: id, owner: ownerKey(owner), version } } };
  return {
    updateOne: {
      filter: { _id: id, owner: ownerKey(owner), version: version - 1 },
      update: { $set: { ...fieldsOf(change.secret), ...(change.sealed && { sealed: change.sealed }) } },
    },
  };
}

async function saveOwners(
  owners: Collections['owners'],
  documents: readonly OwnerDocument[],
  session: ClientSession,
): Promise<void> {
  const writes = documents.map(({ revision, ...document }): AnyBulkWriteOperation<OwnerDocument> => {
    const saved = { ...document, revision: revision + 1 };
    if (revision === 0) return { insertOne: { document: saved } };
    return { updateOne: { filter: { _id: document._id, revision }, update: { $set: saved } } };
  });
  const { insertedCount, matchedCount } = await owners.bulkWrite(writes, { session, ordered: false });
  if (insertedCount + matchedCount !== writes.length) throw new Contention('another commit of this owner');
}

const conflictByIndex: Readonly<Record<string, StoreConflict['on']>> = {
  _id_: 'id',
  owner_name: 'name',
  owner_placeholder: 'placeholder',
};

function conflictOf(error: unknown, offset: number): StoreConflict | undefined {
  if (!(error instanceof MongoBulkWriteError) || !isDuplicateKey(error)) return undefined;
  const [first] = [error.writeErrors].flat();
  // Only the text names the index. It comes before the key, so that no key can pass for an index.
  const [, index = ''] = /index: (\S+) dup key:/.exec(first?.errmsg ?? '') ?? [];
  const on = conflictByIndex[index];
  return on && first ? new StoreConflict(offset + first.index, on) : undefined;
}

function isDuplicateKey(error: unknown): boolean {
  return error instanceof MongoBulkWriteError && error.code === 11000;
}
