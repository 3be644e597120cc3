import type { DatabaseSync } from 'node:sqlite';
import { ownerKey } from '../../model/owner.ts';
import type { Secret } from '../../model/secret.ts';
import { type ChainState, emptyChain, extended, type MacOfEvent, nextAuditEvent, type OwnerHead } from '../audit.ts';
import { countChange } from '../count-change.ts';
import { healthChangeOf } from '../health.ts';
import {
  isApiKeyWrite,
  isOwned,
  isSecretWrite,
  ownerOfWrite,
  requiredBy,
  type SecretWrite,
  StoreConflict,
  type Write,
} from '../store.ts';
import { prepareApiKeyWrites } from './api-keys.ts';
import { chainColumns, chainOfRow, chainValues, eventValues, insertEvent } from './audit-rows.ts';
import { prepareDeletedWrites } from './deleted-secrets.ts';
import { prepareDigestWrites } from './digests.ts';
import { isConstraintViolation } from './errors.ts';
import { insertRecord, putEnvelope, storedValues, updateRecord } from './rows.ts';
import { prepareSetHealth } from './set-health.ts';
import { prepareVersionWrites } from './versions.ts';

/** Whether it leaves behind in the write-ahead log what is to be erased. */
export function replaces({ type }: Write): boolean {
  return type !== 'insertSecret' && type !== 'useSecret' && type !== 'appendEvent';
}

/**
 * Makes a commit inside the transaction that the caller holds. No step takes long.
 * @throws StoreConflict: the caller must roll back, since a part of the commit may be made
 */
export interface WritesInCommit {
  readonly make: (write: Write, index: number) => void;
  /**
   * Once all are made: the audit events and the owners' counts.
   * @returns the heads of the owners' chains after it
   */
  readonly conclude: Conclude;
}

type Conclude = (writes: readonly Write[]) => Generator<void, OwnerHead[]>;

export function prepareWrites(database: DatabaseSync, macOfEvent: MacOfEvent): WritesInCommit {
  const writeSecret = prepareSecretWrites(database);
  const writeApiKey = prepareApiKeyWrites(database);
  const requireCurrent = prepareUses(database);
  const writeEvents = prepareEventWrites(database, macOfEvent);
  return {
    make(write, index) {
      if (isSecretWrite(write)) writeSecret(write, index);
      if (isApiKeyWrite(write)) writeApiKey(write, index);
    },
    *conclude(writes) {
      if (writes.some(requiredBy)) yield* requireCurrent(writes);
      return yield* writeEvents(writes);
    },
  };
}

/** Uses that are looked at in one statement: a delivery may have a thousand. */
const usesAtOnce = 100;

function prepareUses(database: DatabaseSync): (writes: readonly Write[]) => Generator<void, void> {
  const setHealth = prepareSetHealth(database);
  const versions = database.prepare(
    'SELECT id, owner, version, mac_tag FROM secrets WHERE id IN (SELECT value FROM json_each(?))',
  );
  return function* (writes) {
    const uses = writes.flatMap((write, index) => {
      const secret = requiredBy(write);
      return secret ? [{ secret, index, change: healthChangeOf(write) }] : [];
    });
    for (let from = 0; from < uses.length; from += usesAtOnce) {
      const some = uses.slice(from, from + usesAtOnce);
      const rows = versions.all(JSON.stringify(some.map(({ secret }) => secret.id)));
      const byId = new Map(rows.map((row) => [row.id, row]));
      for (const { secret, index, change } of some) {
        const row = byId.get(secret.id);
        const isVersion = row?.version === secret.version && row.owner === ownerKey(secret.owner);
        // What was read must be what is there: something other than a gateway may have written a record of the same version.
        if (!isVersion || row.mac_tag !== secret.mac.tag) throw new StoreConflict(index, 'version');
        if (change && !setHealth(change)) throw new StoreConflict(index, 'version');
      }
      yield;
    }
  };
}

