import { KeyMissing } from '../crypto/key-missing.ts';
import { type Keyring, type MacKey, usableKey } from '../crypto/keyring.ts';
import { hmac } from '../crypto/mac.ts';
import { isSameText } from '../crypto/same-text.ts';
import type { ApiKeyRecord } from '../model/api-key.ts';
import type { RecordMac } from '../model/secret.ts';

type Marked = Omit<ApiKeyRecord, 'mac'>;

/** The MAC of an API key: without the keyring nobody can make a record that is accepted, or change what one allows. */
export function macOfApiKey(record: Marked, { mac: { active } }: Keyring): RecordMac {
  return { kid: active.kid, tag: tagOf(record, active) };
}

/**
 * Called before anything is done with what a store keeps of an API key.
 * @param hash of the key that was looked up, where one was sent
 * @throws ForgedApiKey when something other than a gateway wrote it
 * @throws KeyMissing when the keyring lacks the key of the MAC
 */
export function requireGenuine(record: ApiKeyRecord, { mac }: Keyring, hash = record.hash): void {
  const key = usableKey(mac, record.mac.kid);
  if (!key) throw new KeyMissing(record.mac.kid);
  if (!isSameText(record.hash, hash) || !isSameText(record.mac.tag, tagOf(record, key)))
    throw new ForgedApiKey(record.id);
}

/** What stands in the database was not written by a gateway. Its id is told in the log. */
export class ForgedApiKey extends Error {
  override readonly name = 'ForgedApiKey';
  readonly code: string;

  constructor(id: string) {
    super('the record of an API key was changed in the database');
    this.code = /^[0-9a-f-]{36}$/.test(id) ? id : 'unknown';
  }
}

/** `lastUsedAt` is not in it: it is written by itself, and gives no right. */
function tagOf(record: Marked, key: MacKey): string {
  const { hash, id, teamId, connectorId, name, prefix, scopes, createdAt, createdBy, expiresAt, revokedAt } = record;
  const times = [createdAt, expiresAt, revokedAt].map((time) => time?.getTime() ?? null);
  const what = [hash, id, teamId, connectorId, name, prefix, scopes] as const;
  return hmac(key, ['API key', 1, ...what, createdBy.kind, createdBy.id, times]);
}
