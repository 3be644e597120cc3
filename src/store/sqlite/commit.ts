import type { DatabaseSync } from 'node:sqlite';
import { ownerKey } from '../../model/owner.ts';
import { chainStart, changedSecret, countDelta, nextAuditEvent } from '../audit.ts';
import { type Change, type Secret, StoreConflict } from '../store.ts';
import { isConstraintViolation } from './errors.ts';
import { sealedValues, secretColumns, secretValues } from './rows.ts';

/**
 * Writes one change, its audit event and its owner's count, inside the transaction that the caller holds.
 * @throws StoreConflict after which the caller must roll back: part of a change may be written
 */
export type WriteChange = (change: Change, index: number) => void;

export function prepareWriteChange(database: DatabaseSync): WriteChange {
  const insert = database.prepare(
    `INSERT INTO secrets (${secretColumns}, sealed_version, envelope) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  // `?1` to `?13` are numbered as in the insert, so that both take the same values.
  const update = database.prepare(`
    UPDATE secrets SET name = ?3, placeholder = ?4, provider = ?5, masked_value = ?6, version = ?7, created_at = ?8,
      updated_at = ?9, tags = ?10, notes = ?11,
      sealed_version = coalesce(?12, sealed_version), envelope = coalesce(?13, envelope)
    WHERE owner = ?1 AND id = ?2 AND version = ?7 - 1`);
  const remove = database.prepare('DELETE FROM secrets WHERE id = ? AND owner = ? AND version = ?');
  const removeTags = database.prepare('DELETE FROM secret_tags WHERE owner = ? AND name = ?');
  const insertTag = database.prepare('INSERT OR IGNORE INTO secret_tags (owner, tag, name) VALUES (?, ?, ?)');
  const idTaken = database.prepare('SELECT 1 FROM secrets WHERE id = ?');
  const nameTaken = database.prepare('SELECT 1 FROM secrets WHERE owner = ? AND name = ? AND id <> ?');
  const findOwner = database.prepare('SELECT count, audit_sequence, audit_hash FROM owners WHERE owner = ?');
  const saveOwner = database.prepare(
    'INSERT OR REPLACE INTO owners (owner, count, audit_sequence, audit_hash) VALUES (?, ?, ?, ?)',
  );
  const insertEvent = database.prepare(`
    INSERT INTO audit (owner, sequence, type, secret_id, version, actor, request_id, at, previous_hash, hash)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);

  function writeTags({ owner, name, tags }: Secret): void {
    const key = ownerKey(owner);
    for (const tag of tags) insertTag.run(key, tag, name);
  }

  function writeSecret(change: Change, index: number): void {
    switch (change.type) {
      case 'insert':
        insert.run(...secretValues(change.record), ...sealedValues(change.record.sealed));
        writeTags(change.record);
        return;
      case 'update': {
        const { changes } = update.run(...secretValues(change.secret), ...sealedValues(change.sealed));
        if (changes === 0) throw new StoreConflict(index, 'version');
        removeTags.run(ownerKey(change.secret.owner), change.secret.name);
        writeTags(change.secret);
        return;
      }
      case 'delete': {
        const { id, owner, version } = change.secret;
        if (remove.run(id, ownerKey(owner), version).changes === 0) throw new StoreConflict(index, 'version');
      }
    }
  }

  /** SQLite checks its indexes in an order of its own; the failed statement has left no trace, so each can be asked. */
  function conflictOf(change: Change, index: number): StoreConflict {
    const { id, owner, name } = changedSecret(change);
    if (change.type === 'insert' && idTaken.get(id)) return new StoreConflict(index, 'id');
    return new StoreConflict(index, nameTaken.get(ownerKey(owner), name, id) ? 'name' : 'placeholder');
  }

  return (change, index) => {
    try {
      writeSecret(change, index);
    } catch (error) {
      throw isConstraintViolation(error) ? conflictOf(change, index) : error;
    }
    const key = ownerKey(changedSecret(change).owner);
    const owner = findOwner.get(key);
    const head = owner ? { sequence: Number(owner.audit_sequence), hash: String(owner.audit_hash) } : chainStart;
    const event = nextAuditEvent(head, change);
    const { sequence, type, secretId, version, actor, requestId, at, previousHash, hash } = event;
    insertEvent.run(key, sequence, type, secretId, version, actor, requestId, at.getTime(), previousHash, hash);
    saveOwner.run(key, Number(owner?.count ?? 0) + countDelta[change.type], sequence, hash);
  };
}
