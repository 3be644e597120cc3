import type { SQLInputValue } from 'node:sqlite';
import type { AuditFilter } from '../../model/audit-event.ts';
import { indexedTypes, type Range, typeWithoutIndex } from '../audit-scan.ts';

export interface AuditSelect {
  /** Events of a range that match the filter. */
  readonly matching: string;
  readonly matchingValues: (range: Range) => Record<string, SQLInputValue>;
  /** Sequences of the events of a range that an index leads to. */
  readonly indexed: string;
  readonly indexedValues: (range: Range) => Record<string, SQLInputValue>;
}

const inRange = 'owner = :owner AND sequence BETWEEN :first AND :last';
const ofSecret = 'secret_id = :secretId';
const ofActorAndTime = `(:actor IS NULL OR actor_id = :actor)
  AND (:since IS NULL OR at >= :since) AND (:until IS NULL OR at < :until)`;
const ofTypes = '(:types IS NULL OR type IN (SELECT value FROM json_each(:types)))';

export function auditSelect(owner: string, filter: AuditFilter): AuditSelect {
  const { secretId, types, actor = null, since, until } = filter;
  const byType = indexedTypes(filter);
  const places = { owner, ...(secretId !== undefined && { secretId }) };
  const rest = { actor, since: since?.getTime() ?? null, until: until?.getTime() ?? null };
  if (byType) {
    const typed = { ...places, ...Object.fromEntries(byType.map((type, index) => [`type${index}`, type])) };
    return {
      matching: ofEachType(byType.length, '*', ofActorAndTime),
      matchingValues: ({ first, last }) => ({ ...typed, ...rest, first, last }),
      indexed: ofEachType(byType.length, 'sequence', 'true'),
      indexedValues: ({ first, last }) => ({ ...typed, first, last }),
    };
  }
  const where = secretId === undefined ? inRange : `${ofSecret} AND ${inRange}`;
  return {
    matching: `SELECT * FROM audit WHERE ${where} AND ${ofActorAndTime} AND ${ofTypes}`,
    matchingValues: ({ first, last }) => ({
      ...{ ...places, ...rest, types: types ? JSON.stringify(types) : null, first, last },
    }),
    indexed: `SELECT sequence FROM audit WHERE ${where}`,
    indexedValues: ({ first, last }) => ({ ...places, first, last }),
  };
}

/** Each type has its events in order. SQLite merges them, and reads no more of each than it needs. */
function ofEachType(count: number, columns: string, condition: string): string {
  const ofType = (index: number) =>
    // The comparison is that of the partial index, without which SQLite does not take it.
    `SELECT ${columns} FROM audit INDEXED BY audit_owner_secret_id_type
      WHERE ${ofSecret} AND type = :type${index} AND type < '${typeWithoutIndex}' AND ${inRange} AND ${condition}`;
  return Array.from({ length: count }, (_, index) => ofType(index)).join(' UNION ALL ');
}
