import { beforeEach, describe, expect, it } from 'vitest';
import { away, keys, minute, PublishedKeys, refusedFor, second, settled } from '../support/published-keys.ts';

let issuer: PublishedKeys;
beforeEach(() => {
  issuer = new PublishedKeys();
});

describe('keys that cannot be used', () => {
  it('are told once for each change, and the others are used', async () => {
    issuer.published = [null, keys.one];
    expect(await issuer.verify('one')).toBe('one');
    issuer.elapsed = 11 * minute;
    await issuer.generation();
    expect(issuer.onUnusable.mock.calls).toEqual([[[{ index: 0, kid: undefined, reason: 'not-an-object' }]]]);
    issuer.published = [keys.one, null];
    issuer.elapsed += 11 * minute;
    await issuer.generation();
    expect(issuer.onUnusable).toHaveBeenCalledTimes(2);
    expect(issuer.keySet.counts).toEqual({ usable: 1, unusable: 1 });
    expect(issuer.onFault).not.toHaveBeenCalled();
  });

  it('are the issuer’s fault for a token that names one of them', async () => {
    issuer.published = [{ ...keys.two, use: 'SIG' }, keys.one];
    await expect(issuer.verify('two')).rejects.toMatchObject({ code: 'BAD_GATEWAY', reason: 'unusable-key' });
    await expect(issuer.verify('made up', 'two')).rejects.toMatchObject(refusedFor('kid'));
  });

  it.each<[string, unknown[]]>([
    ['no-keys', []],
    ['no-usable-keys', [{ kty: 'oct', k: 'AAAA' }]],
  ])('and nothing else: %s, for every token, until there is a key', async (reason, nothing) => {
    await issuer.verify('one');
    issuer.published = nothing;
    issuer.elapsed = 11 * minute;
    await issuer.generation();
    await expect(issuer.verify('one')).rejects.toMatchObject({ code: 'BAD_GATEWAY', reason });
    expect(issuer.onFault).toHaveBeenCalledWith(
      expect.objectContaining({ reason, source: { source: 'https://issuer.test/jwks' } }),
    );
    issuer.publish('one');
    issuer.elapsed += second;
    expect(await issuer.verify('one')).toBe('one');
  });
});

describe('the check of a key set', () => {
  it('loads it without any token, and fails while there is no key', async () => {
    issuer.isAway = true;
    await expect(issuer.keySet.check()).rejects.toBe(away);
    issuer.isAway = false;
    issuer.elapsed = second;
    await issuer.keySet.check();
    expect(issuer.keySet.counts).toEqual({ usable: 1, unusable: 0 });
  });

  it('renews it without any token', async () => {
    await issuer.keySet.check();
    issuer.elapsed = 11 * minute;
    await issuer.keySet.check();
    await settled();
    expect(issuer.load).toHaveBeenCalledTimes(2);
  });
});
