import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { ApiKeyRecord } from '../../src/model/api-key.ts';
import type { NewAuditEvent } from '../../src/model/audit-event.ts';
import type { Owner } from '../../src/model/owner.ts';
import { StoreConflict, type Write } from '../../src/store/store.ts';
import { breakOf, byBytes, chain, countOf, insert, newRecord } from './fixtures.ts';
import type { Subject } from './subject.ts';

const minuteMs = 60_000;
const at = new Date('2026-03-04T05:06:07.089Z');
const newTeam = () => `team ${randomUUID()}`;
const ownerOf = (teamId: string): Owner => ({ type: 'team', teamId });

const newMac = () => ({ kid: 'mac-1', tag: randomUUID() });

export function newApiKeyRecord(teamId: string, fields: Partial<ApiKeyRecord> = {}): ApiKeyRecord {
  return {
    id: randomUUID(),
    teamId,
    connectorId: null,
    name: 'deploy',
    prefix: 'sgk_abcde',
    scopes: ['secrets:read', 'secrets:write'],
    createdAt: at,
    createdBy: { kind: 'user', id: 'ada' },
    expiresAt: null,
    lastUsedAt: null,
    revokedAt: null,
    hash: randomUUID(),
    mac: newMac(),
    ...fields,
  };
}

function eventOf(type: NewAuditEvent['type'], { id }: ApiKeyRecord): NewAuditEvent {
  return {
    type,
    actor: { kind: 'user', id: 'ada' },
    requestId: 'request-1',
    at,
    apiKeyId: id,
  };
}

export const insertApiKey = (record: ApiKeyRecord): Write => {
  return { type: 'insertApiKey', record, event: eventOf('apiKey.created', record) };
};

function change(from: ApiKeyRecord, fields: Partial<ApiKeyRecord>, successor?: ApiKeyRecord): Write {
  const to = { ...from, mac: newMac(), ...fields };
  return { type: 'changeApiKey', from, to, ...(successor && { successor }), event: eventOf('apiKey.rotated', from) };
}

const changed = (write: Write) => (write.type === 'changeApiKey' ? write.to : undefined);

