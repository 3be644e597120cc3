import { seal } from '../crypto/envelope.ts';
import { bindingOf } from '../crypto/record.ts';
import type { Sealed } from '../model/envelope.ts';
import type { Secret } from '../model/secret.ts';
import type { Dependencies } from './dependencies.ts';

/** Seals a value for this version of a secret, under the active key. */
export async function sealForStore(
  value: string,
  secret: Pick<Secret, 'id' | 'owner' | 'version'>,
  { keyring, trace }: Dependencies,
): Promise<Sealed> {
  const { version } = secret;
  const envelope = await trace('crypto.seal', () => seal(value, bindingOf(secret, version), keyring()));
  return { version, tag: envelope.tag, envelope };
}
