import type { KeyObject } from 'node:crypto';
import { errors, exportJWK, generateKeyPair, type JWK, type JWTHeaderParameters } from 'jose';
import { vi } from 'vitest';
import { DomainError } from '../../src/errors.ts';
import { KeySet } from '../../src/identity/key-set.ts';
import type { UnusableKey } from '../../src/identity/usable-keys.ts';

export const second = 1000;
export const minute = 60 * second;

/** Public keys by their names. */
export const keys: Readonly<Record<string, JWK>> = Object.fromEntries(
  await Promise.all(
    ['one', 'two', 'other one'].map(async (name) => {
      const { publicKey } = await generateKeyPair('ES256', { extractable: true });
      return [name, { ...(await exportJWK(publicKey)), kid: name.split(' ').at(-1) ?? name, alg: 'ES256' }];
    }),
  ),
);

export const away = new DomainError('BAD_GATEWAY');
export const settled = () => new Promise((resolve) => setImmediate(resolve));
export const refusedFor = (reason: string) => ({ code: 'UNAUTHORIZED', details: { reason } });

const notSigned = new errors.JWSSignatureVerificationFailed();
/** What a verification with these keys gives: the name of the first that has signed. */
export const signedBy =
  (...names: string[]) =>
  async (key: KeyObject) => {
    const { x } = key.export({ format: 'jwk' });
    const name = names.find((one) => keys[one]?.x === x);
    if (name === undefined) throw notSigned;
    return name;
  };

/** The keys that an issuer publishes, a clock, and a key set that follows them. */
export class PublishedKeys {
  published: unknown[] = [keys.one];
  isAway = false;
  elapsed = 0;
  readonly load = vi.fn(async (): Promise<readonly unknown[]> => {
    if (this.isAway) throw away;
    return structuredClone(this.published);
  });
  readonly onFault = vi.fn<(error: unknown) => void>();
  readonly onUnusable = vi.fn<(unusable: readonly UnusableKey[]) => void>();
  readonly keySet = new KeySet({
    source: 'https://issuer.test/jwks',
    load: this.load,
    onFault: this.onFault,
    onUnusable: this.onUnusable,
    now: () => this.elapsed,
  });

  publish(...names: string[]): void {
    this.published = names.map((name) => keys[name]);
  }

  /** Verifies a token with this kid that the key of this name has signed. */
  async verify(kid: string | undefined, name = kid ?? 'one'): Promise<string> {
    return this.keySet.verify(
      { alg: 'ES256', ...(kid !== undefined && { kid }) } as JWTHeaderParameters,
      signedBy(name),
    );
  }

  /** The generation after any reload in flight. */
  async generation(): Promise<number> {
    this.keySet.generation();
    await settled();
    return this.keySet.generation();
  }
}
