import { seal } from '../crypto/envelope.ts';
import type { Sealed } from '../model/envelope.ts';
import { type Owner, ownerKey } from '../model/owner.ts';
import type { Dependencies } from './dependencies.ts';

/** Seals a value for this version of a secret, under the active key. */
export async function sealValue(
  value: string,
  { id, owner, version }: { readonly id: string; readonly owner: Owner; readonly version: number },
  { keyring, trace }: Dependencies,
): Promise<Sealed> {
  const binding = { owner: ownerKey(owner), secretId: id, version };
  return { version, envelope: await trace('crypto.seal', () => seal(value, binding, keyring())) };
}