function prepareSecretWrites(database: DatabaseSync): (write: SecretWrite, index: number) => void {
  const insert = database.prepare(insertRecord);
  const update = database.prepare(updateRecord);
  const put = database.prepare(putEnvelope);
  const versions = prepareVersionWrites(database);
  const remove = database.prepare('DELETE FROM secrets WHERE id = ? AND owner = ? AND version = ? AND mac_tag = ?');
  const deleted = prepareDeletedWrites(database);
  const digests = prepareDigestWrites(database);
  const removeTags = database.prepare('DELETE FROM secret_tags WHERE owner = ? AND name = ?');
  const insertTag = database.prepare('INSERT OR IGNORE INTO secret_tags (owner, tag, name) VALUES (?, ?, ?)');
  const takeId = database.prepare('INSERT INTO secret_ids (id, owner) VALUES (?, ?)');
  const idTaken = database.prepare('SELECT 1 FROM secret_ids WHERE id = ?');
  const nameTaken = database.prepare('SELECT 1 FROM secrets WHERE owner = ? AND name = ? AND id <> ?');

  function writeTags({ owner, name, tags }: Secret): void {
    const key = ownerKey(owner);
    for (const tag of tags) insertTag.run(key, tag, name);
  }

  function make(write: SecretWrite, index: number): void {
    switch (write.type) {
      case 'insertSecret':
        insert.run(...storedValues(write.record, write.record.sealed, write.record.mac));
        // After the insert: where that fails, the id is taken only if another secret has it.
        takeId.run(write.record.id, ownerKey(write.record.owner));
        if (write.record.sealed) {
          put.run(write.record.id, JSON.stringify(write.record.sealed.envelope));
          digests.set(write.record.id, write.record.owner, write.record.sealed.digest);
        }
        writeTags(write.record);
        return;
      case 'updateSecret': {
        if (write.replaced && !versions.keep(write.replaced)) throw new StoreConflict(index, 'version');
        const { changes } = update.run(...storedValues(write.secret, write.sealed, write.mac), write.from.tag);
        if (changes === 0) throw new StoreConflict(index, 'version');
        if (write.sealed) {
          put.run(write.secret.id, JSON.stringify(write.sealed.envelope));
          digests.set(write.secret.id, write.secret.owner, write.sealed.digest);
        }
        removeTags.run(ownerKey(write.secret.owner), write.secret.name);
        writeTags(write.secret);
        return;
      }
      case 'restoreSecret': {
        const { from, secret, digest, mac } = write;
        if (!deleted.has(from)) throw new StoreConflict(index, 'version');
        insert.run(...storedValues({ ...secret, lastUsedAt: from.lastUsedAt, health: from.health }, from.sealed, mac));
        deleted.restoreEnvelope(secret.id);
        digests.set(secret.id, secret.owner, digest);
        deleted.remove(secret.id);
        writeTags(secret);
        return;
      }
      case 'purgeDeletedSecret':
        if (!deleted.has(write.secret)) throw new StoreConflict(index, 'version');
        deleted.remove(write.secret.id);
        versions.removeAll(write.secret.owner, write.secret.id);
        return;
      default: {
        if (write.type === 'deleteSecret' && !deleted.keep(write)) throw new StoreConflict(index, 'version');
        const { id, owner, version, mac } = write.secret;
        const { changes } = remove.run(id, ownerKey(owner), version, mac.tag);
        if (changes === 0) throw new StoreConflict(index, 'version');
        if (write.type === 'purgeSecret') versions.removeAll(owner, id);
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

function prepareEventWrites(database: DatabaseSync, macOfEvent: MacOfEvent): Conclude {
  const findOwner = database.prepare(`SELECT count, ${chainColumns} FROM owners WHERE owner = ?`);
  const saveOwner = database.prepare(
    `INSERT OR REPLACE INTO owners (owner, count, ${chainColumns}) VALUES (?, ?, ?, ?, ?, ?)`,
  );
  const insert = database.prepare(insertEvent);

  function ownerOf(key: string): OwnerRow {
    const row = findOwner.get(key);
    return { count: Number(row?.count ?? 0), chain: row ? chainOfRow(row) : emptyChain };
  }

  return function* (writes) {
    const owners = new Map<string, OwnerRow>();
    for (const write of writes) {
      if (!isOwned(write)) continue;
      const key = ownerKey(ownerOfWrite(write));
      const { count, chain } = owners.get(key) ?? ownerOf(key);
      const event = nextAuditEvent(chain.head, write, macOfEvent);
      insert.run(...eventValues(key, event));
      owners.set(key, { count: count + countChange[write.type], chain: extended(chain, event) });
      yield;
    }
    for (const [key, { count, chain }] of owners) saveOwner.run(key, count, ...chainValues(chain));
    return [...owners].map(([key, { chain }]) => [key, chain.head]);
  };
}

interface OwnerRow {
  readonly count: number;
  readonly chain: ChainState;
}
