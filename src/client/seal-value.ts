import { CompactEncrypt } from 'jose/jwe/compact/encrypt';
import { importJWK } from 'jose/key/import';
import type { OwnerInput } from './documents.ts';
import { requireCrypto } from './platform.ts';
import { type AnySealingKey, algorithm, partsOf } from './sealing-key.ts';

export interface SealOptions {
  /** One of `Query.sealingKeys`, or of the `keys` at `/.well-known/jwks.json`; `chooseSealingKey` takes one of them. */
  readonly sealingKey: AnySealingKey;
  /** `viewer.subject` of who will send the sealed value; for an API key its id. */
  readonly subject: string;
  /** Whose secret it is: yours by default. */
  readonly owner?: OwnerInput | undefined;
  /** The name of the secret to create. Give one of `name`, `id` and `use`. */
  readonly name?: string | undefined;
  /** The id of the secret to update. */
  readonly id?: string | undefined;
  /** For `matchesSecret`, which asks whose value it is. */
  readonly use?: 'match' | undefined;
  /** For how long it can be used, from 1 to 600. 300 by default. */
  readonly ttlSeconds?: number | undefined;
}

const maxTtlSeconds = 600;
const encoder = new TextEncoder();

/**
 * Seals a value for one use: by this subject, for this owner, and for the secret of this name or id. Send it as
 * `sealedValue`. What stands between here and the gateway cannot read it.
 * @returns a compact JWE (RFC 7516): ECDH-ES+A256KW, A256GCM
 * @throws TypeError, RangeError that say what to give instead, and never repeat the value
 */
export async function sealValue(value: string, options: SealOptions): Promise<string> {
  // An encoder replaces what is not well-formed, and the gateway would keep another value than this.
  if (typeof value !== 'string' || !value.isWellFormed()) {
    throw new TypeError('The value must be a string of well-formed Unicode, without half of a surrogate pair.');
  }
  const { subject, owner, ttlSeconds = 300 } = options;
  if (!isText(subject)) throw new TypeError('subject must be viewer.subject of who will send the sealed value.');
  if (!Number.isInteger(ttlSeconds) || ttlSeconds < 1 || ttlSeconds > maxTtlSeconds) {
    throw new RangeError(`ttlSeconds must be a whole number from 1 to ${maxTtlSeconds}.`);
  }
  const purpose = purposeOf(options);
  const { kid, jwk } = partsOf(options.sealingKey);
  requireCrypto();
  const key = await importJWK(jwk, algorithm).catch(() => {
    throw new TypeError('This sealing key cannot be used here. chooseSealingKey takes one that can.');
  });
  const iat = Math.floor(Date.now() / 1000);
  return new CompactEncrypt(encoder.encode(value))
    .setProtectedHeader({
      alg: algorithm,
      enc: 'A256GCM',
      typ: 'sealed-secret+jwe',
      kid,
      iat,
      exp: iat + ttlSeconds,
      jti: crypto.randomUUID(),
      sub: subject,
      owner: ownerOf(owner),
      ...purpose,
    })
    .encrypt(key);
}

function purposeOf({ name, id, use }: SealOptions): { name: string } | { id: string } | { use: 'match' } {
  const given = [name, id, use].filter((one) => one !== undefined);
  if (given.length === 1) {
    if (isText(name)) return { name };
    if (isText(id)) return { id };
    if (use === 'match') return { use };
  }
  throw new TypeError(
    "Give one of: name, of the secret to create; id, of the secret to update; use: 'match', for matchesSecret.",
  );
}

function ownerOf(owner: OwnerInput | undefined): OwnerInput {
  const { teamId, connectorId } = owner ?? {};
  return { ...(teamId != null && { teamId }), ...(connectorId != null && { connectorId }) };
}

function isText(text: unknown): text is string {
  return typeof text === 'string' && text !== '';
}
