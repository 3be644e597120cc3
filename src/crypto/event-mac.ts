import { timingSafeEqual } from 'node:crypto';
import type { AuditEvent, LinkedEvent } from '../model/audit-event.ts';
import { type Owner, ownerKey } from '../model/owner.ts';
import { type Keyring, type MacKey, usableKey } from './keyring.ts';
import { hmac } from './mac.ts';

/** The MAC of an audit event, in hex, and the key that made it. */
export type EventMac = Pick<AuditEvent, 'kid' | 'hash'>;

/** The MAC of an event under the active key. It holds the MAC of the event before, so that a change of an event breaks all MACs after it. */
export function macOfEvent(owner: Owner, event: LinkedEvent, { mac: { active } }: Keyring): EventMac {
  return { kid: active.kid, hash: hashOf(owner, event, active) };
}

/** @returns undefined when the keyring lacks the key, so that it cannot be told */
export function isEventOf(owner: Owner, event: AuditEvent, { mac }: Keyring): boolean | undefined {
  const key = usableKey(mac, event.kid);
  if (!key) return undefined;
  const [stored, own] = [Buffer.from(event.hash), Buffer.from(hashOf(owner, event, key))];
  return stored.length === own.length && timingSafeEqual(stored, own);
}

function hashOf(owner: Owner, event: LinkedEvent, key: MacKey): string {
  const { previousHash, sequence, at, type, secretId, version, apiKeyId, actor, requestId, recordMac } = event;
  const { purpose, secretName, method, origin } = event;
  // A list in the database could otherwise stand for the pairs below.
  if (purpose !== undefined && typeof purpose !== 'string') throw new TypeError('the purpose of an event is no text');
  const what = [
    type,
    secretId ?? null,
    version ?? null,
    apiKeyId ?? null,
    recordMac,
    ...(purpose === undefined ? [] : [purpose]),
    ...(secretName === undefined ? [] : [['secretName', secretName]]),
    ...(method === undefined ? [] : [['method', method]]),
    ...(origin === undefined ? [] : [['origin', origin]]),
  ];
  const who = [actor.kind, actor.id];
  const link = [1, previousHash, ownerKey(owner), sequence];
  return hmac(key, 'audit event', [...link, at.getTime(), what, who, requestId]).toString('hex');
}
