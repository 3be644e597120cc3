import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readIssuersFile } from '../../src/identity/issuers-file.ts';
import { TestGateway } from '../support/gateway.ts';
import { blocksOf } from '../support/markdown.ts';

const page = await readFile(join(import.meta.dirname, '../../docs/identity-providers.md'), 'utf8');

interface Entry {
  issuer: string;
  algorithms: string[];
  jwksUrl?: string;
  jwksFile?: string;
}

/** The providers of docs/identity-providers.md: the settings, and tokens with what is read in them. */
const providers = page
  .split(/^## /m)
  .slice(1)
  .map((section) => {
    const [settings = '', ...rest] = blocksOf(section).map(({ text }) => text);
    const tokens = rest.flatMap((claims, index) =>
      index % 2 === 0 ? [{ claims: JSON.parse(claims), viewer: JSON.parse(rest[index + 1] ?? '') }] : [],
    );
    return { name: section.split('\n', 1)[0], settings, tokens };
  })
  .filter(({ tokens }) => tokens.length > 0);

const withoutJwt = { JWT_ISSUER: '', JWT_AUDIENCE: '', JWT_JWKS_URL: '' };

let gateway: TestGateway | undefined;
let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'issuers-'));
});
afterEach(async () => {
  await gateway?.close();
  await rm(directory, { recursive: true });
});

it('the page has settings for every provider', () => {
  const names = providers.map(({ name }) => name?.split(' ').at(-1));
  for (const name of [
    'Auth0',
    'ID',
    'Okta',
    'Keycloak',
    'Cognito',
    'Clerk',
    'Supabase',
    'Firebase',
    'Kubernetes',
    'Actions',
  ]) {
    expect(names).toContain(name);
  }
});

it.each(providers)(
  '$name: a token in the form of this issuer is read as the page says',
  async ({ settings, tokens }) => {
    const { issuers } = JSON.parse(settings) as { issuers: Entry[] };
    const path = join(directory, 'issuers.json');
    // The settings are good as they are; then the keys are replaced by ones that can sign here.
    await writeFile(path, settings, { mode: 0o644 });
    await readIssuersFile(path);

    const signers = new Map<string, (claims: Record<string, unknown>) => Promise<string>>();
    for (const [index, entry] of issuers.entries()) {
      const [alg = ''] = entry.algorithms;
      const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
      const jwk = { ...(await exportJWK(publicKey)), kid: `key-${index}`, alg, use: 'sig' };
      await writeFile(join(directory, `${index}.json`), JSON.stringify({ keys: [jwk] }), { mode: 0o644 });
      delete entry.jwksUrl;
      entry.jwksFile = `${index}.json`;
      signers.set(entry.issuer, (claims) =>
        new SignJWT(claims)
          .setProtectedHeader({ alg, kid: `key-${index}`, typ: 'JWT' })
          .setIssuedAt()
          .setExpirationTime('5m')
          .sign(privateKey),
      );
    }
    await writeFile(path, JSON.stringify({ issuers }));
    gateway = await TestGateway.start('sqlite', { ...withoutJwt, ISSUERS_FILE: path, RATE_LIMIT: 'off' });
    for (const { claims, viewer } of tokens) {
      const token = await signers.get(claims.iss)?.(claims);
      const { data, errors } = await gateway.run(
        '{ viewer { subject scopes teams { id role } } }',
        {},
        { token: token ?? '' },
      );
      expect(errors).toEqual([]);
      expect(data.viewer).toEqual(viewer);
    }
  },
);
