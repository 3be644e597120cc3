import { exportJWK, generateKeyPair, type JWK } from 'jose';
import { describe, expect, it } from 'vitest';
import { keysOfSet } from '../../src/identity/usable-keys.ts';

async function publicJwk(alg: string): Promise<JWK> {
  const { publicKey } = await generateKeyPair(alg, { extractable: true });
  return exportJWK(publicKey);
}

describe('of a key set, a key is used', () => {
  it.each<[string, string[]]>([
    ['ES256', ['ES256']],
    ['ES384', ['ES384']],
    ['ES512', ['ES512']],
    ['Ed25519', ['EdDSA', 'Ed25519']],
    ['RS256', ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']],
  ])('for all algorithms of its kind when it names none: %s', async (alg, algorithms) => {
    const { usable, unusable } = keysOfSet([await publicJwk(alg)]);
    expect(unusable).toEqual([]);
    expect(usable[0]?.algorithms).toEqual(algorithms);
  });

  it.each<[string, string, string[]]>([
    ['RS256', 'RS512', ['RS512']],
    ['RS256', 'PS256', ['PS256']],
    ['Ed25519', 'EdDSA', ['EdDSA', 'Ed25519']],
    ['Ed25519', 'Ed25519', ['EdDSA', 'Ed25519']],
  ])('for the algorithm that it names: %s, %s', async (kind, alg, algorithms) => {
    expect(keysOfSet([{ ...(await publicJwk(kind)), alg }]).usable[0]?.algorithms).toEqual(algorithms);
  });

  it.each<[string, object]>([
    ['use', { use: 'sig' }],
    ['key_ops', { key_ops: ['verify'] }],
    ['more operations', { key_ops: ['sign', 'verify'] }],
    ['its certificate', { x5c: ['MIIB'], x5t: 'x' }],
    ['members that are not known', { nbf: 1, 'urn:x': {} }],
    ['an id that is no text', { kid: 7 }],
  ])('with %s', async (_what, more) => {
    expect(keysOfSet([{ ...(await publicJwk('ES256')), ...more }])).toMatchObject({ usable: [{}], unusable: [] });
  });
});

describe('of a key set, a key is not used, and its fault is told,', () => {
  it.each<[string, (jwk: JWK, rsa: JWK) => unknown, string]>([
    ['that is null', () => null, 'not-an-object'],
    ['that is text', () => 'key', 'not-an-object'],
    ['that is a list', () => [], 'not-an-object'],
    ['that is empty', () => ({}), 'unknown-type'],
    ['of an unknown type', () => ({ kty: 'AKP', pub: 'x' }), 'unknown-type'],
    [
      'on a curve that no accepted algorithm has',
      () => ({ kty: 'OKP', crv: 'X25519', x: 'A'.repeat(43) }),
      'unknown-type',
    ],
    ['that is a shared secret', () => ({ kty: 'oct', k: 'AAAA' }), 'symmetric'],
    ['with its private part', (jwk) => ({ ...jwk, d: 'AAAA' }), 'private'],
    ['with a prime of its private part', (_jwk, rsa) => ({ ...rsa, p: 'AAAA' }), 'private'],
    ['that is a certificate only', () => ({ kty: 'RSA', kid: 'one', x5c: ['MIIB'] }), 'certificate-only'],
    ['without a coordinate', ({ y: _y, ...jwk }) => jwk, 'incomplete'],
    ['with a point that is not on its curve', (jwk) => ({ ...jwk, y: jwk.x }), 'incomplete'],
    ['with a number for text', (jwk) => ({ ...jwk, x: 7 }), 'incomplete'],
    ['with an exponent of 1', (_jwk, rsa) => ({ ...rsa, e: 'AQ' }), 'rsa-too-small'],
    ['with a modulus of 1,024 bits', (_jwk, rsa) => ({ ...rsa, n: rsa.n?.slice(0, 171) }), 'rsa-too-small'],
    ['with use in capitals', (jwk) => ({ ...jwk, use: 'SIG' }), 'use'],
    ['with use that is no text', (jwk) => ({ ...jwk, use: ['sig'] }), 'use'],
    ['that only signs', (jwk) => ({ ...jwk, key_ops: ['sign'] }), 'key-ops'],
    ['for another algorithm', (jwk) => ({ ...jwk, alg: 'RS256' }), 'alg'],
    ['with its algorithm in lower case', (jwk) => ({ ...jwk, alg: 'es256' }), 'alg'],
  ])('%s', async (_what, make, reason) => {
    const good = await publicJwk('ES256');
    const { usable, unusable } = keysOfSet([good, make(await publicJwk('ES256'), await publicJwk('RS256'))]);
    expect(usable).toHaveLength(1);
    expect(unusable).toMatchObject([{ index: 1, reason }]);
  });

  it('when there are more than 300', async () => {
    const jwk = await publicJwk('ES256');
    const { usable, unusable } = keysOfSet(Array.from({ length: 301 }, (_, kid) => ({ ...jwk, kid: String(kid) })));
    expect(usable).toHaveLength(300);
    expect(unusable).toMatchObject([{ index: 300, reason: 'too-many' }]);
  });

  it('but not when the issuer publishes it for encryption', async () => {
    expect(keysOfSet([{ ...(await publicJwk('RS256')), use: 'enc', alg: 'RSA-OAEP' }])).toEqual({
      usable: [],
      unusable: [],
    });
  });
});
