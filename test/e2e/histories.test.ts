import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { walkChains } from '../../src/audit/walk-chains.ts';
import { hasValue } from '../../src/crypto/equality.ts';
import type { Keyring } from '../../src/crypto/keyring.ts';
import { openRecord } from '../../src/crypto/record.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { Store } from '../../src/store/store.ts';
import { keyringOf, storeNames, TestGateway } from '../support/gateway.ts';
import { byId, type Change, changes, History } from '../support/history.ts';

const state = `query { secrets { totalCount nodes { id name version maskedValue destination { origin }
    versions { version maskedValue destination { origin } current } } }
  deletedSecrets { totalCount nodes { id name version maskedValue destination { origin } } }
  auditEvents(first: 100) { nodes { type secretId secretName version } } }`;

const scope = 'secrets:read secrets:write keys:manage';
const [batches, atOnce] = [12, 25];

describe.each(storeNames)('histories of secrets, on %s', (name) => {
  let gateway: TestGateway;
  let store: Store;
  let keyring: Keyring;

  beforeAll(async () => {
    gateway = await TestGateway.start(name, { RATE_LIMIT: 'off' });
    store = await openStore(gateway.databaseUrl);
    keyring = await keyringOf(gateway);
  });
  afterAll(async () => {
    await store?.close();
    await gateway?.close();
  });

  /**
   * Makes the changes as a user of its own. What is to be refused ends a document: what stands behind it is not executed.
   * @returns how many events that user has then
   */
  async function live(planned: readonly Change[]): Promise<number> {
    const history = new History();
    const user = randomUUID();
    const token = await gateway.issuer.token({ sub: user, scope });
    let made: { field: string; input: Record<string, unknown> }[] = [];
    const send = async (refusal: string | null) => {
      if (made.length === 0) return;
      const types = made.map(({ field }, index) => `$i${index}: ${field[0]?.toUpperCase()}${field.slice(1)}Input!`);
      const fields = made.map(({ field }, index) => `m${index}: ${field}(input: $i${index}) { __typename }`);
      const variables = Object.fromEntries(made.map(({ input }, index) => [`i${index}`, input]));
      const { errors } = await gateway.run(`mutation (${types}) { ${fields} }`, variables, { token });
      const verdicts = errors.map(({ path, extensions }) => [path?.[0], extensions.code]);
      expect(verdicts).toEqual(refusal === null ? [] : [[`m${made.length - 1}`, refusal]]);
      made = [];
    };
    for (const change of planned) {
      const { verdict, ...mutation } = history.make(change);
      made.push(mutation);
      if (verdict) await send(verdict);
    }
    await send(null);

    const answer = await gateway.run(state, {}, { token });
    expect(answer.errors).toEqual([]);
    answer.data.deletedSecrets.nodes.sort(byId);
    expect(answer.data).toEqual(history.state());
    const records = await store.findRecords({ type: 'user', userId: user }, history.ids());
    const opened = records.map(async (record) => [record.id, await openRecord(record, keyring)] as const);
    expect(new Map(await Promise.all(opened))).toEqual(history.values());
    const digests = await store.digests.of({ type: 'user', userId: user }, history.ids());
    const equal = records.filter((record) =>
      hasValue(record, digests.get(record.id), history.values().get(record.id) ?? '', keyring),
    );
    expect([equal.length, digests.size]).toEqual([records.length, records.length]);
    return history.state().auditEvents.nodes.length;
  }

  it('have the verdicts, versions, counts and events of a model', async () => {
    const batch = fc.array(fc.array(changes, { minLength: 8, maxLength: 20, size: 'max' }), {
      minLength: atOnce,
      maxLength: atOnce,
    });
    let made = 0;
    await fc.assert(
      fc.asyncProperty(batch, async (histories) => {
        for (const count of await Promise.all(histories.map(live))) made += count;
      }),
      { numRuns: batches, endOnFailure: true },
    );
    expect(made).toBeGreaterThan(batches * atOnce);
    expect(await walkChains(store, keyring)).toMatchObject({ broken: [], events: made });
  }, 120_000);
});
