import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { TestGateway } from '../support/gateway.ts';
import { get, SlowRequest } from '../support/http.ts';

const list = '{ secrets { totalCount } }';

describe('a gateway under load', () => {
  let gateway: TestGateway;
  let token: string;
  const body = JSON.stringify({ query: list });
  const inFlight = async () => Number(/in_flight (\d+)/.exec((await get(gateway, '/metrics')).text)?.[1]);
  beforeEach(async () => {
    gateway = await TestGateway.start('sqlite', { RATE_LIMIT: 'off' });
    token = await gateway.issuer.token();
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    await gateway.close();
  });

  it('answers 1,000 requests at once, and refuses more immediately with 503 and Retry-After', {
    timeout: 90_000,
  }, async () => {
    expect((await gateway.run(list, {}, { token })).status).toBe(200);
    // A key that was published a moment ago: all requests wait for the keys to be loaded again. Without the deadline of the
    // load: on a busy machine it may take longer to send a thousand requests.
    vi.spyOn(AbortSignal, 'timeout').mockReturnValue(new AbortController().signal);
    const held: ServerResponse[] = [];
    gateway.issuer.misbehave = (response) => held.push(response);
    await gateway.issuer.addKey('key-2');
    token = await gateway.issuer.token();
    const slow = Array.from({ length: 1000 }, () => new SlowRequest(gateway, token, body));
    for (const one of slow) one.release();
    await expect.poll(inFlight, { timeout: 60_000 }).toBe(1000);
    const { status, headers, errors } = await gateway.run(list, {}, { token, headers: { accept: 'application/json' } });
    expect(status).toBe(503);
    expect(headers.get('retry-after')).toBe('1');
    expect(errors[0]?.extensions).toMatchObject({
      code: 'SERVICE_UNAVAILABLE',
      type: 'unavailable_error',
      retryAfter: 1,
    });
    expect((await get(gateway, '/livez')).status).toBe(200);
    gateway.issuer.misbehave = null;
    for (const response of held) response.end(JSON.stringify(gateway.issuer.jwks));
    const answers = await Promise.all(slow.map(({ answer }) => answer));
    expect(answers.filter((answer) => answer.status !== 200)).toEqual([]);
    expect((await gateway.run(list, {}, { token })).status).toBe(200);
  });

  it('frees the slot of the request that has been sending for longest when all slots are taken', async () => {
    expect((await gateway.run(list, {}, { token })).status).toBe(200);
    const slow = [new SlowRequest(gateway, token, body)];
    await expect.poll(inFlight).toBe(1);
    slow.push(...Array.from({ length: 999 }, () => new SlowRequest(gateway, token, body)));
    await expect.poll(inFlight, { timeout: 10_000 }).toBe(1000);
    expect((await get(gateway, '/readyz')).status).toBe(200);
    const good = await Promise.all(Array.from({ length: 20 }, () => gateway.run(list, {}, { token })));
    expect(good.map(({ status }) => status)).toEqual(Array(20).fill(200));
    const evicted = await slow[0]?.answer;
    expect(evicted).toMatchObject({
      status: 503,
      retryAfter: '1',
      text: expect.stringContaining('arrived too slowly'),
    });
    // All but the evicted ones.
    for (const one of slow) one.release();
    const statuses = (await Promise.all(slow.map(({ answer }) => answer))).map(({ status }) => status);
    expect(statuses.filter((status) => status === 200).length).toBeGreaterThanOrEqual(980);
    expect(statuses.filter((status) => status !== 200 && status !== 503)).toEqual([]);
    await expect.poll(inFlight).toBe(0);
  });
});
