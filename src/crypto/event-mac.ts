import type { AuditEvent, LinkedEvent } from '../model/audit-event.ts';
import { type Owner, ownerKey } from '../model/owner.ts';
import { type Keyring, type MacKey, usableKey } from './keyring.ts';
import { type Field, hmac } from './mac.ts';
import { isSameText } from './same-text.ts';

/** The MAC of an audit event, in hex, and the key that made it. */
export type EventMac = Pick<AuditEvent, 'kid' | 'hash'>;

/** The MAC of an event under the active key. It holds the MAC of the event before, so that a change of an event breaks all MACs after it. */
export function macOfEvent(owner: Owner, event: LinkedEvent, { mac: { active } }: Keyring): EventMac {
  return { kid: active.kid, hash: hashOf(owner, event, active) };
}

/** @returns undefined when the keyring lacks the key, so that it cannot be told */
export function isEventOf(owner: Owner, event: AuditEvent, { mac }: Keyring): boolean | undefined {
  const key = usableKey(mac, event.kid);
  return key && isSameText(event.hash, hashOf(owner, event, key));
}

function hashOf(owner: Owner, event: LinkedEvent, key: MacKey): string {
  const { previousHash, sequence, at, type, secretId, version, apiKeyId, actor, requestId, recordMac } = event;
  const { purpose, secretName, method, origin } = event;
  // A list in the database could otherwise stand for the pairs below.
  if (purpose !== undefined && typeof purpose !== 'string') throw new TypeError('the purpose of an event is no text');
  const what: Field[] = [type, secretId ?? null, version ?? null, apiKeyId ?? null, recordMac];
  if (purpose !== undefined) what.push(purpose);
  if (secretName !== undefined) what.push(['secretName', secretName]);
  if (method !== undefined) what.push(['method', method]);
  if (origin !== undefined) what.push(['origin', origin]);
  const who = [actor.kind, actor.id];
  const message = [
    'audit event',
    1,
    previousHash,
    ownerKey(owner),
    sequence,
    at.getTime(),
    what,
    who,
    requestId,
  ] as const;
  return hmac(key, message, 'hex');
}
