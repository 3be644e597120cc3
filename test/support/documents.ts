import { parseKeyring } from '../../src/crypto/keyring.ts';
import type { Caller, Principal } from '../../src/model/principal.ts';
import { bindOperations, type Operations } from '../../src/operations.ts';
import { createTurns } from '../../src/runtime/keyed-mutex.ts';
import type { Store } from '../../src/store/store.ts';
import { keyringText } from './keyring.ts';

/** In the team red. */
export const ada: Principal = {
  subject: 'ada',
  teams: [{ id: 'red', role: 'member' }],
  scopes: new Set(['secrets:read', 'secrets:write']),
};

const adaCalling: Caller = {
  principal: ada,
  requestId: 'request-1',
  confidential: true,
  writeDeadline: Number.POSITIVE_INFINITY,
};

/** When all that these operations do is done. */
export const now = new Date('2026-05-06T07:08:09.010Z');

/** The operations on this store, as a gateway of their own would run them for ada, or whoever else is calling. */
export async function operationsOn(store: Store, caller: Partial<Caller> = {}): Promise<Operations> {
  const keyring = await parseKeyring(keyringText([{ kid: 'one', state: 'active' }]), 'keyring.json');
  return bindOperations(
    { store, keyring: () => keyring, now: () => now, inTurn: createTurns() },
    { ...adaCalling, ...caller },
  );
}
