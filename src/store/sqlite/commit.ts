import type { DatabaseSync } from 'node:sqlite';
import type { ChainHead } from '../../model/audit-event.ts';
import { ownerKey } from '../../model/owner.ts';
import type { Secret } from '../../model/secret.ts';
import { chainStart, type MacOfEvent, nextAuditEvent } from '../audit.ts';
import {
  countChange,
  isApiKeyWrite,
  isSecretWrite,
  ownerOfWrite,
  type SecretWrite,
  StoreConflict,
  type Write,
} from '../store.ts';
import { prepareApiKeyWrites } from './api-keys.ts';
import { isConstraintViolation } from './errors.ts';
import { eventValues, insertEvent, insertRecord, putEnvelope, storedValues, updateRecord } from './rows.ts';

/** The head of an owner's chain, by the owner's key. */
export type OwnerHead = readonly [owner: string, head: ChainHead];

/**
 * Makes one write, its audit event and its owner's count, inside the transaction that the caller holds.
 * @returns the head of the owner's chain after it
 * @throws StoreConflict: the caller must roll back, since part of the write may be made
 */
export type MakeWrite = (write: Write, index: number) => OwnerHead;

export function prepareWrites(database: DatabaseSync, macOfEvent: MacOfEvent): MakeWrite {
  const writeSecret = prepareSecretWrites(database);
  const writeApiKey = prepareApiKeyWrites(database);
  const writeEvent = prepareEventWrites(database, macOfEvent);
  return (write, index) => {
    if (isSecretWrite(write)) writeSecret(write, index);
    if (isApiKeyWrite(write)) writeApiKey(write, index);
    return writeEvent(write);
  };
}

function prepareSecretWrites(database: DatabaseSync): (write: SecretWrite, index: number) => void {
  const insert = database.prepare(insertRecord);
  const update = database.prepare(updateRecord);
  const put = database.prepare(putEnvelope);
  const remove = database.prepare('DELETE FROM secrets WHERE id = ? AND owner = ? AND version = ?');
  const removeTags = database.prepare('DELETE FROM secret_tags WHERE owner = ? AND name = ?');
  const insertTag = database.prepare('INSERT OR IGNORE INTO secret_tags (owner, tag, name) VALUES (?, ?, ?)');
  const idTaken = database.prepare('SELECT 1 FROM secrets WHERE id = ?');
  const nameTaken = database.prepare('SELECT 1 FROM secrets WHERE owner = ? AND name = ? AND id <> ?');

  function writeTags({ owner, name, tags }: Secret): void {
    const key = ownerKey(owner);
    for (const tag of tags) insertTag.run(key, tag, name);
  }

  function make(write: SecretWrite, index: number): void {
    switch (write.type) {
      case 'insertSecret':
        insert.run(...storedValues(write.record, write.record.sealed, write.record.mac));
        if (write.record.sealed) put.run(write.record.id, JSON.stringify(write.record.sealed.envelope));
        writeTags(write.record);
        return;
      case 'updateSecret': {
        const { changes } = update.run(...storedValues(write.secret, write.sealed, write.mac));
        if (changes === 0) throw new StoreConflict(index, 'version');
        if (write.sealed) put.run(write.secret.id, JSON.stringify(write.sealed.envelope));
        removeTags.run(ownerKey(write.secret.owner), write.secret.name);
        writeTags(write.secret);
        return;
      }
      case 'deleteSecret': {
        const { id, owner, version } = write.secret;
        if (remove.run(id, ownerKey(owner), version).changes === 0) throw new StoreConflict(index, 'version');
      }
    }
  }

  /** SQLite checks its indexes in an order of its own. The failed statement changed nothing, so each can be asked. */
  function conflictOf(write: SecretWrite, index: number): StoreConflict {
    const { id, owner, name } = write.type === 'insertSecret' ? write.record : write.secret;
    if (write.type === 'insertSecret' && idTaken.get(id)) return new StoreConflict(index, 'id');
    return new StoreConflict(index, nameTaken.get(ownerKey(owner), name, id) ? 'name' : 'placeholder');
  }

  return (write, index) => {
    try {
      make(write, index);
    } catch (error) {
      throw isConstraintViolation(error) ? conflictOf(write, index) : error;
    }
  };
}

function prepareEventWrites(database: DatabaseSync, macOfEvent: MacOfEvent): (write: Write) => OwnerHead {
  const findOwner = database.prepare('SELECT count, audit_sequence, audit_hash FROM owners WHERE owner = ?');
  const saveOwner = database.prepare(
    'INSERT OR REPLACE INTO owners (owner, count, audit_sequence, audit_hash) VALUES (?, ?, ?, ?)',
  );
  const insert = database.prepare(insertEvent);

  return (write) => {
    const key = ownerKey(ownerOfWrite(write));
    const row = findOwner.get(key);
    const head = row ? { sequence: Number(row.audit_sequence), hash: String(row.audit_hash) } : chainStart;
    const event = nextAuditEvent(head, write, macOfEvent);
    insert.run(...eventValues(key, event));
    saveOwner.run(key, Number(row?.count ?? 0) + countChange[write.type], event.sequence, event.hash);
    return [key, event];
  };
}
