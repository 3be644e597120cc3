import type { ServerResponse } from 'node:http';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, describe, expect, it } from 'vitest';
import { type GraphQLAnswer, TestGateway } from '../support/gateway.ts';
import { createSecret } from '../support/graphql.ts';

const list = '{ secrets { totalCount nodes { name tags } } }';
const create = createSecret();
const input = { name: 'OPENAI_API_KEY', provider: 'openai', value: 'sk-proj-0123456789abcdefghijklmnop' };

/** Errors that the documents of the three systems list, and that the tests of each system do not cover. */
describe('a listed status occurs in a real request', () => {
  let gateway: TestGateway;
  afterEach(() => gateway.close());

  /** After a restart the gateway has no keys. */
  async function restart(misbehave: (response: ServerResponse) => void): Promise<void> {
    await gateway.stop();
    gateway.issuer.misbehave = misbehave;
    await gateway.launch();
  }

  function expectError(answer: GraphQLAnswer, status: number, code: string, type: string): void {
    expect(answer.status).toBe(status);
    expect(answer.errors[0]?.extensions).toMatchObject({
      code,
      status,
      type,
      requestId: answer.headers.get('x-request-id'),
    });
  }

  it('user secrets, 400, 401, 403 and 404', async () => {
    gateway = await TestGateway.start();
    expectError(await gateway.run('{ secretz }'), 400, 'BAD_REQUEST', 'invalid_request_error');
    expectError(await gateway.run(list, {}, { token: 'x.y.z' }), 401, 'UNAUTHORIZED', 'authentication_error');
    const team = '{ secrets(owner: { teamId: "blue" }) { totalCount } }';
    expectError(await gateway.run(team), 403, 'FORBIDDEN', 'access_denied_error');
    const update = `mutation { updateSecret(input: { id: "${crypto.randomUUID()}", notes: "n" }) { secret { id } } }`;
    expectError(await gateway.run(update), 404, 'NOT_FOUND', 'not_found_error');
  });

  it('connector and user secrets, 429: over the rate limit, with Retry-After', async () => {
    gateway = await TestGateway.start('sqlite', { RATE_LIMIT: '1/60s' });
    await gateway.run(list);
    const answer = await gateway.run(list);
    expectError(answer, 429, 'TOO_MANY_REQUESTS', 'rate_limit_error');
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  });

  it('all three, 500: an internal error, here for a row that no gateway wrote; the cause is in the log only', async () => {
    gateway = await TestGateway.start();
    expect((await gateway.run(create, { input })).errors).toEqual([]);
    const database = new DatabaseSync(gateway.databaseUrl.slice('sqlite:'.length));
    database.exec(`UPDATE secrets SET tags = '{ broken'`);
    database.close();
    const answer = await gateway.run(list);
    expectError(answer, 500, 'INTERNAL_SERVER_ERROR', 'internal_error');
    expect(answer.errors[0]?.message).toBe('An unexpected error occurred.');
    expect(answer.text).not.toContain('broken');
    expect(gateway.log.join('')).toContain(answer.headers.get('x-request-id'));
  });

  it('user secrets, 502: the identity provider answers with something that is not a key set', async () => {
    gateway = await TestGateway.start();
    await restart((response) => response.end('nonsense'));
    expectError(await gateway.run(list), 502, 'BAD_GATEWAY', 'upstream_error');
  });

  it('connector secrets, 503: the store cannot be written, with Retry-After', async () => {
    gateway = await TestGateway.start();
    const other = new DatabaseSync(gateway.databaseUrl.slice('sqlite:'.length));
    other.exec('BEGIN EXCLUSIVE');
    const answer = await gateway.run(create, { input });
    other.close();
    expectError(answer, 503, 'SERVICE_UNAVAILABLE', 'unavailable_error');
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  });

  it('user secrets, 504: the identity provider does not answer before the deadline', async () => {
    gateway = await TestGateway.start();
    await restart(() => {});
    expectError(await gateway.run(list), 504, 'GATEWAY_TIMEOUT', 'upstream_timeout_error');
  });
});
