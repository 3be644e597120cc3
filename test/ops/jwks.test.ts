import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rotateKeyring } from '../../src/keyring/change.ts';
import { sealKeys } from '../support/keyring.ts';
import { expectSealRefused, newName, Sealing } from '../support/sealing.ts';

const path = '/.well-known/jwks.json';
const origin = 'https://app.example.com';

describe('the published sealing keys', () => {
  let sealing: Sealing;
  let url: URL;
  beforeAll(async () => {
    sealing = await Sealing.start('sqlite', { CORS_ORIGINS: origin });
    url = new URL(path, sealing.gateway.url);
  });
  afterAll(() => sealing.gateway.close());

  it('are there for everybody, and are those of the schema, without what is secret', async () => {
    const response = await fetch(url);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/jwk-set+json');
    expect(response.headers.get('cache-control')).toBe('public, max-age=300');
    const { keys } = await response.json();
    expect(keys).toEqual(sealing.keys.map(({ jwk }) => jwk));
    for (const key of keys) {
      expect(key).toMatchObject({ use: 'enc', alg: 'ECDH-ES+A256KW', kid: expect.stringMatching(/^seal-/) });
      expect(Object.keys(key)).not.toContain('d');
    }
    expect(keys.map(({ crv }: { crv: string }) => crv)).toEqual(sealKeys.map(({ crv }) => crv));
  });

  it('are not sent again to who has them', async () => {
    const etag = (await fetch(url)).headers.get('etag') ?? '';
    expect(etag).toMatch(/^"[\w-]+"$/);
    for (const known of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const response = await fetch(url, { headers: { 'if-none-match': known } });
      expect(response.status).toBe(304);
      expect(await response.text()).toBe('');
      expect(response.headers.get('cache-control')).toBe('public, max-age=300');
    }
    expect((await fetch(url, { headers: { 'if-none-match': '"other"' } })).status).toBe(200);
  });

  it('are asked for with GET and HEAD, and read by pages of the allowed origins', async () => {
    const head = await fetch(url, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
    expect(Number(head.headers.get('content-length'))).toBeGreaterThan(200);
    const post = await fetch(url, { method: 'POST' });
    expect([post.status, post.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    const crossOrigin = await fetch(url, { headers: { origin } });
    expect(crossOrigin.headers.get('access-control-allow-origin')).toBe(origin);
    const other = await fetch(url, { headers: { origin: 'https://elsewhere.example.com' } });
    expect(other.headers.get('access-control-allow-origin')).toBeNull();
  });

  it('follow a rotation; what was sealed to the keys before still opens, until they are removed', async () => {
    const [before, name, later] = [await fetch(url), newName(), newName()];
    const sealedValue = await sealing.seal('to the old key', { name });
    const tooLate = await sealing.seal('to the old key', { name: later });
    const keyringFile = join(sealing.gateway.directory, 'keyring.json');
    const ring = await rotateKeyring(keyringFile, 'seal');
    const { kid } = ring.seal.X25519.active;
    await expect.poll(async () => (await fetch(url)).text(), { timeout: 10_000 }).toContain(kid);
    const etag = (await fetch(url)).headers.get('etag');
    expect(etag).not.toBe(before.headers.get('etag'));
    const { sealingKeys } = (await sealing.gateway.run('{ sealingKeys { kid alg jwk } }')).data;
    expect(sealingKeys.map((key: { kid: string }) => key.kid)).toEqual([kid, ring.seal['P-256'].active.kid]);
    expect((await sealing.create({ name, sealedValue })).errors).toEqual([]);
    const next = new Sealing(sealing.gateway, sealingKeys);
    const fresh = newName();
    expect((await next.create({ name: fresh, sealedValue: await next.seal('v', { name: fresh }) })).errors).toEqual([]);
    // Over 20 minutes later.
    const text = await readFile(keyringFile, 'utf8');
    await writeFile(keyringFile, text.replaceAll(/"replacedAt": ".*"/g, '"replacedAt": "2026-01-02T03:04:05Z"'));
    await expect.poll(() => sealing.gateway.log.join('').split('keyring loaded').length, { timeout: 10_000 }).toBe(3);
    expectSealRefused(await sealing.create({ name: later, sealedValue: tooLate }), 'unknown_key');
  });
});
