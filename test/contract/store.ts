import { afterAll, beforeAll, beforeEach, describe } from 'vitest';
import type { Store } from '../../src/store/store.ts';
import { apiKeysContract } from './api-keys.ts';
import { auditChainContract } from './audit-chain.ts';
import { auditListsContract } from './audit-lists.ts';
import { commitsContract } from './commits.ts';
import { conflictsContract } from './conflicts.ts';
import { counterContract } from './counter.ts';
import { deletedSecretsContract } from './deleted-secrets.ts';
import { digestsContract } from './digests.ts';
import { newOwner } from './fixtures.ts';
import { healthContract } from './health.ts';
import { keptResultsContract } from './kept-results.ts';
import { lifetimeContract } from './lifetime.ts';
import { listsContract } from './lists.ts';
import { noncesContract } from './nonces.ts';
import { secretsContract } from './secrets.ts';
import { selectionContract } from './selection.ts';
import { Subject } from './subject.ts';
import { usesContract } from './uses.ts';
import { versionsContract } from './versions.ts';
import { wrappedKeysContract } from './wrapped-keys.ts';

/** What every store promises. The test of a store is one call of this, and tests of what is special about that store. */
export function storeContract(name: string, open: () => Promise<Store>): void {
  describe(`${name} as a store`, () => {
    const subject = new Subject();

    beforeAll(async () => {
      subject.store = await open();
    });
    beforeEach(() => {
      subject.owner = newOwner();
    });
    afterAll(() => subject.store?.close());

    secretsContract(subject);
    conflictsContract(subject);
    deletedSecretsContract(subject);
    commitsContract(subject);
    noncesContract(subject);
    keptResultsContract(subject);
    auditChainContract(subject);
    auditListsContract(subject);
    listsContract(subject);
    selectionContract(subject);
    usesContract(subject);
    healthContract(subject);
    counterContract(subject);
    apiKeysContract(subject);
    versionsContract(subject);
    digestsContract(subject);
    wrappedKeysContract(open);
    lifetimeContract(open);
  });
}
