import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { DomainError } from '../../src/errors.ts';
import { hashOfApiKey, newApiKey } from '../../src/identity/api-key.ts';
import { macOfApiKey } from '../../src/identity/api-key-mac.ts';
import { type ApiKeyVerifier, createApiKeyVerifier } from '../../src/identity/verify-api-key.ts';
import type { ApiKeyRecord } from '../../src/model/api-key.ts';
import { testKeyring as keyring } from '../support/keyring.ts';

const secondsPromised = 5;
let stored: Map<string, ApiKeyRecord>;
let finds: number;
let admitted: number;
let uses: number[];
let clockMs: number;
let away: Error | null;
let verifier: ApiKeyVerifier;

beforeEach(() => {
  [stored, finds, admitted, uses, clockMs, away] = [new Map(), 0, 0, [], 1_000_000, null];
  verifier = createApiKeyVerifier({
    find: async (hash) => {
      finds += 1;
      if (away) throw away;
      return stored.get(hash);
    },
    keyring: () => keyring,
    onUse: (_hash, at) => uses.push(at.getTime()),
    now: () => clockMs,
    clock: () => clockMs,
  });
});

function keep(key: string, fields: Partial<ApiKeyRecord> = {}): ApiKeyRecord {
  const said = {
    ...{ id: crypto.randomUUID(), teamId: 'red', connectorId: null, name: 'n', prefix: 'sgk_abcde' },
    scopes: ['secrets:read'] as const,
    createdAt: new Date(0),
    createdBy: { kind: 'user', id: 'ada' } as const,
    ...{ expiresAt: null, lastUsedAt: null, revokedAt: null, hash: hashOfApiKey(key) },
    ...fields,
  };
  const record = { ...said, mac: macOfApiKey(said, keyring) };
  stored.set(record.hash, record);
  return record;
}

const verify = async (key: string) =>
  verifier.verify(key, async () => {
    admitted += 1;
  });
const outcome = (key: string) =>
  verify(key).then(
    () => 'good',
    (error: { code?: string }) => error.code,
  );

