import { afterEach, describe, expect, it } from 'vitest';
import { type GraphQLAnswer, type RequestOptions, storeNames, TestGateway } from '../support/gateway.ts';
import { createSecret } from '../support/graphql.ts';

const query = '{ viewer { subject } }';
const json = { accept: 'application/json' };

const gateways: TestGateway[] = [];
afterEach(async () => {
  for (const gateway of gateways.splice(0)) await gateway.close();
});

async function start(store: (typeof storeNames)[number], rateLimit: string, env: Record<string, string> = {}) {
  const gateway = await TestGateway.start(store, { RATE_LIMIT: rateLimit, ...env });
  gateways.push(gateway);
  return gateway;
}

const as = async (gateway: TestGateway, sub: string): Promise<RequestOptions> => ({
  token: await gateway.issuer.token({ sub }),
});

const remaining = ({ headers }: GraphQLAnswer) => Number(headers.get('ratelimit-remaining'));

/** Sends requests until one is refused, at most `most`. @returns how many were answered */
async function exhaust(ask: () => Promise<GraphQLAnswer>, most = 100): Promise<number> {
  for (let answered = 0; answered < most; answered += 1) if ((await ask()).status === 429) return answered;
  return most;
}

function expectTooMany(answer: GraphQLAnswer, limit: number, windowSeconds: number): void {
  expect(answer.status).toBe(429);
  const seconds = Number(answer.headers.get('retry-after'));
  expect(seconds).toBeGreaterThanOrEqual(1);
  expect(seconds).toBeLessThanOrEqual(windowSeconds);
  expect(answer.errors).toMatchObject([
    {
      message: 'Rate limit exceeded. Retry later.',
      extensions: {
        code: 'TOO_MANY_REQUESTS',
        status: 429,
        type: 'rate_limit_error',
        requestId: answer.headers.get('x-request-id'),
        retryAfter: seconds,
      },
    },
  ]);
  expect(answer.headers.get('ratelimit-limit')).toBe(String(limit));
  expect(answer.headers.get('ratelimit-remaining')).toBe('0');
  expect(answer.headers.get('ratelimit-reset')).toBe(String(seconds));
  expect(answer.text).not.toContain('"data"');
}

