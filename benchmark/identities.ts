import { randomUUIDv7 } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { hashOfApiKey, newApiKey, shownPrefixOf } from '../src/identity/api-key.ts';
import { macOfApiKey } from '../src/identity/api-key-mac.ts';
import type { ApiKeyRecord } from '../src/model/api-key.ts';
import { testKeyring, writeKeyring } from '../test/support/keyring.ts';
import { kid } from './records.ts';

export const issuer = 'https://issuer.test';
export const audience = 'secrets-gateway';

/** One for each connection that reads: identical lists would be read once for all connections. */
export const reader = (connection: number) => `reader-${connection}`;
/** How many readers have teams of their own. */
export const teamGroups = 32;
/** The teams of a reader. */
export const teamsOf = (connection: number) =>
  Array.from({ length: 10 }, (_, index) => `team-${connection % teamGroups}-${index}`);
/** One for each connection that writes, as different users would be. */
export const writer = (connection: number) => `writer-${connection}`;

/** One for each connection with an API key: the first of its teams holds it. */
export const apiKeyHolder = (connection: number) => `apiKey-${connection}`;
/** Who has used up a rate limit. */
export const spender = () => 'spender';

/** The API key of a team, for each group of teams. */
const apiKeys = Array.from({ length: teamGroups }, newApiKey);

export const apiKeyRecords: readonly ApiKeyRecord[] = apiKeys.map((key, group) => {
  const record: Omit<ApiKeyRecord, 'mac'> = {
    id: randomUUIDv7(),
    teamId: teamsOf(group)[0] ?? '',
    connectorId: null,
    name: 'benchmark',
    prefix: shownPrefixOf(key),
    scopes: ['secrets:read'],
    createdAt: new Date(),
    createdBy: { kind: 'user', id: 'benchmark' },
    expiresAt: null,
    lastUsedAt: null,
    revokedAt: null,
    hash: hashOfApiKey(key),
  };
  return { ...record, mac: macOfApiKey(record, testKeyring) };
});

export interface Identities {
  readonly keyringFile: string;
  readonly jwksFile: string;
  token(subject: string): Promise<string>;
}

/** A keyring and an issuer, in this directory. */
export async function createIdentities(directory: string): Promise<Identities> {
  const keyringFile = join(directory, 'keyring.json');
  await writeKeyring(keyringFile, [{ kid, state: 'active' }]);
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const jwksFile = join(directory, 'jwks.json');
  const jwk = { ...(await exportJWK(publicKey)), kid: 'benchmark', alg: 'ES256', use: 'sig' };
  await writeFile(jwksFile, JSON.stringify({ keys: [jwk] }), { mode: 0o644 });
  return {
    keyringFile,
    jwksFile,
    async token(subject) {
      const holder = /^apiKey-(\d+)$/.exec(subject)?.[1];
      if (holder !== undefined) return apiKeys[Number(holder) % teamGroups] ?? '';
      const connection = /^reader-(\d+)$/.exec(subject)?.[1];
      const teams = connection === undefined ? [] : teamsOf(Number(connection));
      return new SignJWT({ scope: 'secrets:read secrets:write secrets:resolve secrets:use', teams })
        .setProtectedHeader({ alg: 'ES256', kid: 'benchmark', typ: 'at+jwt' })
        .setIssuer(issuer)
        .setAudience(audience)
        .setSubject(subject)
        .setIssuedAt()
        .setExpirationTime('1h')
        .sign(privateKey);
    },
  };
}
