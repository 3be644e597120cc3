import type { IncomingMessage } from 'node:http';
import { ChangeFeeds } from '../../src/audit/change-feeds.ts';
import { aliases, providers } from '../../src/broker/providers/providers.ts';
import { createAddressRule } from '../../src/broker/upstream/addresses.ts';
import { usualClaims } from '../../src/identity/claims.ts';
import { jwksFromFile } from '../../src/identity/jwks-from-file.ts';
import { KeySet } from '../../src/identity/key-set.ts';
import { createTokenVerifier } from '../../src/identity/verify-token.ts';
import { readKeyring } from '../../src/keyring/file.ts';
import type { Caller } from '../../src/model/caller.ts';
import { ProviderTable } from '../../src/model/provider.ts';
import { Operations } from '../../src/operations.ts';
import { Answer } from '../../src/runtime/answer.ts';
import { createKeyedMutex } from '../../src/runtime/keyed-mutex.ts';
import { LargeWork } from '../../src/runtime/large-work.ts';
import { createTrace } from '../../src/runtime/trace.ts';
import { tooMuchContention } from '../../src/secrets/conflicts.ts';
import type { Store } from '../../src/store/store.ts';
import { audience, issuer } from '../identities.ts';

/** What every contender shares with the gateway: the caller and the operations. */

/** The variables that the gateway itself is configured with. */
export function setting(name: 'DATABASE_URL' | 'JWT_JWKS_FILE' | 'KEYRING_FILE'): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is missing: start contenders through contender.ts`);
  return value;
}

const source = setting('JWT_JWKS_FILE');
const keySet = new KeySet({ source, load: () => jwksFromFile(source, 'JWT_JWKS_FILE') });
const accepted = { issuer, audience: [audience], audienceClaim: ['aud'], algorithms: ['ES256'], claims: usualClaims };
/** The gateway's own, so that every contender verifies each distinct token once. */
const verifyToken = createTokenVerifier([{ ...accepted, keySet }]);

export async function callerOf(request: Pick<IncomingMessage, 'headers'>): Promise<Caller> {
  const token = request.headers.authorization?.slice('Bearer '.length);
  const principal = token ? await verifyToken(token) : null;
  const writeDeadlineMs = performance.now() + 10_000;
  return { principal, requestId: crypto.randomUUID(), writeDeadlineMs, secureTransport: true, answer: new Answer() };
}

export async function operationsOn(store: Store): Promise<(caller: Caller) => Operations> {
  const keyring = await readKeyring(setting('KEYRING_FILE'));
  const mutex = createKeyedMutex(5000, tooMuchContention);
  const dependencies = {
    store,
    apiKeys: store.apiKeys,
    forgetApiKey: () => {},
    keyring: () => keyring,
    now: () => new Date(),
    mutex,
    trace: createTrace(),
    largeWork: new LargeWork(),
    spendMatch() {},
    spendUse() {},
    spendCheck() {},
    askProvider: () => Promise.reject(new Error('no contender asks providers')),
    deletedRetentionMs: 30 * 24 * 3_600_000,
    running: new Set<string>(),
    providers: new ProviderTable(providers, aliases),
    isAllowedAddress: createAddressRule([]),
    allowHttp: false,
    publicUrl: () => 'https://secrets.test',
    changes: new ChangeFeeds({ store, keyring: () => keyring }),
  };
  return (caller) => new Operations(dependencies, caller);
}

/** What the schema's resolvers need, for the caller of a request. */
export async function contextOf(
  operations: (caller: Caller) => Operations,
  request: Pick<IncomingMessage, 'headers'>,
): Promise<{ operations: Operations; answer: Answer }> {
  const caller = await callerOf(request);
  return { operations: operations(caller), answer: caller.answer };
}

export function listening(port: number): void {
  process.send?.({ port });
}
