import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { CommandLine, type RunningGateway } from '../support/command-line.ts';
import { FakeProvider, settingsOf } from '../support/fake-provider.ts';
import { newDatabaseUrl } from '../support/gateway.ts';
import { createSecret } from '../support/graphql.ts';
import { checkSecret } from '../support/health.ts';
import { get } from '../support/http.ts';
import { Issuer } from '../support/issuer.ts';
import { Upstream } from '../support/upstream.ts';

describe.skipIf(!inject('mongodbUri'))('the broker and GraphQL in two processes', () => {
  let shell: CommandLine;
  let issuer: Issuer;
  let upstream: Upstream;
  let provider: FakeProvider;
  let api: RunningGateway;
  let broker: RunningGateway;
  let token: string;
  beforeAll(async () => {
    [shell, issuer, upstream, provider] = await Promise.all([
      CommandLine.open(),
      Issuer.start(),
      Upstream.start(),
      FakeProvider.start(),
    ]);
    token = await issuer.token({ scope: 'secrets:read secrets:write secrets:use' });
    const env = {
      DATABASE_URL: newDatabaseUrl('mongodb', shell.directory),
      ...issuer.settings,
      ...(await settingsOf(provider)),
    };
    api = await shell.serve(env, [], ['--only', 'graphql']);
    broker = await shell.serve(env, [], ['--only', 'broker']);
  });
  afterAll(async () => {
    await shell.close();
    await issuer.close();
    await upstream.close();
    await provider.close();
  });

  const use = async (gateway: RunningGateway, id: string) => {
    const headers = { authorization: `Bearer ${token}` };
    const answer = await fetch(new URL(`/v1/use/${id}/ok`, gateway.url), { headers });
    return { status: answer.status, text: await answer.text() };
  };

  it('each serves its own part, and what is needed to run it', async () => {
    const status = async (gateway: RunningGateway, path: string) => (await get(gateway, path)).status;
    for (const gateway of [api, broker]) {
      for (const path of ['/livez', '/readyz', '/metrics']) expect(await status(gateway, path)).toBe(200);
      const { checks } = JSON.parse((await get(gateway, '/readyz')).text);
      expect(checks).toEqual({ store: 'ok', keyring: 'ok', issuer: 'ok' });
    }
    for (const path of ['/graphql', '/.well-known/jwks.json', '/']) expect(await status(broker, path)).toBe(404);
    expect(await status(api, '/.well-known/jwks.json')).toBe(200);
    expect(await status(api, '/v1/use/sec_123456789/')).toBe(404);
  });

  it('a secret that one wrote is used by the other, also while the first is stalled', async () => {
    const input = {
      name: 'KEY',
      provider: 'custom',
      value: 'a value to be used',
      destination: { origin: upstream.origin },
    };
    const { data } = await api.run(createSecret('id'), { input }, token);
    const { id } = data.createSecret.secret;
    process.kill(api.pid, 'SIGSTOP');
    try {
      expect(await use(broker, id)).toEqual({ status: 200, text: 'fine' });
    } finally {
      process.kill(api.pid, 'SIGCONT');
    }
    const events = await api.run(
      '{ auditEvents(filter: { types: ["secret.used"] }) { nodes { secretId } } }',
      {},
      token,
    );
    expect(events.data.auditEvents.nodes).toEqual([{ secretId: id }]);
    expect(upstream.last.head).toContain('Authorization: Bearer a value to be used');
  });

  it('the one of GraphQL checks and verifies keys by itself, and both tell the health of the same value', async () => {
    const value = provider.newKey();
    const input = { name: 'CHECKED', provider: 'acme', value, verify: true };
    const fields = 'id health { status source }';
    const { data } = await api.run(createSecret(fields), { input }, token);
    const { id, health } = data.createSecret.secret;
    expect(health).toEqual({ status: 'VALID', source: 'CHECK' });
    provider.known.delete(value);
    expect((await use(broker, id)).status).toBe(401);
    const found = await api.run(`query ($id: ID!) { secret(id: $id) { ${fields} } }`, { id }, token);
    expect(found.data.secret.health).toEqual({ status: 'REJECTED', source: 'USE' });
    const refused = { name: 'REFUSED', provider: 'acme', value, verify: true };
    const { errors } = await api.run(createSecret('id'), { input: refused }, token);
    expect(errors[0].extensions.errors[0].type).toBe('rejected_by_provider');
    provider.known.add(value);
    const checked = await api.run(checkSecret, { input: { id } }, token);
    expect(checked.data.checkSecret).toMatchObject({ result: 'VALID', secret: { health: { source: 'CHECK' } } });
  });
});
