import { errors, exportJWK, generateKeyPair } from 'jose';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { away, keys, minute, PublishedKeys, refusedFor, second, signedBy } from '../support/published-keys.ts';

let issuer: PublishedKeys;
beforeEach(() => {
  issuer = new PublishedKeys();
});

describe('a key set is loaded', () => {
  it('with the first token, not before', async () => {
    expect(await issuer.generation()).toBe(0);
    expect(issuer.load).not.toHaveBeenCalled();
    expect(await issuer.verify('one')).toBe('one');
    expect(issuer.load).toHaveBeenCalledTimes(1);
  });

  it('once for all requests that wait for it, and each gets its key', async () => {
    issuer.publish('one', 'two');
    const found = await Promise.all(
      Array.from({ length: 50 }, (_, caller) => issuer.verify(caller % 2 ? 'one' : 'two')),
    );
    expect(new Set(found).size).toBe(2);
    expect(issuer.load).toHaveBeenCalledTimes(1);
  });

  it('once for all requests with an unknown key id', async () => {
    await issuer.verify('one');
    issuer.publish('one', 'two');
    issuer.elapsed = 30 * second;
    await Promise.all(Array.from({ length: 50 }, () => issuer.verify('two')));
    expect(issuer.load).toHaveBeenCalledTimes(2);
  });

  it('again when it is older than 10 minutes, while the old keys are used', async () => {
    await issuer.verify('one');
    issuer.elapsed = 10 * minute;
    await issuer.generation();
    expect(issuer.load).toHaveBeenCalledTimes(1);
    issuer.elapsed += 1;
    issuer.load.mockReturnValueOnce(new Promise(() => {}));
    await issuer.generation();
    await issuer.generation();
    expect(issuer.load).toHaveBeenCalledTimes(2);
    expect(await issuer.verify('one')).toBe('one');
  });

  it('for a token that no key verifies at most every 30 s, and the token may come again then', async () => {
    await issuer.verify('one');
    for (const [at, retryAfterSeconds] of [
      [0, 30],
      [29_999, 1],
    ] as const) {
      issuer.elapsed = at;
      await expect(issuer.verify('two')).rejects.toMatchObject({ details: { reason: 'kid', retryAfterSeconds } });
    }
    await expect(issuer.verify('one', 'two')).rejects.toMatchObject(refusedFor('signature'));
    expect(issuer.load).toHaveBeenCalledTimes(2);
    issuer.elapsed = 30 * second;
    await expect(issuer.verify('two')).rejects.toMatchObject(refusedFor('kid'));
    await expect(issuer.verify('two')).rejects.toMatchObject(refusedFor('kid'));
    await expect(issuer.verify('one', 'two')).rejects.toMatchObject(refusedFor('signature'));
    expect(issuer.load).toHaveBeenCalledTimes(3);
  });

  it('for a key that was published a moment after it was loaded', async () => {
    await issuer.verify('one');
    issuer.publish('one', 'two');
    expect(await issuer.verify('two')).toBe('two');
    expect(issuer.load).toHaveBeenCalledTimes(2);
  });

  it('for a key that was replaced under its id', async () => {
    await issuer.verify('one');
    issuer.publish('other one');
    expect(await issuer.verify('one', 'other one')).toBe('other one');
    expect(issuer.load).toHaveBeenCalledTimes(2);
  });

  it('not when the token is wrong for another reason', async () => {
    await issuer.verify('one');
    issuer.elapsed = 30 * second;
    const expired = new errors.JWTExpired('expired', {});
    await expect(issuer.keySet.verify({ alg: 'ES256' }, () => Promise.reject(expired))).rejects.toBe(expired);
    expect(issuer.load).toHaveBeenCalledTimes(1);
  });

  it('at most every second while there is no key at all', async () => {
    issuer.isAway = true;
    for (const at of [0, 0, 999, 1000, 1000]) {
      issuer.elapsed = at;
      await expect(issuer.verify('one')).rejects.toBe(away);
    }
    expect(issuer.load).toHaveBeenCalledTimes(2);
    expect(issuer.onFault).toHaveBeenCalledTimes(2);
  });
});

