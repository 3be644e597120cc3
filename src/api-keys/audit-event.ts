import type { ApiKey } from '../model/api-key.ts';
import type { NewAuditEvent } from '../model/audit-event.ts';
import type { Caller } from '../model/caller.ts';
import { actorOf, type Principal } from '../model/principal.ts';

/** The audit event of what a principal does to an API key in this call. It goes into the chain of the key's team. */
export function eventOf(
  type: NewAuditEvent['type'],
  { id }: Pick<ApiKey, 'id'>,
  principal: Principal,
  { requestId }: Caller,
  at: Date,
): NewAuditEvent {
  return { type, actor: actorOf(principal), requestId, at, apiKeyId: id };
}