describe('an API key', () => {
  it('is a principal with its team, its connector and its scopes', async () => {
    const [key, bound] = [newApiKey(), newApiKey()];
    const { id } = keep(key);
    const teams = [{ id: 'red', role: 'member' }];
    expect(await verify(key)).toEqual({ kind: 'apiKey', subject: id, teams, scopes: new Set(['secrets:read']) });
    keep(bound, { connectorId: 'c', scopes: [] });
    expect(await verify(bound)).toMatchObject({ connectorId: 'c', scopes: new Set() });
  });

  it('is looked up once however many requests come at once, and not again for 4 seconds', async () => {
    const key = newApiKey();
    keep(key);
    await Promise.all(Array.from({ length: 20 }, () => verify(key)));
    clockMs += 3999;
    await verify(key);
    expect(finds).toBe(1);
    clockMs += 1;
    await verify(key);
    expect(finds).toBe(2);
  });

  it('with a typing error is refused without a look-up', async () => {
    const key = newApiKey();
    keep(key);
    const typo = key.slice(0, 20) + (key[20] === 'x' ? 'y' : 'x') + key.slice(21);
    for (const wrong of [typo, '', 'sgk_', `${key}0`, 'x'.repeat(100_000)])
      expect(await outcome(wrong)).toBe('UNAUTHORIZED');
    expect([finds, admitted]).toEqual([0, 0]);
  });

  it('that is not there or was revoked is not looked up again for 4 seconds', async () => {
    const [key, revoked] = [newApiKey(), newApiKey()];
    keep(revoked, { revokedAt: new Date(0) });
    for (const wrong of [key, revoked]) {
      for (let time = 0; time < 10; time += 1) expect(await outcome(wrong)).toBe('UNAUTHORIZED');
    }
    expect(finds).toBe(2);
  });

  it('is decided by what is stored as soon as it is forgotten, also while it is being looked up', async () => {
    const key = newApiKey();
    const record = keep(key);
    const early = outcome(key);
    keep(key, { ...record, revokedAt: new Date(0) });
    verifier.forget(record.hash);
    expect(await outcome(key)).toBe('UNAUTHORIZED');
    await early;
    expect(await outcome(key)).toBe('UNAUTHORIZED');
  });

  it('ends at its expiry to the millisecond, without a look-up', async () => {
    const key = newApiKey();
    keep(key, { expiresAt: new Date(clockMs + 1000) });
    clockMs += 999;
    expect(await outcome(key)).toBe('good');
    clockMs += 1;
    expect(await outcome(key)).toBe('UNAUTHORIZED');
    expect(finds).toBe(1);
  });

  it('asks whether its sender may have it looked up, unless it was good before', async () => {
    const key = newApiKey();
    const { hash } = keep(key);
    await verify(key);
    expect(admitted).toBe(1);
    clockMs += 60_000;
    await verify(key);
    expect([finds, admitted]).toEqual([2, 1]);
    verifier.forget(hash);
    const refusal = new DomainError('TOO_MANY_REQUESTS');
    await expect(verifier.verify(key, () => Promise.reject(refusal))).rejects.toBe(refusal);
    expect(finds).toBe(2);
  });

  it.each(['GATEWAY_TIMEOUT', 'SERVICE_UNAVAILABLE'] as const)(
    'is SERVICE_UNAVAILABLE with Retry-After once what is known of it is old and the store answers %s',
    async (code) => {
      const key = newApiKey();
      keep(key);
      await verify(key);
      away = new DomainError(code, { retryAfterSeconds: 9 });
      clockMs += 3999;
      expect(await outcome(key)).toBe('good');
      clockMs += 1;
      await expect(verify(key)).rejects.toMatchObject({
        code: 'SERVICE_UNAVAILABLE',
        details: { retryAfterSeconds: 1 },
      });
      away = null;
      expect(await outcome(key)).toBe('good');
    },
  );

  it('is said to be used at once, and then once a minute, also when the store already knows', async () => {
    const [key, other] = [newApiKey(), newApiKey()];
    keep(key);
    const start = clockMs;
    for (; clockMs < start + 200_000; clockMs += 500) await verify(key);
    expect(uses).toEqual([0, 60_000, 120_000, 180_000].map((ms) => start + ms));
    uses.length = 0;
    keep(other, { lastUsedAt: new Date(clockMs - 30_000) });
    await verify(other);
    expect(uses).toEqual([]);
  });

  const forgeries: Record<string, (record: ApiKeyRecord, other: ApiKeyRecord) => Partial<ApiKeyRecord>> = {
    id: () => ({ id: crypto.randomUUID() }),
    team: () => ({ teamId: 'blue' }),
    connector: () => ({ connectorId: null }),
    scopes: () => ({ scopes: ['secrets:read', 'secrets:write'] }),
    expiry: () => ({ expiresAt: null }),
    revocation: () => ({ revokedAt: null }),
    name: () => ({ name: 'other' }),
    creator: () => ({ createdBy: { kind: 'apiKey', id: 'ada' } }),
    'time of creation': () => ({ createdAt: new Date(1) }),
    prefix: () => ({ prefix: 'sgk_fghij' }),
    hash: (_record, { hash }) => ({ hash }),
    MAC: (_record, { mac }) => ({ mac }),
    'MAC, left out': ({ mac }) => ({ mac: { ...mac, tag: '' } }),
  };
  it.each(Object.keys(forgeries))('whose %s somebody changed in the database is never accepted', async (what) => {
    const [key, own] = [newApiKey(), newApiKey()];
    const record = keep(key, { connectorId: 'c', expiresAt: new Date(0), revokedAt: new Date(0) });
    const other = keep(own);
    const forged = { ...record, ...forgeries[what]?.(record, other) };
    // Somebody who has a key of his own puts another record in its place, too.
    for (const [sent, under] of [
      [key, record.hash],
      [own, other.hash],
    ] as const) {
      stored.set(under, forged);
      verifier.forget(under);
      await expect(verify(sent)).rejects.toMatchObject({ name: 'ForgedApiKey', code: forged.id });
    }
  });

  it('whose MAC key the keyring lacks is SERVICE_UNAVAILABLE', async () => {
    const key = newApiKey();
    const record = keep(key);
    stored.set(record.hash, { ...record, mac: { ...record.mac, kid: 'mac-lost' } });
    await expect(verify(key)).rejects.toMatchObject({ name: 'DomainError', code: 'SERVICE_UNAVAILABLE' });
  });

  it('is never accepted 5 seconds after it was revoked elsewhere, whatever happens in between', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(3000), fc.constantFrom('use', 'cut', 'heal', 'forget')), { maxLength: 30 }),
        fc.nat(29),
        async (steps, revokedAt) => {
          const key = newApiKey();
          const record = keep(key);
          away = null;
          let revokedMs = Number.POSITIVE_INFINITY;
          for (const [index, [passMs, what]] of steps.entries()) {
            clockMs += passMs;
            if (index === revokedAt) {
              keep(key, { ...record, revokedAt: new Date(clockMs) });
              revokedMs = clockMs;
            }
            if (what === 'cut') away = new DomainError('SERVICE_UNAVAILABLE');
            if (what === 'heal') away = null;
            if (what === 'forget') verifier.forget(record.hash);
            const result = await outcome(key);
            if (clockMs >= revokedMs + secondsPromised * 1000) expect(result).not.toBe('good');
            if (clockMs < revokedMs && !away) expect(result).toBe('good');
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
