import type { NewAuditEvent } from '../model/audit-event.ts';
import type { Caller } from '../model/caller.ts';
import { actorOf, type Principal } from '../model/principal.ts';
import type { Secret } from '../model/secret.ts';

/** The audit event of what a principal does to a secret in this call. */
export function eventOf(
  type: NewAuditEvent['type'],
  { id, version, name }: Pick<Secret, 'id' | 'version' | 'name'>,
  principal: Principal,
  { requestId }: Caller,
  at: Date,
): NewAuditEvent {
  return { type, actor: actorOf(principal), requestId, at, secretId: id, version, secretName: name };
}
