import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newApiKey as newKeyText } from '../../src/identity/api-key.ts';
import { openStore } from '../../src/store/open-store.ts';
import { chain } from '../contract/fixtures.ts';
import { type MadeApiKey, newApiKey, withApiKey } from '../support/api-keys.ts';
import { storeNames, TestGateway } from '../support/gateway.ts';
import { createSecret, newSecret } from '../support/graphql.ts';

const viewer = '{ viewer { kind subject } }';

describe.each(storeNames)('somebody whose sub is the id of an API key, on %s,', (store) => {
  let gateway: TestGateway;
  let apiKey: MadeApiKey;
  let twin: { token: string };
  beforeAll(async () => {
    gateway = await TestGateway.start(store, { RATE_LIMIT: '40/60s' });
    apiKey = await newApiKey(gateway);
    twin = { token: await gateway.issuer.token({ sub: apiKey.id, teams: ['red'] }) };
  });
  afterAll(() => gateway.close());

  it('is another actor in the audit log, in the log, and for the rate limit', async () => {
    const owner = { teamId: 'red' };
    const { id } = apiKey;
    for (const by of [withApiKey(apiKey.key), twin]) {
      expect((await gateway.run(createSecret(), { input: { owner, ...newSecret() } }, by)).errors).toEqual([]);
    }
    const opened = await openStore(gateway.databaseUrl);
    const events = await chain(opened, { type: 'team', teamId: 'red' });
    await opened.close();
    const [made, byKey, byTwin] = events;
    expect(made).toMatchObject({ type: 'apiKey.created', apiKeyId: id, actor: { kind: 'user', id: 'grace' } });
    expect([byKey?.actor, byTwin?.actor]).toEqual([
      { kind: 'apiKey', id },
      { kind: 'user', id },
    ]);
    const logged = gateway.log.map((line) => JSON.parse(line)).filter(({ operation }) => operation === 'createSecret');
    expect(logged.map(({ actor }) => actor)).toEqual([
      { kind: 'apiKey', id },
      { kind: 'user', id },
    ]);

    let status = 200;
    while (status === 200) status = (await gateway.run(viewer, {}, withApiKey(apiKey.key))).status;
    expect(status).toBe(429);
    const answer = await gateway.run(viewer, {}, twin);
    expect([answer.status, answer.data.viewer]).toEqual([200, { kind: 'USER', subject: id }]);
  });

  it('has secrets of its own that the key does not reach', async () => {
    const { data } = await gateway.run(createSecret('id'), { input: newSecret() }, twin);
    const of = 'query ($id: ID!) { secret(id: $id) { id } }';
    const other = await newApiKey(gateway);
    expect((await gateway.run(of, { id: data.createSecret.secret.id }, withApiKey(other.key))).data.secret).toBeNull();
    const entity = `{ _entities(representations: [{ __typename: "User", id: "${other.id}" }]) { ... on User { secrets { totalCount } } } }`;
    const { errors } = await gateway.run(entity, {}, withApiKey(other.key));
    expect(errors[0]?.extensions.code).toBe('FORBIDDEN');
  });
});

describe('an address that sent many wrong API keys', () => {
  let gateway: TestGateway;
  beforeEach(async () => {
    gateway = await TestGateway.start('sqlite', { RATE_LIMIT: '40/60s' });
  });
  afterEach(() => gateway.close());

  it('has no more keys looked up that were not good here before, and others are not affected', async () => {
    const [known, other] = [await newApiKey(gateway), await newApiKey(gateway)];
    const status = async (key: string) => (await gateway.run(viewer, {}, withApiKey(key))).status;
    expect(await status(known.key)).toBe(200);
    const answers = [];
    for (let sent = 0; sent < 7; sent += 1) answers.push(await status(newKeyText()));
    expect(answers).toEqual([401, 401, 401, 401, 429, 429, 429]);
    const lookUps = async () => {
      const metrics = await (await fetch(new URL('/metrics', gateway.url))).text();
      return Number(/work_seconds_count\{work="store.apiKeys.findByHash",outcome="done"\} (\d+)/.exec(metrics)?.[1]);
    };
    const before = await lookUps();
    expect(await status(newKeyText())).toBe(429);
    const refused = await gateway.run(viewer, {}, withApiKey(other.key));
    expect([refused.status, Number(refused.headers.get('retry-after')) > 0]).toEqual([429, true]);
    expect(await lookUps()).toBe(before);
    expect(await status(known.key)).toBe(200);
    expect((await gateway.run(viewer)).status).toBe(200);
  });
});
