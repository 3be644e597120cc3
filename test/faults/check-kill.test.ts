import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CommandLine, type RunningGateway } from '../support/command-line.ts';
import { FakeProvider, settingsOf } from '../support/fake-provider.ts';
import { newDatabaseUrl, storeNames } from '../support/gateway.ts';
import { createSecret } from '../support/graphql.ts';
import { checkSecret } from '../support/health.ts';
import { Issuer } from '../support/issuer.ts';

describe.each(storeNames)('a gateway that is killed while a provider is asked, on %s', (store) => {
  let shell: CommandLine;
  let issuer: Issuer;
  let provider: FakeProvider;
  beforeAll(async () => {
    issuer = await Issuer.start();
  });
  afterAll(() => issuer.close());
  beforeEach(async () => {
    [shell, provider] = await Promise.all([CommandLine.open(), FakeProvider.start()]);
  });
  afterEach(async () => {
    await shell.close();
    await provider.close();
  });

  it('has an event of each check that reached the provider, and has written nothing else', {
    timeout: 60_000,
  }, async () => {
    const token = await issuer.token({ scope: 'secrets:read secrets:write secrets:use' });
    const env = {
      DATABASE_URL: newDatabaseUrl(store, shell.directory),
      ...issuer.settings,
      RATE_LIMIT: 'off',
      ...(await settingsOf(provider)),
    };
    const killed = await shell.serve(env);
    const input = { provider: 'acme', value: provider.newKey() };
    const create = (gateway: RunningGateway, name: string, more: object = {}) =>
      gateway.run(createSecret('id'), { input: { ...input, name, ...more } }, token);
    const { id } = (await create(killed, 'KEY')).data.createSecret.secret;
    const everyCheck = Promise.withResolvers<void>();
    const checks = 5;
    // None is answered: the gateway ends while all of them are open.
    provider.onArrival = () => {
      if (provider.arrived.length === 2 * checks) everyCheck.resolve();
      return new Promise(() => {});
    };
    const asked = Array.from({ length: checks }, (_, at) => [
      killed.run(checkSecret, { input: { id } }, token),
      create(killed, `NEW_${at}`, { verify: true }),
    ]).flat();
    const ended = Promise.allSettled(asked);
    await everyCheck.promise;
    await killed.stop('SIGKILL');
    expect((await ended).map(({ status }) => status)).toEqual(asked.map(() => 'rejected'));

    provider.onArrival = () => {};
    const gateway = await shell.serve(env);
    const query = `{ auditEvents(first: 100) { nodes { type secretId method origin } }
      secrets { nodes { id name health { status } lastUsedAt } } }`;
    const { data } = await gateway.run(query, {}, token);
    const checked = data.auditEvents.nodes.filter(({ type }: { type: string }) => type === 'secret.checked');
    expect(checked).toHaveLength(2 * checks);
    for (const event of checked) expect(event).toMatchObject({ method: 'GET', origin: provider.origin });
    expect(checked.filter(({ secretId }: { secretId: string }) => secretId === id)).toHaveLength(checks);
    // Nothing is known of the value, and none of the others was written.
    expect(data.secrets.nodes).toEqual([{ id, name: 'KEY', health: null, lastUsedAt: null }]);
    const again = await gateway.run(checkSecret, { input: { id } }, token);
    expect(again.data.checkSecret.result).toBe('VALID');
  });
});
