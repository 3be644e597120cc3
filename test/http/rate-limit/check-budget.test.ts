import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkLimit, createCheckBudget } from '../../../src/http/rate-limit/check-budget.ts';
import { createMatchBudget } from '../../../src/http/rate-limit/match-budget.ts';
import { createTrace } from '../../../src/runtime/trace.ts';
import { openStore } from '../../../src/store/open-store.ts';
import type { Store } from '../../../src/store/store.ts';
import { ada } from '../../support/documents.ts';
import { newDatabaseUrl, storeNames } from '../../support/gateway.ts';
import { withTestMac } from '../../support/keyring.ts';

describe.each(storeNames)('the budget of checks on %s', (storeName) => {
  let directory: string;
  let store: Store;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'check-budget-'));
    store = await openStore(newDatabaseUrl(storeName, directory), withTestMac);
  });
  afterAll(async () => {
    await store.close();
    await rm(directory, { recursive: true });
  });

  it('is 30 a minute for a principal, at all gateways together, and no other budget is spent', async () => {
    const counter = store.counter(checkLimit.windowSeconds);
    const budget = () => createCheckBudget(counter, createTrace());
    const [one, other] = [budget(), budget()];
    for (let time = 0; time < 15; time += 1) {
      await one(ada);
      await other(ada);
    }
    const refused = { code: 'TOO_MANY_REQUESTS', details: { retryAfterSeconds: expect.any(Number) } };
    for (const spend of [one, other, budget()]) await expect((async () => spend(ada))()).rejects.toMatchObject(refused);
    await one({ ...ada, subject: 'eve' });
    await createMatchBudget(counter, createTrace())(ada);
  });
});