describe('the keys that are tried', () => {
  it.each<[string, string[], string | undefined, string]>([
    ['all, for a token without a kid', ['one', 'two'], undefined, 'two'],
    ['each key with the kid, when two have it', ['one', 'other one'], 'one', 'other one'],
    ['one that is published twice', ['one', 'one'], 'one', 'one'],
  ])('are %s', async (_what, names, kid, signer) => {
    issuer.publish(...names);
    expect(await issuer.verify(kid, signer)).toBe(signer);
  });

  it('include those without a kid, whatever kid the token has', async () => {
    const { kid: _kid, ...unnamed } = keys.two ?? {};
    issuer.published = [keys.one, unnamed];
    expect(await issuer.verify('from elsewhere', 'two')).toBe('two');
  });

  it('are those of the token’s algorithm alone', async () => {
    const check = vi.fn(signedBy('two'));
    await expect(issuer.keySet.verify({ alg: 'RS256', kid: 'one' }, check)).rejects.toMatchObject(refusedFor('kid'));
    expect(check).not.toHaveBeenCalled();
  });

  it('are 32 at most, each once', async () => {
    issuer.published = [];
    for (let index = 0; index < 40; index += 1) {
      const { publicKey } = await generateKeyPair('ES256', { extractable: true });
      issuer.published.push(await exportJWK(publicKey));
    }
    const check = vi.fn(signedBy('one'));
    await expect(issuer.keySet.verify({ alg: 'ES256' }, check)).rejects.toMatchObject(refusedFor('signature'));
    issuer.elapsed = 30 * second;
    await expect(issuer.keySet.verify({ alg: 'ES256' }, check)).rejects.toMatchObject(refusedFor('signature'));
    expect(check).toHaveBeenCalledTimes(2 * 32);
  });
});

describe('while the issuer cannot be reached,', () => {
  beforeEach(async () => {
    await issuer.verify('one');
    issuer.isAway = true;
  });

  it('its keys are used for exactly 70 minutes', async () => {
    issuer.elapsed = 70 * minute;
    expect(await issuer.verify('one')).toBe('one');
    issuer.elapsed += 1;
    await expect(issuer.verify('one')).rejects.toBe(away);
  });

  it('a reload is tried at most every 30 s, and each failure is reported', async () => {
    for (issuer.elapsed = 11 * minute; issuer.elapsed < 12 * minute; issuer.elapsed += second)
      await issuer.generation();
    expect(issuer.load).toHaveBeenCalledTimes(1 + 2);
    expect(issuer.onFault.mock.calls).toEqual([[away], [away]]);
  });

  it('an unknown key id is an error of the issuer, not of the token', async () => {
    issuer.elapsed = minute;
    await expect(issuer.verify('two')).rejects.toBe(away);
    await expect(issuer.verify('two')).rejects.toBe(away);
    expect(issuer.load).toHaveBeenCalledTimes(2);
  });

  it('a wrong signature under a known key id is still an error of the token', async () => {
    issuer.elapsed = minute;
    await expect(issuer.verify('one', 'two')).rejects.toMatchObject(refusedFor('signature'));
  });

  it('a known key is still found', async () => {
    issuer.elapsed = minute;
    await expect(issuer.verify('two')).rejects.toBe(away);
    expect(await issuer.verify('one')).toBe('one');
  });

  it('and once it can be reached again, an unknown key id is an error of the token', async () => {
    issuer.elapsed = minute;
    await expect(issuer.verify('two')).rejects.toBe(away);
    issuer.isAway = false;
    issuer.elapsed += 30 * second;
    await expect(issuer.verify('two')).rejects.toMatchObject(refusedFor('kid'));
  });
});

describe('the generation of a key set', () => {
  it.each<[string, string[], string[], number]>([
    ['stays when nothing changes', ['one', 'two'], ['one', 'two'], 0],
    ['stays when the keys come in another order', ['one', 'two'], ['two', 'one'], 0],
    ['stays when a key is added', ['one'], ['one', 'two'], 0],
    ['stays when a key is published twice', ['one'], ['one', 'one'], 0],
    ['moves when a key is removed', ['one', 'two'], ['one'], 1],
    ['moves when a key is replaced', ['one'], ['two'], 1],
    ['moves when a key changes under its id', ['one'], ['other one'], 1],
    ['moves when all keys are removed', ['one'], [], 1],
  ])('%s', async (_what, before, after, moves) => {
    issuer.publish(...before);
    await issuer.verify('one');
    issuer.publish(...after);
    issuer.elapsed = 11 * minute;
    expect(await issuer.generation()).toBe(moves);
    expect(issuer.load).toHaveBeenCalledTimes(2);
    issuer.elapsed += 11 * minute;
    expect(await issuer.generation()).toBe(moves);
  });

  it('moves when a reload for an unknown key id shows that another key was removed', async () => {
    await issuer.verify('one');
    issuer.publish('two');
    issuer.elapsed = 30 * second;
    await issuer.verify('two');
    expect(issuer.keySet.generation()).toBe(1);
  });

  it('stays while a reload fails', async () => {
    await issuer.verify('one');
    issuer.isAway = true;
    issuer.elapsed = 11 * minute;
    expect(await issuer.generation()).toBe(0);
  });

  it('moves once when the keys are too old to use, whatever is loaded afterwards', async () => {
    await issuer.verify('one');
    issuer.elapsed = 70 * minute + 1;
    expect(await issuer.generation()).toBe(1);
    await issuer.verify('one');
    expect(await issuer.generation()).toBe(1);
  });
});
