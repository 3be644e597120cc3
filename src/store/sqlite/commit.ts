import type { DatabaseSync } from 'node:sqlite';
import { ownerKey } from '../../model/owner.ts';
import type { Secret } from '../../model/secret.ts';
import { chainStart, nextAuditEvent } from '../audit.ts';
import { countChange, ownerOfWrite, StoreConflict, type Write } from '../store.ts';
import { isConstraintViolation } from './errors.ts';
import { eventValues, insertEvent, insertRecord, recordValues, updateRecord } from './rows.ts';

/**
 * Makes one write, its audit event and its owner's count, inside the transaction that the caller holds.
 * @throws StoreConflict: the caller must roll back, since part of the write may be made
 */
export type MakeWrite = (write: Write, index: number) => void;

export function prepareWrites(database: DatabaseSync): MakeWrite {
  const writeSecret = prepareSecretWrites(database);
  const writeEvent = prepareEventWrites(database);
  return (write, index) => {
    if (write.type !== 'appendEvent') writeSecret(write, index);
    writeEvent(write);
  };
}

type SecretWrite = Exclude<Write, { type: 'appendEvent' }>;

function prepareSecretWrites(database: DatabaseSync): (write: SecretWrite, index: number) => void {
  const insert = database.prepare(insertRecord);
  const update = database.prepare(updateRecord);
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
        insert.run(...recordValues(write.record, write.record.sealed));
        writeTags(write.record);
        return;
      case 'updateSecret': {
        const { changes } = update.run(...recordValues(write.secret, write.sealed));
        if (changes === 0) throw new StoreConflict(index, 'version');
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

function prepareEventWrites(database: DatabaseSync): (write: Write) => void {
  const findOwner = database.prepare('SELECT count, audit_sequence, audit_hash FROM owners WHERE owner = ?');
  const saveOwner = database.prepare(
    'INSERT OR REPLACE INTO owners (owner, count, audit_sequence, audit_hash) VALUES (?, ?, ?, ?)',
  );
  const insert = database.prepare(insertEvent);

  return (write) => {
    const owner = ownerOfWrite(write);
    const key = ownerKey(owner);
    const row = findOwner.get(key);
    const head = row ? { sequence: Number(row.audit_sequence), hash: String(row.audit_hash) } : chainStart;
    const event = nextAuditEvent(head, owner, write.event);
    insert.run(...eventValues(key, event));
    saveOwner.run(key, Number(row?.count ?? 0) + countChange[write.type], event.sequence, event.hash);
  };
}
