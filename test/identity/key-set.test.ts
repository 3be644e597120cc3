import type { KeyObject } from 'node:crypto';
import { errors, exportJWK, generateKeyPair, type JWK, type JWTHeaderParameters } from 'jose';
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { DomainError } from '../../src/errors.ts';
import { KeySet } from '../../src/identity/key-set.ts';
import type { UnusableKey } from '../../src/identity/usable-keys.ts';

const second = 1000;
const minute = 60 * second;

/** Public keys by their names. */
const keys: Record<string, JWK> = {};
beforeAll(async () => {
  for (const name of ['one', 'two', 'other one']) {
    const { publicKey } = await generateKeyPair('ES256', { extractable: true });
    keys[name] = { ...(await exportJWK(publicKey)), kid: name.split(' ').at(-1) ?? name, alg: 'ES256' };
  }
});

const away = new DomainError('BAD_GATEWAY');
let published: unknown[];
let isAway: boolean;
let elapsed: number;
const load = vi.fn<() => Promise<readonly unknown[]>>();
const onFault = vi.fn<(error: unknown) => void>();
const onUnusable = vi.fn<(keys: readonly UnusableKey[]) => void>();
let keySet: KeySet;

beforeEach(() => {
  load.mockReset().mockImplementation(async () => {
    if (isAway) throw away;
    return structuredClone(published);
  });
  onFault.mockReset();
  onUnusable.mockReset();
  publish('one');
  isAway = false;
  elapsed = 0;
  keySet = new KeySet({ source: 'https://issuer.test/jwks', load, onFault, onUnusable, now: () => elapsed });
});

function publish(...names: string[]): void {
  published = names.map((name) => keys[name]);
}

const notSigned = new errors.JWSSignatureVerificationFailed();
/** What a verification with these keys gives: the name of the first that has signed. */
const signedBy =
  (...names: string[]) =>
  async (key: KeyObject) => {
    const { x } = key.export({ format: 'jwk' });
    const name = names.find((one) => keys[one]?.x === x);
    if (name === undefined) throw notSigned;
    return name;
  };
/** Verifies a token with this kid that the key of this name has signed. */
const verify = async (kid: string | undefined, name = kid ?? 'one') =>
  keySet.verify({ alg: 'ES256', ...(kid !== undefined && { kid }) } as JWTHeaderParameters, signedBy(name));
const settled = () => new Promise((resolve) => setImmediate(resolve));
const refusedFor = (reason: string) => ({ code: 'UNAUTHORIZED', details: { reason } });

/** The generation after any reload in flight. */
async function generation(): Promise<number> {
  keySet.generation();
  await settled();
  return keySet.generation();
}

describe('a key set is loaded', () => {
  it('with the first token, not before', async () => {
    expect(await generation()).toBe(0);
    expect(load).not.toHaveBeenCalled();
    expect(await verify('one')).toBe('one');
    expect(load).toHaveBeenCalledTimes(1);
  });

  it('once for all requests that wait for it, and each gets its key', async () => {
    publish('one', 'two');
    const found = await Promise.all(Array.from({ length: 50 }, (_, caller) => verify(caller % 2 ? 'one' : 'two')));
    expect(new Set(found).size).toBe(2);
    expect(load).toHaveBeenCalledTimes(1);
  });

  it('once for all requests with an unknown key id', async () => {
    await verify('one');
    publish('one', 'two');
    elapsed = 30 * second;
    await Promise.all(Array.from({ length: 50 }, () => verify('two')));
    expect(load).toHaveBeenCalledTimes(2);
  });

  it('again when it is older than 10 minutes, while the old keys are used', async () => {
    await verify('one');
    elapsed = 10 * minute;
    await generation();
    expect(load).toHaveBeenCalledTimes(1);
    elapsed += 1;
    load.mockReturnValueOnce(new Promise(() => {}));
    await generation();
    await generation();
    expect(load).toHaveBeenCalledTimes(2);
    expect(await verify('one')).toBe('one');
  });

  it('for a token that no key verifies at most every 30 s, and the token may come again then', async () => {
    await verify('one');
    for (const [at, retryAfterSeconds] of [
      [0, 30],
      [29_999, 1],
    ] as const) {
      elapsed = at;
      await expect(verify('two')).rejects.toMatchObject({ details: { reason: 'kid', retryAfterSeconds } });
    }
    await expect(verify('one', 'two')).rejects.toMatchObject(refusedFor('signature'));
    expect(load).toHaveBeenCalledTimes(2);
    elapsed = 30 * second;
    await expect(verify('two')).rejects.toMatchObject(refusedFor('kid'));
    await expect(verify('two')).rejects.toMatchObject(refusedFor('kid'));
    await expect(verify('one', 'two')).rejects.toMatchObject(refusedFor('signature'));
    expect(load).toHaveBeenCalledTimes(3);
  });

  it('for a key that was published a moment after it was loaded', async () => {
    await verify('one');
    publish('one', 'two');
    expect(await verify('two')).toBe('two');
    expect(load).toHaveBeenCalledTimes(2);
  });

  it('for a key that was replaced under its id', async () => {
    await verify('one');
    publish('other one');
    expect(await verify('one', 'other one')).toBe('other one');
    expect(load).toHaveBeenCalledTimes(2);
  });

  it('not when the token is wrong for another reason', async () => {
    await verify('one');
    elapsed = 30 * second;
    const expired = new errors.JWTExpired('expired', {});
    await expect(keySet.verify({ alg: 'ES256' }, () => Promise.reject(expired))).rejects.toBe(expired);
    expect(load).toHaveBeenCalledTimes(1);
  });

  it('at most every second while there is no key at all', async () => {
    isAway = true;
    for (const at of [0, 0, 999, 1000, 1000]) {
      elapsed = at;
      await expect(verify('one')).rejects.toBe(away);
    }
    expect(load).toHaveBeenCalledTimes(2);
    expect(onFault).toHaveBeenCalledTimes(2);
  });
});

