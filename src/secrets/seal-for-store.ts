import { seal } from '../crypto/envelope.ts';
import { digestOfValue } from '../crypto/equality.ts';
import { bindingOf } from '../crypto/record.ts';
import type { Sealed, SealedMark } from '../model/envelope.ts';
import type { Secret } from '../model/secret.ts';
import type { Dependencies } from './dependencies.ts';

/**
 * Seals a value for this version of a secret and for its destination, under the active key, and makes the digest by which it is found among equal ones.
 * @param value text, or the UTF-8 of one
 * @param before the value that it replaces
 */
export function sealForStore(
  value: string | Uint8Array,
  secret: Pick<Secret, 'id' | 'owner' | 'destination' | 'version' | 'updatedAt' | 'updatedBy'>,
  before: SealedMark | null,
  { keyring, trace }: Dependencies,
): Sealed {
  const { version, updatedAt: setAt, updatedBy: setBy } = secret;
  const ring = keyring();
  const envelope = trace('crypto.seal', () => seal(value, bindingOf(secret, version), ring));
  const { tag } = envelope;
  const digest = digestOfValue(value, secret, { version, tag }, ring);
  return { version, number: (before?.number ?? 0) + 1, tag, setAt, setBy, envelope, digest };
}
