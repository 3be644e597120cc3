import { type AuditResult, serverAudits } from 'graphql-http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestGateway } from '../../support/gateway.ts';

describe('the audits of graphql-http', () => {
  let gateway: TestGateway;
  let token: string;
  beforeAll(async () => {
    gateway = await TestGateway.start('sqlite', { RATE_LIMIT: 'off' });
    token = await gateway.issuer.token();
  });
  afterAll(() => gateway.close());

  const audits = serverAudits({
    url: () => gateway.url,
    fetchFn: (url: string, init: RequestInit = {}) =>
      fetch(url, { ...init, headers: { ...(init.headers as object), authorization: `Bearer ${token}` } }),
  });

  it('are 61', () => expect(audits).toHaveLength(61));

  it.each(audits.map(({ id, name, fn }) => [id, name, fn] as const))('%s: %s', async (_id, _name, fn) => {
    const result: AuditResult = await fn();
    expect(result.status, 'reason' in result ? result.reason : '').toBe('ok');
  });
});
