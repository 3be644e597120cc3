import { type FaultReason, IssuerFault } from './issuer-fault.ts';
import { isObject } from './list-claim.ts';

/**
 * The keys of a JWK set, unread.
 * @throws IssuerFault
 */
export function readJwks(document: unknown, source: string): readonly unknown[] {
  const fault = (reason: FaultReason) => new IssuerFault(reason, { source });
  if (isObject(document) && Array.isArray(document.keys)) {
    const { keys } = document;
    // An empty list withdraws all keys; a list of something else does not.
    if (keys.length === 0 || keys.some(isObject)) return keys;
  }
  if (isObject(document) && typeof document.jwks_uri === 'string') throw fault('discovery-document');
  throw fault('not-a-key-set');
}
