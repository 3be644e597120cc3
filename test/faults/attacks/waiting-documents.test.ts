import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AttackedGateway } from '../../support/attacked-gateway.ts';
import { times } from '../../support/limits.ts';

let gateway: AttackedGateway;
beforeAll(async () => {
  gateway = await AttackedGateway.start();
});
afterAll(() => gateway.close());

describe('when the queue of new documents is full', () => {
  let made = 0;
  const one = () => {
    made += 1;
    return { query: `{ secrets(${times(250, (i) => `no${made}x${i}: 1`)}) { totalCount } }` };
  };
  const errorOf = (answer: { errors: { extensions: { code: string; retryAfter?: number } }[] }) =>
    answer.errors[0]?.extensions;

  it.each(['application/json', 'application/graphql-response+json'])(
    'refuses more documents with 503 and Retry-After under %s, and answers those in the queue',
    async (accept) => {
      const bodies = Array.from({ length: 150 }, () => [
        JSON.stringify(Array.from({ length: 10 }, one)),
        JSON.stringify(one()),
      ]);
      const send = (body = '') => gateway.post(body, { accept });
      // The connections are opened first, so that all requests then arrive at once.
      await Promise.all(bodies.flat().map(() => send('{}')));
      const batches = bodies.map(([batch]) => send(batch));
      const singles = bodies.map(([, single]) => send(single));
      let refused = 0;
      for (const { status, text } of await Promise.all(singles)) {
        const error = errorOf(JSON.parse(text));
        if (error?.code === 'BAD_REQUEST') continue;
        expect([status, error?.code, error?.retryAfter]).toEqual([503, 'SERVICE_UNAVAILABLE', 1]);
        refused += 1;
      }
      expect(refused).toBeGreaterThan(0);
      for (const { status, text } of await Promise.all(batches)) {
        const codes = JSON.parse(text).map((answer: Parameters<typeof errorOf>[0]) => errorOf(answer)?.code);
        expect(codes).toHaveLength(10);
        for (const code of codes) expect(['BAD_REQUEST', 'SERVICE_UNAVAILABLE']).toContain(code);
        expect(status).toBe(codes.includes('BAD_REQUEST') ? 200 : 503);
      }
    },
  );
});
