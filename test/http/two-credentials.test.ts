import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestGateway } from '../support/gateway.ts';

const viewer = '{ viewer { subject } }';
const acceptTypes = ['application/graphql-response+json', 'application/json'];

let gateway: TestGateway;

beforeAll(async () => {
  // Wrong credentials take ten points of the rate limit, and these tests send many.
  gateway = await TestGateway.start('sqlite', { RATE_LIMIT: 'off' });
});
afterAll(() => gateway.close());

describe('two credentials at once are BAD_REQUEST', () => {
  it('a token, good or wrong, and an API key', async () => {
    for (const accept of acceptTypes) {
      for (const token of [undefined, 'wrong']) {
        const options = { ...(token && { token }), headers: { 'x-api-key': 'sgk_x', accept } };
        const { status, errors } = await gateway.run(viewer, {}, options);
        expect(status).toBe(400);
        expect(errors[0]?.extensions).toMatchObject({ code: 'BAD_REQUEST', type: 'invalid_request_error' });
      }
    }
  });

  it('two Authorization headers, of which a proxy may have checked the other one', async () => {
    const token = await gateway.issuer.token();
    const answer = await rawStatus(['Authorization', `Bearer ${token}`, 'Authorization', 'Bearer other']);
    expect(answer).toBe(400);
    expect(await rawStatus(['Authorization', `Bearer ${token}`])).toBe(200);
  });

  /** fetch would join them. */
  async function rawStatus(headers: string[]): Promise<number | undefined> {
    const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
    const all = ['Host', new URL(gateway.url).host, 'Content-Type', 'application/json', ...headers];
    const sent = httpRequest(gateway.url, { method: 'POST', headers: all }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    sent.on('error', reject);
    sent.end(JSON.stringify({ query: viewer }));
    return promise;
  }
});
