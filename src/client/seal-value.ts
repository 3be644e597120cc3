import { CompactEncrypt, importJWK, type JWK } from 'jose';

/** One of `Query.sealingKeys`, or of `GET /.well-known/jwks.json`. */
export interface SealingKey {
  readonly kid: string;
  /** `ECDH-ES+A256KW` */
  readonly alg: string;
  readonly jwk: JWK;
}

/** Whose secret it is: `{}` is the caller's own. */
export interface OwnerInput {
  readonly teamId?: string;
  readonly connectorId?: string;
}

export interface SealOptions {
  readonly sealingKey: SealingKey;
  /** `viewer.subject` of who will send the sealed value. */
  readonly subject: string;
  readonly owner?: OwnerInput;
  /** The name of the secret that is created. Give either a name or an id. */
  readonly name?: string;
  /** The id of the secret that is updated. */
  readonly id?: string;
  /** How long the sealed value may be used: at most 600. */
  readonly ttlSeconds?: number;
}

const encoder = new TextEncoder();

/**
 * Seals a value for one use: by this subject, for this owner, and for the secret of this name or id. Send it as
 * `sealedValue`. What stands between client and gateway cannot read it.
 * @returns a compact JWE (RFC 7516): ECDH-ES+A256KW, A256GCM
 * @throws TypeError when neither or both of name and id are given
 */
export async function sealValue(
  value: string,
  { sealingKey, subject, owner = {}, name, id, ttlSeconds = 300 }: SealOptions,
): Promise<string> {
  if ((name === undefined) === (id === undefined)) {
    throw new TypeError('Give either the name of the secret to create, or the id of the secret to update.');
  }
  const { kid, alg, jwk } = sealingKey;
  const iat = Math.floor(Date.now() / 1000);
  return new CompactEncrypt(encoder.encode(value))
    .setProtectedHeader({
      alg,
      enc: 'A256GCM',
      typ: 'sealed-secret+jwe',
      kid,
      iat,
      exp: iat + ttlSeconds,
      jti: crypto.randomUUID(),
      sub: subject,
      owner,
      ...(name !== undefined ? { name } : { id }),
    })
    .encrypt(await importJWK(jwk, alg));
}
