import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { actionsOf, createSecrets, itemsOf, leftOf, refusalOf } from '../support/batches.ts';
import { storeNames, TestGateway } from '../support/gateway.ts';
import { updateSecret } from '../support/graphql.ts';

describe.each(storeNames)('batches on %s', (store) => {
  let gateway: TestGateway;
  let token: string;
  /** The same without secrets:match. */
  let plain: string;
  let count = 0;
  beforeAll(async () => {
    gateway = await TestGateway.start(store, { RATE_LIMIT: 'off' });
    const teams = [{ id: 'red', role: 'admin' }];
    token = await gateway.issuer.token({ scope: 'secrets:read secrets:write secrets:match keys:manage', teams });
    plain = await gateway.issuer.token({ scope: 'secrets:read secrets:write', teams });
  });
  afterAll(() => gateway.close());

  const run = (input: object, options: { token?: string } = {}) =>
    gateway.run(createSecrets, { input }, { token, ...options });
  /** A connector that nobody has used. */
  const newOwner = () => {
    count += 1;
    return { teamId: 'red', connectorId: `of test ${count}` };
  };
  const left = (owner: object) => leftOf(gateway, owner, { token });

  it('answers an idempotent call again as it was then, without what was purged since', async () => {
    const owner = newOwner();
    const secrets = ['a', 'b', 'c'].map((name) => ({ name, value: ' a value' }));
    await run({ owner, secrets: secrets.slice(0, 1) });
    const input = { owner, secrets, onConflict: 'SKIP', idempotencyKey: randomUUID() };
    const first = itemsOf(await run(input));
    await gateway.run(updateSecret(), { input: { id: first[1]?.secret?.id, notes: 'later' } }, { token });
    const before = await left(owner);
    expect(itemsOf(await run(input))).toEqual(first);
    expect(await left(owner)).toEqual(before);
    expect(refusalOf(await run({ ...input, onConflict: 'UPDATE' })).broken).toEqual([
      'idempotencyKey idempotency_key_reused',
    ]);
    const purge = 'mutation ($input: PurgeSecretInput!) { purgeSecret(input: $input) { id } }';
    for (const index of [0, 2]) {
      expect((await gateway.run(purge, { input: { id: first[index]?.secret?.id } }, { token })).errors).toEqual([]);
    }
    const replayed = itemsOf(await run(input));
    expect(replayed).toEqual([{ ...first[0], secret: null }, first[1], { ...first[2], secret: null }]);
  });

  it('does not tell again that a value is the same, to a caller who may no longer be told', async () => {
    const [owner, sub] = [newOwner(), randomUUID()];
    const teams = [{ id: 'red' }];
    const unable = await gateway.issuer.token({ sub, scope: 'secrets:read secrets:write', teams });
    const able = await gateway.issuer.token({ sub, scope: 'secrets:read secrets:write secrets:match', teams });
    const input = { owner, secrets: [{ name: 'S', value: 'a value' }], onConflict: 'UPDATE' };
    await run(input);
    const idempotent = { ...input, idempotencyKey: randomUUID() };
    expect(actionsOf(await run(idempotent, { token: able }))).toEqual(['UNCHANGED']);
    expect(refusalOf(await run(idempotent, { token: unable })).code).toBe('PERMISSION_ERROR');
    expect(actionsOf(await run(idempotent, { token: able }))).toEqual(['UNCHANGED']);
  });

  it('two overlapping batches at once are each made whole, or refused whole', async () => {
    for (let round = 0; round < 4; round += 1) {
      const owner = newOwner();
      const names = Array.from({ length: 40 }, (_, index) => `S ${index}`);
      const batch = (some: readonly string[], onConflict: string) =>
        run(
          { owner, secrets: some.map((name) => ({ name, value: `of ${onConflict}` })), onConflict },
          { token: plain },
        );
      const onConflict = ['SKIP', 'UPDATE'][round % 2] ?? '';
      const answers = await Promise.all([
        batch(names.slice(0, 30), onConflict),
        batch(names.slice(10).reverse(), onConflict),
      ]);
      expect(answers.flatMap(({ errors }) => errors)).toEqual([]);
      expect(answers.flatMap(actionsOf).filter((action) => action === 'CREATED')).toHaveLength(40);
      const twice = await Promise.all([
        batch(['x', 'S 1', 'y'], 'FAIL'),
        batch(['x', 'z'], 'FAIL'),
        batch(['z', 'x'], 'FAIL'),
      ]);
      expect(twice.map(({ errors }) => errors.length).sort()).toEqual([0, 1, 1]);
      for (const { errors } of twice) if (errors.length > 0) expect(errors[0]?.extensions.code).toBe('CONFLICT_ERROR');
      const { secrets, events } = await left(owner);
      expect(secrets.totalCount).toBe(42);
      expect(events.totalCount).toBe(onConflict === 'SKIP' ? 42 : 62);
    }
  });

  /** What a batch must do, item by item, to what is there; or by which code and fields it must be refused as a whole. */
  function expected(there: ReadonlyMap<string, Modelled>, { items, onConflict }: RandomBatch): Verdict {
    const after = new Map(there);
    const actions: string[] = [];
    const doubles: string[] = [];
    const taken: string[] = [];
    for (const [index, { name, value, notes }] of items.entries()) {
      const before = there.get(name);
      if (items.findIndex((one) => one.name === name) < index) doubles.push(`secrets.${index}.name duplicate`);
      if (before && onConflict === 'FAIL') taken.push(`secrets.${index}.name taken`);
      const kept = notes === undefined ? (before?.notes ?? null) : notes;
      const isSame = before !== undefined && before.value === value && before.notes === kept;
      if (!before) actions.push('CREATED');
      else if (onConflict === 'SKIP') actions.push('SKIPPED');
      else actions.push(isSame ? 'UNCHANGED' : 'UPDATED');
      if (!before) after.set(name, { value, notes: kept, version: 1 });
      else if (onConflict === 'UPDATE' && !isSame) after.set(name, { value, notes: kept, version: before.version + 1 });
    }
    if (doubles.length > 0) return { code: 'UNPROCESSABLE_ENTITY', broken: doubles };
    return taken.length > 0 ? { code: 'CONFLICT_ERROR', broken: taken } : { actions, after };
  }

  it('do what their items would do one by one, or nothing at all, whatever they are', { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(randomBatch, { minLength: 1, maxLength: 5 }), async (batches) => {
        const owner = newOwner();
        let there: ReadonlyMap<string, Modelled> = new Map();
        let events = 0;
        for (const batch of batches) {
          const { items: secrets, onConflict } = batch;
          const wanted = expected(there, batch);
          for (const dryRun of [true, false]) {
            const answer = await run({ owner, secrets, onConflict, dryRun });
            if ('actions' in wanted) expect(actionsOf(answer)).toEqual(wanted.actions);
            else expect(refusalOf(answer)).toEqual(wanted);
          }
          if (!('actions' in wanted)) continue;
          there = wanted.after;
          events += wanted.actions.filter((action) => action === 'CREATED' || action === 'UPDATED').length;
        }
        const { secrets, events: told } = await left(owner);
        expect(told.totalCount).toBe(events);
        expect(new Map(secrets.nodes.map(({ name, version, notes }) => [name, { version, notes }]))).toEqual(
          new Map([...there].map(([name, { version, notes }]) => [name, { version, notes }])),
        );
      }),
      { numRuns: 25 },
    );
  });
});

type Verdict = { actions: string[]; after: ReadonlyMap<string, Modelled> } | { code: string; broken: string[] };

interface Modelled {
  readonly value: string;
  readonly notes: string | null;
  readonly version: number;
}

const randomBatch = fc.record({
  items: fc.array(
    fc.record(
      {
        name: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g'),
        value: fc.constantFrom('one value', 'another value'),
        notes: fc.constantFrom(null, 'n', 'm'),
      },
      { requiredKeys: ['name', 'value'] },
    ),
    { maxLength: 4 },
  ),
  onConflict: fc.constantFrom('FAIL', 'SKIP', 'UPDATE'),
});
type RandomBatch = typeof randomBatch extends fc.Arbitrary<infer Batch> ? Batch : never;
