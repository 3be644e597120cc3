import { ChangeFeeds } from '../../src/audit/change-feeds.ts';
import { aliases, providers } from '../../src/broker/providers/providers.ts';
import { createAddressRule } from '../../src/broker/upstream/addresses.ts';
import type { Caller } from '../../src/model/caller.ts';
import type { Principal } from '../../src/model/principal.ts';
import { ProviderTable } from '../../src/model/provider.ts';
import { Operations } from '../../src/operations.ts';
import { Answer } from '../../src/runtime/answer.ts';
import { createKeyedMutex } from '../../src/runtime/keyed-mutex.ts';
import { LargeWork } from '../../src/runtime/large-work.ts';
import { createTrace } from '../../src/runtime/trace.ts';
import { tooMuchContention } from '../../src/secrets/conflicts.ts';
import type { Store } from '../../src/store/store.ts';
import { testKeyring } from './keyring.ts';

/** A user in the team red. */
export const ada: Principal = {
  kind: 'user',
  subject: 'ada',
  teams: [{ id: 'red', role: 'member' }],
  scopes: new Set(['secrets:read', 'secrets:write']),
};

const adaCalling: Caller = {
  principal: ada,
  requestId: 'request-1',
  secureTransport: true,
  answer: new Answer(),
  writeDeadlineMs: Number.POSITIVE_INFINITY,
};

/** The time of every change that these operations make. */
export const now = new Date('2026-05-06T07:08:09.010Z');

/** What operations need to know of destinations. */
export const ofDestinations = {
  providers: new ProviderTable(providers, aliases),
  isAllowedAddress: createAddressRule(['127.0.0.0/8', '::1']),
  allowHttp: true,
  publicUrl: () => 'https://secrets.test',
};

/** The operations on this store, as a separate gateway would run them for ada or another caller. */
export async function operationsOn(store: Store, caller: Partial<Caller> = {}): Promise<Operations> {
  const changes = new ChangeFeeds({ store, keyring: () => testKeyring });
  return new Operations(
    {
      store,
      changes,
      apiKeys: store.apiKeys,
      forgetApiKey: () => {},
      keyring: () => testKeyring,
      now: () => now,
      mutex: createKeyedMutex(5000, tooMuchContention),
      running: new Set<string>(),
      largeWork: new LargeWork(),
      spendMatch() {},
      spendCheck() {},
      askProvider: async () => 'UNSUPPORTED' as const,
      spendUse() {},
      deletedRetentionMs: 30 * 24 * 3_600_000,
      trace: createTrace(),
      ...ofDestinations,
    },
    { ...adaCalling, ...caller },
  );
}
