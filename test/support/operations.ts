import { parseKeyring } from '../../src/crypto/keyring.ts';
import type { Principal } from '../../src/identity/principal.ts';
import { bindOperations, type Operations } from '../../src/secrets/operations.ts';
import { createTurns } from '../../src/secrets/turns.ts';
import type { Store } from '../../src/store/store.ts';
import { keyringText } from './keyring.ts';

const ada: Principal = {
  subject: 'ada',
  teams: [{ id: 'red', role: 'member' }],
  scopes: new Set(['secrets:read', 'secrets:write']),
};

/** The operations on this store, as a gateway of their own would run them for ada, who is in the team red. */
export async function operationsOn(store: Store): Promise<Operations> {
  const keyring = await parseKeyring(keyringText([{ kid: 'one', state: 'active' }]), 'keyring.json');
  return bindOperations(
    { store, keyring: () => keyring, now: () => new Date(), inTurn: createTurns() },
    { principal: ada, requestId: 'request-1', confidential: true, writeDeadline: Number.POSITIVE_INFINITY },
  );
}
