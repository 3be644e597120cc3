import type { JWK } from 'jose';
import { SignJWT } from 'jose/jwt/sign';
import { exportJWK } from 'jose/key/export';
import { generateKeyPair } from 'jose/key/generate/keypair';
import { importJWK } from 'jose/key/import';
import { ConfigurationError } from '../errors.ts';
import type { Membership, Scope } from '../model/principal.ts';
import { createPrivateFile, exists } from '../runtime/private-file.ts';
import { privateFile, readSettingFile } from '../runtime/setting-file.ts';
import { usualClaims } from './claims.ts';
import type { Issuer } from './issuer.ts';
import { KeySet } from './key-set.ts';

/** Signs tokens for trying the gateway out. It exists on loopback only, and never in production. */
export interface DevelopmentIssuer {
  readonly issuer: Issuer;
  issue(claims: TokenClaims): Promise<string>;
}

export interface TokenClaims {
  readonly subject: string;
  readonly teams: readonly Membership[];
  readonly scopes: readonly Scope[];
  readonly ttlSeconds: number;
}

const algorithm = 'EdDSA';
const issuer = 'urn:secrets-gateway:development';
const audience = 'secrets-gateway';
const kid = 'development';

/** Opens the development issuer whose private key is in this file. Makes the file the first time. */
export async function openDevelopmentIssuer(path: string): Promise<DevelopmentIssuer> {
  if (!(await exists(path))) {
    const { privateKey } = await generateKeyPair(algorithm, { extractable: true });
    await createPrivateFile(path, `${JSON.stringify(await exportJWK(privateKey))}\n`);
  }
  const { privateKey, publicJwk } = await readSigningKey(path);
  const keySet = new KeySet({ source: path, load: async () => [{ ...publicJwk, kid, alg: algorithm, use: 'sig' }] });

  return {
    issuer: {
      issuer,
      audience: [audience],
      audienceClaim: ['aud'],
      algorithms: [algorithm],
      claims: usualClaims,
      keySet,
    },
    issue: ({ subject, teams, scopes, ttlSeconds }) =>
      new SignJWT({ teams, scope: scopes.join(' ') })
        .setProtectedHeader({ alg: algorithm, kid, typ: 'at+jwt' })
        .setIssuer(issuer)
        .setAudience(audience)
        .setSubject(subject)
        .setIssuedAt()
        .setExpirationTime(Math.floor(Date.now() / 1000) + ttlSeconds)
        .sign(privateKey),
  };
}

async function readSigningKey(path: string) {
  const text = await readSettingFile(privateFile('the development issuer’s key', path));
  try {
    const { kty, crv, x, d } = JSON.parse(text) as JWK;
    if (kty !== 'OKP' || crv !== 'Ed25519' || !x || !d) throw new TypeError('not an Ed25519 private key');
    const publicJwk = { kty, crv, x };
    return { privateKey: await importJWK({ ...publicJwk, d }, algorithm), publicJwk };
  } catch {
    throw new ConfigurationError(
      `${path}: it is not an Ed25519 private key. Delete the file: the next start makes a new one.`,
    );
  }
}