/** What a store keeps of API keys. */
export function apiKeysContract(subject: Subject): void {
  describe('an API key', () => {
    const keys = () => subject.store.apiKeys;

    it('is read back with every field unchanged, by its hash and by its id', async () => {
      const teamId = `${newTeam()}/𝒯%`;
      const record = newApiKeyRecord(teamId, {
        connectorId: 'a/b:c% 鍵',
        name: 'Ключ 🔑',
        createdBy: { kind: 'user', id: 'auth0|"ü"' },
        expiresAt: new Date('9999-12-31T23:59:59.999Z'),
        lastUsedAt: new Date(1),
        revokedAt: new Date('2026-05-01T00:00:00.001Z'),
        scopes: [],
      });
      await subject.store.commit([insertApiKey(record)]);
      expect(await keys().findByHash(record.hash)).toEqual(record);
      expect(await keys().find(record.id, [newTeam(), teamId])).toEqual(record);
      const plain = newApiKeyRecord(teamId);
      await subject.store.commit([insertApiKey(plain)]);
      expect(await keys().findByHash(plain.hash)).toEqual(plain);
    });

    it('is found by no other hash, and by its id in no other team', async () => {
      const record = newApiKeyRecord(newTeam());
      await subject.store.commit([insertApiKey(record)]);
      const hashes = [randomUUID(), record.hash, record.hash.toUpperCase(), `${record.hash} `, ''];
      const found = await Promise.all(hashes.map((hash) => keys().findByHash(hash)));
      expect(found.map((key) => key?.id)).toEqual([undefined, record.id, undefined, undefined, undefined]);
      expect(await keys().find(record.id, [newTeam()])).toBeUndefined();
      expect(await keys().find(record.id, [])).toBeUndefined();
      expect(await keys().find(randomUUID(), [record.teamId])).toBeUndefined();
    });

    it('is in its team’s list and in no other, ordered by name and then id, in pages and with a count', async () => {
      const teamId = newTeam();
      const names = ['b', 'a', 'Z', 'a', '\ufffd', '\u{1f600}', 'b', 'a'];
      const records = names.map((name, index) =>
        newApiKeyRecord(teamId, { name, connectorId: index % 2 ? 'c' : null }),
      );
      for (const record of records) await subject.store.commit([insertApiKey(record)]);
      await subject.store.commit([insertApiKey(newApiKeyRecord(`${teamId}2`))]);
      const expected = records.toSorted((a, b) => byBytes(a.name, b.name) || byBytes(a.id, b.id));
      const all = await keys().list({ teamId, limit: 100, count: true });
      expect(all).toEqual({ apiKeys: expected, hasMore: false, totalCount: 8 });
      const found = [];
      for (let more = true; more; ) {
        const last = found.at(-1);
        const after = last && { after: { name: last.name, id: last.id } };
        const page = await keys().list({ teamId, limit: 3, count: false, ...after });
        expect(page.totalCount).toBeNull();
        found.push(...page.apiKeys);
        more = page.hasMore;
      }
      expect(found).toEqual(expected);
      expect(await keys().list({ teamId, limit: 0, count: true })).toEqual({
        apiKeys: [],
        hasMore: false,
        totalCount: 8,
      });
      expect(await keys().list({ teamId: newTeam(), limit: 5, count: true })).toMatchObject({
        apiKeys: [],
        totalCount: 0,
      });
    });

    it('is created, rotated and revoked in one commit each with its event, and counts as no secret', async () => {
      const teamId = newTeam();
      const owner = ownerOf(teamId);
      const record = newApiKeyRecord(teamId);
      const successor = newApiKeyRecord(teamId, { connectorId: 'c' });
      await subject.store.commit([insertApiKey(record), insert(newRecord(owner))]);
      const rotation = change(record, { expiresAt: at }, successor);
      await subject.store.commit([rotation]);
      const ended = changed(rotation);
      expect(await keys().findByHash(record.hash)).toEqual(ended);
      expect(await keys().findByHash(successor.hash)).toEqual(successor);
      const revocation = change(ended as ApiKeyRecord, { revokedAt: at });
      await subject.store.commit([revocation]);
      expect(await keys().find(record.id, [teamId])).toEqual(changed(revocation));
      const events = await chain(subject.store, owner);
      expect(events.map(({ type, apiKeyId }) => [type, apiKeyId])).toEqual([
        ['apiKey.created', record.id],
        ['secret.created', undefined],
        ['apiKey.rotated', record.id],
        ['apiKey.rotated', record.id],
      ]);
      expect(breakOf(events, owner)).toBeNull();
      expect(await countOf(subject.store, owner)).toBe(1);
    });

    it('is not changed by a writer who has not seen the last change, and nothing of that commit is written', async () => {
      const teamId = newTeam();
      const record = newApiKeyRecord(teamId);
      await subject.store.commit([insertApiKey(record)]);
      const first = change(record, { revokedAt: at });
      await subject.store.commit([first]);
      const successor = newApiKeyRecord(teamId);
      const late = [insert(newRecord(ownerOf(teamId))), change(record, { expiresAt: at }, successor)];
      await expect(subject.store.commit(late)).rejects.toEqual(new StoreConflict(1, 'version'));
      expect(await keys().findByHash(record.hash)).toEqual(changed(first));
      expect(await keys().findByHash(successor.hash)).toBeUndefined();
      expect(await chain(subject.store, ownerOf(teamId))).toHaveLength(2);
    });

    it('is changed by one of two writers at once', async () => {
      const teamId = newTeam();
      const record = newApiKeyRecord(teamId);
      await subject.store.commit([insertApiKey(record)]);
      const changes = Array.from({ length: 5 }, () => change(record, { expiresAt: at }, newApiKeyRecord(teamId)));
      const outcomes = await Promise.allSettled(changes.map((write) => subject.store.commit([write])));
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      expect((await keys().list({ teamId, limit: 9, count: true })).totalCount).toBe(2);
    });

    it('keeps when it was last used, once in the time that is asked for, and without an event', async () => {
      const record = newApiKeyRecord(newTeam());
      await subject.store.commit([insertApiKey(record)]);
      const used = async (ms: number) => {
        await keys().markUsed(record.hash, new Date(at.getTime() + ms), minuteMs);
        return (await keys().findByHash(record.hash))?.lastUsedAt?.getTime();
      };
      expect(await used(0)).toBe(at.getTime());
      expect(await used(minuteMs - 1)).toBe(at.getTime());
      expect(await used(minuteMs)).toBe(at.getTime() + minuteMs);
      expect(await used(0)).toBe(at.getTime() + minuteMs);
      expect(await chain(subject.store, ownerOf(record.teamId))).toHaveLength(1);
      // Another writer has not seen it, and need not.
      await subject.store.commit([change(record, { revokedAt: at })]);
      expect((await keys().findByHash(record.hash))?.lastUsedAt?.getTime()).toBe(at.getTime() + minuteMs);
      await keys().markUsed(randomUUID(), at, minuteMs);
    });
  });
}
