import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { createKeyring } from '../src/crypto/keyring.ts';

export const issuer = 'https://issuer.test';
export const audience = 'secrets-gateway';

/** Whose lists are read: its own, and those of its teams. */
export const reader = 'reader';
export const readerTeams = Array.from({ length: 10 }, (_, index) => `team-${index}`);
/** One for each connection that writes, as different users would be. */
export const writer = (connection: number) => `writer-${connection}`;

export interface Identities {
  readonly keyringFile: string;
  readonly jwksFile: string;
  token(subject: string): Promise<string>;
}

/** A keyring and an issuer, in this directory. */
export async function createIdentities(directory: string): Promise<Identities> {
  const keyringFile = join(directory, 'keyring.json');
  await createKeyring(keyringFile);
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const jwksFile = join(directory, 'jwks.json');
  const jwk = { ...(await exportJWK(publicKey)), kid: 'benchmark', alg: 'ES256', use: 'sig' };
  await writeFile(jwksFile, JSON.stringify({ keys: [jwk] }));
  return {
    keyringFile,
    jwksFile,
    token: (subject) =>
      new SignJWT({ scope: 'secrets:read secrets:write', teams: subject === reader ? readerTeams : [] })
        .setProtectedHeader({ alg: 'ES256', kid: 'benchmark', typ: 'at+jwt' })
        .setIssuer(issuer)
        .setAudience(audience)
        .setSubject(subject)
        .setIssuedAt()
        .setExpirationTime('1h')
        .sign(privateKey),
  };
}
