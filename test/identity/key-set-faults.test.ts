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

describe('keys that cannot be used', () => {
  it('are told once for each change, and the others are used', async () => {
    published = [null, keys.one];
    expect(await verify('one')).toBe('one');
    elapsed = 11 * minute;
    await generation();
    expect(onUnusable.mock.calls).toEqual([[[{ index: 0, kid: undefined, reason: 'not-an-object' }]]]);
    published = [keys.one, null];
    elapsed += 11 * minute;
    await generation();
    expect(onUnusable).toHaveBeenCalledTimes(2);
    expect(keySet.counts).toEqual({ usable: 1, unusable: 1 });
    expect(onFault).not.toHaveBeenCalled();
  });

  it('are the issuer’s fault for a token that names one of them', async () => {
    published = [{ ...keys.two, use: 'SIG' }, keys.one];
    await expect(verify('two')).rejects.toMatchObject({ code: 'BAD_GATEWAY', reason: 'unusable-key' });
    await expect(verify('made up', 'two')).rejects.toMatchObject(refusedFor('kid'));
  });

  it.each<[string, unknown[]]>([
    ['no-keys', []],
    ['no-usable-keys', [{ kty: 'oct', k: 'AAAA' }]],
  ])('and nothing else: %s, for every token, until there is a key', async (reason, nothing) => {
    await verify('one');
    published = nothing;
    elapsed = 11 * minute;
    await generation();
    await expect(verify('one')).rejects.toMatchObject({ code: 'BAD_GATEWAY', reason });
    expect(onFault).toHaveBeenCalledWith(
      expect.objectContaining({ reason, source: { source: 'https://issuer.test/jwks' } }),
    );
    publish('one');
    elapsed += second;
    expect(await verify('one')).toBe('one');
  });
});

describe('the check of a key set', () => {
  it('loads it without any token, and fails while there is no key', async () => {
    isAway = true;
    await expect(keySet.check()).rejects.toBe(away);
    isAway = false;
    elapsed = second;
    await keySet.check();
    expect(keySet.counts).toEqual({ usable: 1, unusable: 0 });
  });

  it('renews it without any token', async () => {
    await keySet.check();
    elapsed = 11 * minute;
    await keySet.check();
    await settled();
    expect(load).toHaveBeenCalledTimes(2);
  });
});
