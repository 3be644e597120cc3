import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { verifyChain } from '../../src/audit/verify-chain.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { Store } from '../../src/store/store.ts';
import { actionsOf, createSecrets, duplicateSecrets, itemsOf, leftOf, refusalOf } from '../support/batches.ts';
import { keyringOf, newDatabaseUrl, TestGateway } from '../support/gateway.ts';

/** More than a commit of the store may have that is no batch of its own. */
const size = 100;
const all = Array.from({ length: size * 1.5 }, (_, index) => `S ${index}`);
/** They share half of their names, in another order. */
const [some, others] = [all.slice(0, size), all.slice(-size).reverse()];

describe.skipIf(!inject('mongodbUri'))('batches of two replicas at the same time', () => {
  let here: TestGateway;
  let there: TestGateway;
  let store: Store;
  let token: string;
  let count = 0;

  beforeAll(async () => {
    const shared = { RATE_LIMIT: 'off', DATABASE_URL: newDatabaseUrl('mongodb', '') };
    here = await TestGateway.start('mongodb', shared);
    there = await TestGateway.start('mongodb', {
      ...shared,
      KEYRING_FILE: join(here.directory, 'keyring.json'),
      JWT_JWKS_URL: here.issuer.jwksUrl,
    });
    store = await openStore(here.databaseUrl);
    const teams = [{ id: 'red', role: 'admin' }];
    token = await here.issuer.token({ scope: 'secrets:read secrets:write secrets:resolve', teams });
  });
  afterAll(async () => {
    await store?.close();
    await there?.close();
    await here?.close();
  });

  /** A connector that nobody has used. */
  const newOwner = () => {
    count += 1;
    return { teamId: 'red', connectorId: `of test ${count}` };
  };
  const create = (gateway: TestGateway, owner: object, names: readonly string[], more: object = {}) => {
    const secrets = names.map((name) => ({ name, value: `the value of ${name}` }));
    return gateway.run(createSecrets, { input: { owner, secrets, ...more } }, { token });
  };
  /** Names and versions of an owner's secrets, and its events. Its chain must be valid. */
  async function left(owner: ReturnType<typeof newOwner>) {
    const { secrets, events } = await leftOf(there, owner, { token });
    const verdict = await verifyChain(store, { type: 'connector', ...owner }, await keyringOf(here));
    expect(verdict).toMatchObject({ valid: true });
    const versions = new Map(secrets.nodes.map(({ name, version }) => [name, version]));
    return { versions, events: events.nodes.map(({ type }) => type) };
  }

  it('are each made whole or refused whole where names are taken', async () => {
    const both = async (one: Promise<Awaited<ReturnType<typeof create>>>, two: typeof one) => Promise.all([one, two]);
    for (let round = 0; round < 3; round += 1) {
      const owner = newOwner();
      const answers = await both(create(here, owner, some), create(there, owner, others));
      const codes = answers.map((answer) => refusalOf(answer).code);
      expect(codes.toSorted()).toEqual(['CONFLICT_ERROR', undefined]);
      const [made, refused] = codes[0] === undefined ? [some, others] : [others, some];
      const broken = refused.flatMap((name, index) => (made.includes(name) ? [`secrets.${index}.name taken`] : []));
      expect(refusalOf(answers[codes.indexOf('CONFLICT_ERROR')] as (typeof answers)[0]).broken).toEqual(broken);
      const { versions, events } = await left(owner);
      expect(versions).toEqual(new Map(made.map((name) => [name, 1])));
      expect(events).toEqual(Array(size).fill('secret.created'));
    }
  });

  it('are both made where the later one updates what the other created', async () => {
    const owner = newOwner();
    const update = { onConflict: 'UPDATE' };
    const answers = await Promise.all([create(here, owner, some, update), create(there, owner, others, update)]);
    const actions = Object.groupBy(answers.flatMap(actionsOf), (action) => action);
    expect(actions.CREATED).toHaveLength(all.length);
    expect(actions.UPDATED).toHaveLength(size / 2);
    const { versions, events } = await left(owner);
    const isShared = (name: string) => some.includes(name) && others.includes(name);
    expect(versions).toEqual(new Map(all.map((name) => [name, isShared(name) ? 2 : 1])));
    expect(events).toHaveLength(2 * size);
  });

  it('that copy the same secrets tell of each copy once', async () => {
    const [from, to] = [newOwner(), newOwner()];
    await create(here, from, some);
    const input = { from, to, onConflict: 'SKIP' };
    const copy = (gateway: TestGateway) => gateway.run(duplicateSecrets, { input }, { token });
    const answers = await Promise.all([copy(here), copy(there)]);
    const actions = Object.groupBy(answers.flatMap(actionsOf), (action) => action);
    expect([actions.CREATED?.length, actions.SKIPPED?.length]).toEqual([size, size]);
    expect((await left(to)).events).toEqual(Array(size).fill('secret.created'));
    expect((await left(from)).events.slice(size)).toEqual(Array(size).fill('secret.duplicated'));
  });

  it('are one where they are the same call', async () => {
    const owner = newOwner();
    const more = { idempotencyKey: randomUUID() };
    const answers = await Promise.all([here, there, here, there].map((gateway) => create(gateway, owner, some, more)));
    const first = itemsOf(await create(there, owner, some, more));
    for (const answer of answers) {
      if (answer.status === 200) expect(itemsOf(answer)).toEqual(first);
      else expect(refusalOf(answer).broken).toEqual(['idempotencyKey idempotency_key_in_use']);
    }
    expect(answers.some(({ status }) => status === 200)).toBe(true);
    expect((await left(owner)).events).toEqual(Array(size).fill('secret.created'));
  });
});
