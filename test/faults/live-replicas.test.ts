import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { adminClaims, newApiKey, revokeApiKey, withApiKey } from '../support/api-keys.ts';
import { type Events, openEvents, subscribe } from '../support/events.ts';
import type { FaultyLink } from '../support/faulty-link.ts';
import type { TestGateway } from '../support/gateway.ts';
import { createSecret } from '../support/graphql.ts';
import { TwoReplicas } from '../support/two-replicas.ts';

/** What is promised of a key that was revoked at another replica. */
const promisedMs = 5000;
const owner = { teamId: 'red' };

describe.skipIf(!inject('mongodbUri'))('a subscription at another replica than the changes', () => {
  let replicas: TwoReplicas;
  let here: TestGateway;
  let there: TestGateway;
  let link: FaultyLink;
  let token: string;
  let made = 0;
  const opened: Events[] = [];

  beforeAll(async () => {
    replicas = await TwoReplicas.start();
    ({ here, there, link } = replicas);
    token = await here.issuer.token(adminClaims);
  });
  afterEach(() => {
    link.restore();
    for (const events of opened.splice(0)) events.leave();
  });
  afterAll(() => replicas?.close());

  async function follow(after?: string): Promise<Events> {
    const events = await subscribe(there.url, { owner, token, after });
    opened.push(events);
    return events;
  }
  async function create(): Promise<void> {
    made += 1;
    const input = { owner, name: `SECRET_${made}`, value: `a-long-value-${made}` };
    const { errors } = await here.run(createSecret(), { input }, { token });
    expect(errors).toEqual([]);
  }

  it('is told of them, and goes on at the other one', async () => {
    const events = await follow();
    await create();
    const [first] = await events.told(1);
    await create();
    await events.told(2);
    const resumed = await subscribe(here.url, { owner, token, after: first?.cursor });
    expect(await resumed.told(1)).toEqual(events.changes.slice(1));
    resumed.leave();
  });

  it.each(['cut', 'silent'] as const)(
    'is told of all of them in order when its link to the database was %s meanwhile, and is not ended',
    async (fault) => {
      const events = await follow();
      await create();
      await events.told(1);
      link.fail(fault);
      const before = made;
      for (let change = 0; change < 20; change += 1) await create();
      link.restore();
      const versions = (await events.told(1 + made - before)).map(({ secretId }) => secretId);
      expect(new Set(versions).size).toBe(21);
      expect(events.errors).toEqual([]);
    },
    60_000,
  );

  it('ends within 5 s when its API key was revoked here', { timeout: 30_000 }, async () => {
    const { id, key } = await newApiKey(here, { scopes: ['secrets:read'] });
    const query = 'subscription { secretChanged { type secretId version cursor at } }';
    const headers = { accept: 'text/event-stream', ...withApiKey(key).headers };
    const events = await openEvents(there.url, { query }, headers);
    opened.push(events);
    await create();
    await events.told(1);
    await here.run(revokeApiKey, { input: { id } }, { token });
    const revokedAtMs = performance.now();
    await events.end();
    expect(performance.now() - revokedAtMs).toBeLessThan(promisedMs);
    expect(events.errors.map(({ extensions }) => extensions.code)).toEqual(['UNAUTHORIZED']);
  });
});
