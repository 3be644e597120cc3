import { hash } from 'node:crypto';
import { type AuditEventType, type AuditFilter, auditEventTypes } from '../model/audit-event.ts';
import type { FieldErrors } from '../rules/field-errors.ts';
import { checkId } from '../rules/id.ts';

export interface AuditFilterInput {
  readonly types?: readonly string[] | null | undefined;
  readonly secretId?: string | null | undefined;
  readonly actor?: string | null | undefined;
  readonly since?: Date | null | undefined;
  readonly until?: Date | null | undefined;
}

const maxTypes = 100;

/** Fields that are left out, null or empty are not in the result: a form sends what nobody filled in as empty text. */
export function checkAuditFilter(input: AuditFilterInput, errors: FieldErrors): AuditFilter {
  const { types, secretId, actor, since, until } = input;
  return {
    ...(types?.some(Boolean) && { types: checkTypes(types, errors.at('types')) }),
    ...(secretId && { secretId: checkId(secretId, errors.at('secretId')) }),
    ...(actor && { actor }),
    ...(since && { since }),
    ...(until && { until }),
  };
}

function checkTypes(types: readonly string[], errors: FieldErrors): AuditEventType[] {
  if (types.length > maxTypes) {
    errors.add('too_many', `Must have at most ${maxTypes} types.`);
    return [];
  }
  const wanted = new Set<AuditEventType>();
  for (const [index, name] of types.entries()) {
    const type = auditEventTypes.find((one) => one === name);
    if (type) wanted.add(type);
    else if (name !== '') errors.at(index).add('unknown_type', `Must be one of ${auditEventTypes.join(', ')}.`);
  }
  return auditEventTypes.filter((type) => wanted.has(type));
}

/** What tells a filter from every other, for cursors. */
export function digestOf({ types, secretId, actor, since, until }: AuditFilter): string {
  const fields = [types ?? null, secretId ?? null, actor ?? null, since?.getTime() ?? null, until?.getTime() ?? null];
  return hash('sha256', JSON.stringify(fields), 'base64url');
}
