import { exportJWK, generateKeyPair, type JSONWebKeySet, type JWK, type JWTHeaderParameters } from 'jose';
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { DomainError } from '../../src/errors.ts';
import { createKeySet, type KeySet } from '../../src/identity/key-set.ts';

const second = 1000;
const minute = 60 * second;

/** Public keys by their ids. */
const keys: Record<string, JWK> = {};
beforeAll(async () => {
  for (const kid of ['one', 'two', 'other one']) {
    const { publicKey } = await generateKeyPair('ES256', { extractable: true });
    keys[kid] = { ...(await exportJWK(publicKey)), kid: kid.split(' ').at(-1) ?? kid, alg: 'ES256' };
  }
});

const away = new DomainError('BAD_GATEWAY');
let published: JSONWebKeySet;
let isAway: boolean;
let elapsed: number;
const load = vi.fn<() => Promise<JSONWebKeySet>>();
const onError = vi.fn<(error: unknown) => void>();
let keySet: KeySet;

beforeEach(() => {
  load.mockReset().mockImplementation(async () => {
    if (isAway) throw away;
    return structuredClone(published);
  });
  onError.mockReset();
  publish('one');
  isAway = false;
  elapsed = 0;
  keySet = createKeySet(load, onError, () => elapsed);
});

function publish(...names: string[]): void {
  published = { keys: names.map((name) => keys[name] as JWK) };
}

const header = (kid: string): JWTHeaderParameters => ({ alg: 'ES256', kid });
const find = async (kid: string) => keySet.find(header(kid), { payload: '', signature: '' });
const settled = () => new Promise((resolve) => setImmediate(resolve));
const noMatch = { code: 'ERR_JWKS_NO_MATCHING_KEY' };

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
    expect(await find('one')).toMatchObject({ type: 'public' });
    expect(load).toHaveBeenCalledTimes(1);
  });

  it('once for all requests that wait for it, and each gets its key', async () => {
    publish('one', 'two');
    const found = await Promise.all(Array.from({ length: 50 }, (_, caller) => find(caller % 2 ? 'one' : 'two')));
    expect(new Set(found).size).toBe(2);
    expect(load).toHaveBeenCalledTimes(1);
  });

  it('once for all requests with an unknown key id', async () => {
    await find('one');
    publish('one', 'two');
    elapsed = 30 * second;
    await Promise.all(Array.from({ length: 50 }, () => find('two')));
    expect(load).toHaveBeenCalledTimes(2);
  });

  it('again when it is older than 10 minutes, while the old keys are used', async () => {
    await find('one');
    elapsed = 10 * minute;
    await generation();
    expect(load).toHaveBeenCalledTimes(1);
    elapsed += 1;
    load.mockReturnValueOnce(new Promise(() => {}));
    await generation();
    await generation();
    expect(load).toHaveBeenCalledTimes(2);
    expect(await find('one')).toMatchObject({ type: 'public' });
  });

  it('for an unknown key id at most every 30 s', async () => {
    await find('one');
    for (const at of [0, 29_999]) {
      elapsed = at;
      await expect(find('two')).rejects.toMatchObject(noMatch);
    }
    expect(load).toHaveBeenCalledTimes(1);
    elapsed = 30 * second;
    await expect(find('two')).rejects.toMatchObject(noMatch);
    await expect(find('two')).rejects.toMatchObject(noMatch);
    expect(load).toHaveBeenCalledTimes(2);
  });

  it('not for a known key id, whatever else is wrong with the header', async () => {
    publish('one', 'one');
    await find('one').catch(() => {});
    elapsed = 30 * second;
    await expect(find('one')).rejects.toMatchObject({ code: 'ERR_JWKS_MULTIPLE_MATCHING_KEYS' });
    expect(load).toHaveBeenCalledTimes(1);
  });

  it('at most every second while there is no key at all', async () => {
    isAway = true;
    for (const at of [0, 0, 999, 1000, 1000]) {
      elapsed = at;
      await expect(find('one')).rejects.toBe(away);
    }
    expect(load).toHaveBeenCalledTimes(2);
    expect(onError).toHaveBeenCalledTimes(2);
  });
});

describe('while the issuer cannot be reached,', () => {
  beforeEach(async () => {
    await find('one');
    isAway = true;
  });

  it('its keys are used for exactly 70 minutes', async () => {
    elapsed = 70 * minute;
    expect(await find('one')).toMatchObject({ type: 'public' });
    elapsed += 1;
    await expect(find('one')).rejects.toBe(away);
  });

  it('a reload is tried at most every 30 s, and each failure is reported', async () => {
    for (elapsed = 11 * minute; elapsed < 12 * minute; elapsed += second) await generation();
    expect(load).toHaveBeenCalledTimes(1 + 2);
    expect(onError.mock.calls).toEqual([[away], [away]]);
  });

  it('an unknown key id is an error of the issuer, not of the token', async () => {
    elapsed = minute;
    await expect(find('two')).rejects.toBe(away);
    await expect(find('two')).rejects.toBe(away);
    expect(load).toHaveBeenCalledTimes(2);
  });

  it('a known key is still found', async () => {
    elapsed = minute;
    await expect(find('two')).rejects.toBe(away);
    expect(await find('one')).toMatchObject({ type: 'public' });
  });

  it('and once it can be reached again, an unknown key id is an error of the token', async () => {
    elapsed = minute;
    await expect(find('two')).rejects.toBe(away);
    isAway = false;
    elapsed += 30 * second;
    await expect(find('two')).rejects.toMatchObject(noMatch);
  });
});

describe('the generation of a key set', () => {
  it.each<[string, string[], string[], number]>([
    ['stays when nothing changes', ['one', 'two'], ['one', 'two'], 0],
    ['stays when the keys come in another order', ['one', 'two'], ['two', 'one'], 0],
    ['stays when a key is added', ['one'], ['one', 'two'], 0],
    ['moves when a key is removed', ['one', 'two'], ['one'], 1],
    ['moves when a key is replaced', ['one'], ['two'], 1],
    ['moves when a key changes under its id', ['one'], ['other one'], 1],
    ['moves when all keys are removed', ['one'], [], 1],
  ])('%s', async (_what, before, after, moves) => {
    publish(...before);
    await find('one');
    publish(...after);
    elapsed = 11 * minute;
    expect(await generation()).toBe(moves);
    expect(load).toHaveBeenCalledTimes(2);
    elapsed += 11 * minute;
    expect(await generation()).toBe(moves);
  });

  it('moves when a reload for an unknown key id shows that another key was removed', async () => {
    await find('one');
    publish('two');
    elapsed = 30 * second;
    await find('two');
    expect(keySet.generation()).toBe(1);
  });

  it('stays while a reload fails', async () => {
    await find('one');
    isAway = true;
    elapsed = 11 * minute;
    expect(await generation()).toBe(0);
  });

  it('moves once when the keys are too old to use, whatever is loaded afterwards', async () => {
    await find('one');
    elapsed = 70 * minute + 1;
    expect(await generation()).toBe(1);
    await find('one');
    expect(await generation()).toBe(1);
  });
});
