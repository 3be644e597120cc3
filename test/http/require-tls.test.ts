import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestGateway } from '../support/gateway.ts';
import { createSecret, newSecret } from '../support/graphql.ts';

async function totalCount(gateway: TestGateway): Promise<number> {
  return (await gateway.run('{ secrets { totalCount } }')).data.secrets.totalCount;
}

describe('with REQUIRE_TLS=on', () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await TestGateway.start('sqlite', { REQUIRE_TLS: 'on', TRUST_PROXY: 'on' });
  });
  afterAll(() => gateway.close());
  const create = (headers: Record<string, string>) => gateway.run(createSecret(), { input: newSecret() }, { headers });

  it('a value sent over plain HTTP is refused with 426 under either media type, and not stored', async () => {
    const answer = await create({ 'x-forwarded-proto': 'http' });
    expect(answer.status).toBe(426);
    expect(answer.errors[0]?.extensions).toMatchObject({
      code: 'UPGRADE_REQUIRED',
      status: 426,
      type: 'upgrade_required_error',
    });
    expect(answer.headers.get('upgrade')).toBe('TLS/1.2, HTTP/1.1');
    expect(await totalCount(gateway)).toBe(0);
  });

  it('a value sent over TLS to the proxy is accepted', async () => {
    expect((await create({ 'x-forwarded-proto': 'https' })).status).toBe(200);
  });

  it.each(['https, http', 'http, https', 'http,https', 'https,', ''])(
    'behind proxies that append, a value is refused if one hop was plain HTTP: %j',
    async (schemes) => {
      expect((await create({ 'x-forwarded-proto': schemes })).status).toBe(426);
    },
  );

  it('a value sent over TLS through every proxy is accepted', async () => {
    expect((await create({ 'x-forwarded-proto': 'https, HTTPS' })).status).toBe(200);
  });

  it('reading needs no TLS, since no value is returned', async () => {
    const answer = await gateway.run('{ viewer { subject } }', {}, { headers: { 'x-forwarded-proto': 'http' } });
    expect(answer.status).toBe(200);
  });
});