describe('the keys that are tried', () => {
  it.each<[string, string[], string | undefined, string]>([
    ['all, for a token without a kid', ['one', 'two'], undefined, 'two'],
    ['each key with the kid, when two have it', ['one', 'other one'], 'one', 'other one'],
    ['one that is published twice', ['one', 'one'], 'one', 'one'],
  ])('are %s', async (_what, names, kid, signer) => {
    publish(...names);
    expect(await verify(kid, signer)).toBe(signer);
  });

  it('include those without a kid, whatever kid the token has', async () => {
    const { kid: _kid, ...unnamed } = keys.two ?? {};
    published = [keys.one, unnamed];
    expect(await verify('from elsewhere', 'two')).toBe('two');
  });

  it('are those of the token’s algorithm alone', async () => {
    const check = vi.fn(signedBy('two'));
    await expect(keySet.verify({ alg: 'RS256', kid: 'one' }, check)).rejects.toMatchObject(refusedFor('kid'));
    expect(check).not.toHaveBeenCalled();
  });

  it('are 32 at most, each once', async () => {
    published = [];
    for (let index = 0; index < 40; index += 1) {
      const { publicKey } = await generateKeyPair('ES256', { extractable: true });
      published.push(await exportJWK(publicKey));
    }
    const check = vi.fn(signedBy('one'));
    await expect(keySet.verify({ alg: 'ES256' }, check)).rejects.toMatchObject(refusedFor('signature'));
    elapsed = 30 * second;
    await expect(keySet.verify({ alg: 'ES256' }, check)).rejects.toMatchObject(refusedFor('signature'));
    expect(check).toHaveBeenCalledTimes(2 * 32);
  });
});

describe('while the issuer cannot be reached,', () => {
  beforeEach(async () => {
    await verify('one');
    isAway = true;
  });

  it('its keys are used for exactly 70 minutes', async () => {
    elapsed = 70 * minute;
    expect(await verify('one')).toBe('one');
    elapsed += 1;
    await expect(verify('one')).rejects.toBe(away);
  });

  it('a reload is tried at most every 30 s, and each failure is reported', async () => {
    for (elapsed = 11 * minute; elapsed < 12 * minute; elapsed += second) await generation();
    expect(load).toHaveBeenCalledTimes(1 + 2);
    expect(onFault.mock.calls).toEqual([[away], [away]]);
  });

  it('an unknown key id is an error of the issuer, not of the token', async () => {
    elapsed = minute;
    await expect(verify('two')).rejects.toBe(away);
    await expect(verify('two')).rejects.toBe(away);
    expect(load).toHaveBeenCalledTimes(2);
  });

  it('a wrong signature under a known key id is still an error of the token', async () => {
    elapsed = minute;
    await expect(verify('one', 'two')).rejects.toMatchObject(refusedFor('signature'));
  });

  it('a known key is still found', async () => {
    elapsed = minute;
    await expect(verify('two')).rejects.toBe(away);
    expect(await verify('one')).toBe('one');
  });

  it('and once it can be reached again, an unknown key id is an error of the token', async () => {
    elapsed = minute;
    await expect(verify('two')).rejects.toBe(away);
    isAway = false;
    elapsed += 30 * second;
    await expect(verify('two')).rejects.toMatchObject(refusedFor('kid'));
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
    publish(...before);
    await verify('one');
    publish(...after);
    elapsed = 11 * minute;
    expect(await generation()).toBe(moves);
    expect(load).toHaveBeenCalledTimes(2);
    elapsed += 11 * minute;
    expect(await generation()).toBe(moves);
  });

  it('moves when a reload for an unknown key id shows that another key was removed', async () => {
    await verify('one');
    publish('two');
    elapsed = 30 * second;
    await verify('two');
    expect(keySet.generation()).toBe(1);
  });

  it('stays while a reload fails', async () => {
    await verify('one');
    isAway = true;
    elapsed = 11 * minute;
    expect(await generation()).toBe(0);
  });

  it('moves once when the keys are too old to use, whatever is loaded afterwards', async () => {
    await verify('one');
    elapsed = 70 * minute + 1;
    expect(await generation()).toBe(1);
    await verify('one');
    expect(await generation()).toBe(1);
  });
});
