import { setTimeout } from 'node:timers/promises';
import { describe, expect, inject, it } from 'vitest';
import { adminClaims, newApiKey, revokeApiKey, rotateApiKey, withApiKey } from '../support/api-keys.ts';
import type { LinkFault } from '../support/faulty-link.ts';
import type { TestGateway } from '../support/gateway.ts';
import { TwoReplicas } from '../support/two-replicas.ts';

const promisedMs = 5000;

/**
 * What is promised of a key that was revoked at another replica. The tests wait, so they run beside each other: each has
 * replicas of its own.
 */
describe.skipIf(!inject('mongodbUri'))('two replicas on one mongod', { concurrent: true }, () => {
  async function withReplicas(use: (replicas: TwoReplicas, admin: { token: string }) => Promise<void>): Promise<void> {
    const replicas = await TwoReplicas.start();
    try {
      await use(replicas, { token: await replicas.here.issuer.token(adminClaims) });
    } finally {
      replicas.link.restore();
      await replicas.close();
    }
  }

  const ask = (gateway: TestGateway, key: string) => gateway.run('{ viewer { subject } }', {}, withApiKey(key));

  /** Asks until it is refused. @returns when the last request that was accepted began, and the first refusal */
  async function untilRefused(there: TestGateway, key: string, status: number) {
    let acceptedAtMs = 0;
    for (;;) {
      const startedAtMs = performance.now();
      const answer = await ask(there, key);
      if (answer.status === status) return { acceptedAtMs, answer };
      if (answer.status === 200) acceptedAtMs = startedAtMs;
      await setTimeout(20);
    }
  }

  it('both accept a new key at once', () =>
    withReplicas(async ({ here, there }) => {
      const { key } = await newApiKey(here);
      expect([(await ask(there, key)).status, (await ask(here, key)).status]).toEqual([200, 200]);
    }));

  it.each(['revoked', 'rotated'])('a key that was %s here is refused there within 5 s', { timeout: 30_000 }, (how) =>
    withReplicas(async ({ here, there }, admin) => {
      const { id, key } = await newApiKey(here);
      expect((await ask(there, key)).status).toBe(200);
      await here.run(how === 'revoked' ? revokeApiKey : rotateApiKey, { input: { id } }, admin);
      const endedAtMs = performance.now();
      expect((await ask(here, key)).status).toBe(401);
      const { acceptedAtMs } = await untilRefused(there, key, 401);
      expect(acceptedAtMs - endedAtMs).toBeLessThan(promisedMs);
    }),
  );

  it.each<LinkFault>(['cut', 'stalled', 'silent'])(
    'while the link there is %s, a key is refused within 5 s, and with Retry-After; then it is decided by the store',
    { timeout: 60_000 },
    (fault) =>
      withReplicas(async ({ here, there, link }, admin) => {
        const [ended, lasting] = [await newApiKey(here), await newApiKey(here)];
        for (const { key } of [ended, lasting]) expect((await ask(there, key)).status).toBe(200);
        link.fail(fault);
        await here.run(revokeApiKey, { input: { id: ended.id } }, admin);
        const endedAtMs = performance.now();
        const { acceptedAtMs, answer } = await untilRefused(there, ended.key, 503);
        expect(acceptedAtMs - endedAtMs).toBeLessThan(promisedMs);
        expect(answer.errors[0]?.extensions).toMatchObject({ code: 'SERVICE_UNAVAILABLE', retryAfter: 1 });
        expect(answer.headers.get('retry-after')).toBe('1');
        // A good key is refused as well: nobody could tell the two apart.
        expect((await ask(there, lasting.key)).status).toBe(503);
        // Tokens need no store.
        const token = await here.issuer.token();
        expect((await there.run('{ viewer { subject } }', {}, { token })).status).toBe(200);
        link.restore();
        await untilRefused(there, ended.key, 401);
        while ((await ask(there, lasting.key)).status !== 200) await setTimeout(20);
      }),
  );
});