describe.each(storeNames)('RATE_LIMIT on %s', (store) => {
  it('is the most that one operation costs, so that no operation is refused forever', async () => {
    const gateway = await start(store, '50/1h');
    const ada = await as(gateway, 'ada');
    const r = Array(1000).fill({ __typename: 'Team', id: 'red' });
    const entities =
      'query ($r: [_Any!]!) { _entities(representations: $r) { ... on Team { secrets { nodes { id } } } } }';
    const answer = await gateway.run(entities, { r }, ada);
    expect(answer.status).toBe(200);
    expect(remaining(answer)).toBe(0);
    expectTooMany(await gateway.run(query, {}, ada), 50, 3600);
  });

  it('costs a point more for every 1,000 objects that an operation could return, on its real variables', async () => {
    const gateway = await start(store, '100/1h');
    const ada = await as(gateway, 'ada');
    const list = 'query ($first: Int) { secrets(first: $first) { nodes { id } } }';
    const costs: number[] = [];
    let before = 100;
    for (const first of [100, 900, 1000]) {
      const left = remaining(await gateway.run(list, { first }, ada));
      costs.push(before - left);
      before = left;
    }
    const teams = Array(30).fill({ __typename: 'Team', id: 'red' });
    const entities =
      'query ($r: [_Any!]!) { _entities(representations: $r) { ... on Team { secrets { nodes { id } } } } }';
    costs.push(before - remaining(await gateway.run(entities, { r: teams }, ada)));
    expect(costs).toEqual([1, 1, 2, 4]);
  });

  it('allows each principal this many queries, and each response has the number that is left', async () => {
    const gateway = await start(store, '12/1h');
    const ada = await as(gateway, 'ada');
    for (let left = 11; left >= 0; left -= 1) {
      const { status, headers } = await gateway.run(query, {}, ada);
      expect(status).toBe(200);
      expect(headers.get('ratelimit-limit')).toBe('12');
      expect(headers.get('ratelimit-remaining')).toBe(String(left));
      const reset = Number(headers.get('ratelimit-reset'));
      expect(reset).toBeGreaterThan(3500);
      expect(reset).toBeLessThanOrEqual(3600);
    }
    for (const headers of [{}, json]) expectTooMany(await gateway.run(query, {}, { ...ada, headers }), 12, 3600);
    expect((await gateway.run(query, {}, await as(gateway, 'grace'))).status).toBe(200);
  });

  it('counts a principal, not a token', async () => {
    const gateway = await start(store, '5/1h');
    expect(await exhaust(async () => gateway.run(query, {}, await as(gateway, 'ada')))).toBe(5);
  });

  it('lets exactly the limit through, however many requests come at once', async () => {
    const gateway = await start(store, '20/1h');
    const ada = await as(gateway, 'ada');
    const answers = await Promise.all(Array.from({ length: 50 }, () => gateway.run(query, {}, ada)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(20);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(30);
    for (const { headers } of answers) {
      expect(headers.get('ratelimit-reset')).toMatch(/^\d+$/);
      expect(headers.get('ratelimit-remaining')).toMatch(/^\d+$/);
    }
  });

  it('takes 5 points for a mutation, and refuses it before it runs', async () => {
    const gateway = await start(store, '12/1h');
    const ada = await as(gateway, 'ada');
    const input = (name: string) => ({ input: { name, provider: 'openai', value: 'a value' } });
    expect(remaining(await gateway.run(createSecret(), input('ONE'), ada))).toBe(7);
    expect(remaining(await gateway.run(createSecret(), input('TWO'), ada))).toBe(2);
    for (const headers of [{}, json]) {
      expectTooMany(await gateway.run(createSecret(), input('THREE'), { ...ada, headers }), 12, 3600);
    }
    await gateway.stop();
    await gateway.launch({ RATE_LIMIT: 'off' });
    const { data } = await gateway.run('{ secrets { nodes { name } } }', {}, ada);
    expect(data.secrets.nodes).toEqual([{ name: 'ONE' }, { name: 'TWO' }]);
  });

  it('counts each operation of a batch, and refuses a batch over the limit as a whole', async () => {
    const gateway = await start(store, '7/1h');
    const ada = await as(gateway, 'ada');
    const batch = (count: number) => gateway.send({ body: JSON.stringify(Array(count).fill({ query })) }, ada);
    expect(remaining(await batch(5))).toBe(2);
    const { status, errors, headers } = await batch(4);
    expect(status).toBe(429);
    expect(errors[0]?.extensions.code).toBe('TOO_MANY_REQUESTS');
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
  });

  it('counts every mutation of an operation', async () => {
    const gateway = await start(store, '100/1h');
    const ada = await as(gateway, 'ada');
    const remove = (alias: string) =>
      `${alias}: deleteSecret(input: { id: "4c07bc67-57ea-42dd-b702-c2d6c45419fc" }) { id }`;
    expect(remaining(await gateway.run(`mutation { ${remove('a')} }`, {}, ada))).toBe(95);
    const fragment = `fragment F on Mutation { ${remove('b')} ${remove('c')} }`;
    expect(remaining(await gateway.run(`mutation { ${remove('a')} ...F } ${fragment}`, {}, ada))).toBe(80);
  });

  it('counts a refused batch once', async () => {
    const gateway = await start(store, '10/1h');
    const ada = await as(gateway, 'ada');
    const { status, headers } = await gateway.send({ body: JSON.stringify(Array(1000).fill({ query })) }, ada);
    expect(status).toBe(413);
    expect(headers.get('ratelimit-remaining')).toBe('9');
  });

  it('starts again when its window has passed', async () => {
    // Long enough for a slow machine to make these requests in one window.
    const gateway = await start(store, '3/4s');
    const ada = await as(gateway, 'ada');
    expect(await exhaust(() => gateway.run(query, {}, ada))).toBe(3);
    await expect.poll(async () => (await gateway.run(query, {}, ada)).status).toBe(200);
    expect(await exhaust(() => gateway.run(query, {}, ada))).toBe(2);
  });

  it('counts requests without credentials by address', async () => {
    const gateway = await start(store, '4/1h');
    const anonymous = () => gateway.run('{ __typename }', {}, { token: null });
    expect(await exhaust(anonymous)).toBe(4);
    expectTooMany(await anonymous(), 4, 3600);
    expect((await gateway.run(query)).status).toBe(200);
  });

  it('takes 10 points for wrong credentials, by address, and never refuses good ones for it', async () => {
    const gateway = await start(store, '30/1h');
    const wrong = () => gateway.run(query, {}, { token: 'a.b.c', headers: json });
    const first = await wrong();
    expect(first.status).toBe(401);
    expect(remaining(first)).toBe(20);
    expect(await exhaust(wrong)).toBe(2);
    expectTooMany(await wrong(), 30, 3600);
    for (let good = 0; good < 5; good += 1) expect((await gateway.run(query)).status).toBe(200);
    expect((await gateway.run('{ __typename }', {}, { token: null })).status).toBe(200);
  });

  it('uses the address that a trusted proxy saw, and no other', async () => {
    const gateway = await start(store, '2/1h', { TRUST_PROXY: 'on' });
    const from = (address: string) => () =>
      gateway.run('{ __typename }', {}, { token: null, headers: { 'x-forwarded-for': address } });
    expect(await exhaust(from('203.0.113.1'))).toBe(2);
    expect(await exhaust(from('203.0.113.2'))).toBe(2);
    // The entries before the last came from the client, which can write anything.
    expect((await from('198.51.100.7, 203.0.113.1')()).status).toBe(429);
    expect((await from('203.0.113.1, 198.51.100.7')()).status).toBe(200);
    // Some proxies append the port.
    expect((await from('203.0.113.1:50001')()).status).toBe(429);
    expect((await from('::ffff:203.0.113.1')()).status).toBe(429);
  });

  it('counts an IPv6 network of 64 bits as one address', async () => {
    const gateway = await start(store, '2/1h', { TRUST_PROXY: 'on' });
    const from = (address: string) => () =>
      gateway.run('{ __typename }', {}, { token: null, headers: { 'x-forwarded-for': address } });
    expect(await exhaust(from('2001:db8:0:7::1'))).toBe(2);
    expect((await from('2001:db8:0:7:ffff::9')()).status).toBe(429);
    expect((await from('2001:0DB8:0000:0007:1:2:3:4')()).status).toBe(429);
    expect((await from('[2001:db8:0:7::5]:50001')()).status).toBe(429);
    expect((await from('2001:db8:0:8::1')()).status).toBe(200);
    expect((await from('2001:db8::7:1')()).status).toBe(200);
  });

  it('ignores X-Forwarded-For without TRUST_PROXY', async () => {
    const gateway = await start(store, '3/1h');
    let client = 0;
    const ask = () => {
      client += 1;
      return gateway.run('{ __typename }', {}, { token: null, headers: { 'x-forwarded-for': `203.0.113.${client}` } });
    };
    expect(await exhaust(ask)).toBe(3);
  });

  it('set to off limits nothing', async () => {
    const gateway = await start(store, 'off');
    const answers = await Promise.all(Array.from({ length: 700 }, () => gateway.run('{ __typename }')));
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    expect(answers[0]?.headers.has('ratelimit-limit')).toBe(false);
    expect(await exhaust(() => gateway.run(query, {}, { token: 'a.b.c' }), 70)).toBe(70);
  });
});

describe('RATE_LIMIT', () => {
  it.each(['0/60s', '600', '600/0s', '-1/60s', '600/60d', '1e3/60s'])('of %s is refused at start', async (value) => {
    await expect(TestGateway.start('sqlite', { RATE_LIMIT: value })).rejects.toThrow(/^RATE_LIMIT must be/);
  });
});

describe.runIf(storeNames.includes('mongodb'))('gateways on one MongoDB', () => {
  async function two(rateLimit: string) {
    const first = await start('mongodb', rateLimit);
    const second = await TestGateway.start('mongodb', {
      RATE_LIMIT: rateLimit,
      DATABASE_URL: first.databaseUrl,
      ...keyringOf(first),
    });
    gateways.push(second);
    return [first, second] as const;
  }
  const keyringOf = ({ directory }: TestGateway) => ({ KEYRING_FILE: `${directory}/keyring.json` });

  it('share one count, and together let exactly the limit through', async () => {
    const [first, second] = await two('7/1h');
    const ada = [await as(first, 'ada'), await as(second, 'ada')] as const;
    for (const left of [6, 5, 4]) expect(remaining(await first.run(query, {}, ada[0]))).toBe(left);
    for (const left of [3, 2]) expect(remaining(await second.run(query, {}, ada[1]))).toBe(left);
    for (const left of [1, 0]) expect(remaining(await first.run(query, {}, ada[0]))).toBe(left);
    expectTooMany(await second.run(query, {}, ada[1]), 7, 3600);
    expectTooMany(await first.run(query, {}, ada[0]), 7, 3600);
  });

  it('let exactly the limit through when both get requests at once', async () => {
    const [first, second] = await two('9/1h');
    const ada = [await as(first, 'ada'), await as(second, 'ada')] as const;
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, i) => (i % 2 ? second.run(query, {}, ada[1]) : first.run(query, {}, ada[0]))),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(9);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(31);
  });

  it('share a large limit too, with a difference of a few requests', async () => {
    const [first, second] = await two('400/1h');
    const ada = [await as(first, 'ada'), await as(second, 'ada')] as const;
    let answered = 0;
    for (let round = 0; round < 12; round += 1) {
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, i) => (i % 2 ? second.run(query, {}, ada[1]) : first.run(query, {}, ada[0]))),
      );
      answered += answers.filter(({ status }) => status === 200).length;
    }
    expect(answered).toBeGreaterThanOrEqual(400);
    expect(answered).toBeLessThanOrEqual(450);
  });

  it('share the budget of wrong credentials', async () => {
    const [first, second] = await two('40/1h');
    const wrong = (gateway: TestGateway) => gateway.run(query, {}, { token: 'a.b.c' });
    for (const gateway of [first, second, first, second]) expect((await wrong(gateway)).status).toBe(401);
    expect((await wrong(first)).status).toBe(429);
    expect((await wrong(second)).status).toBe(429);
  });
});
