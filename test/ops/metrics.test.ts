import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { storeNames, TestGateway } from '../support/gateway.ts';
import { createSecret, newSecret } from '../support/graphql.ts';
import { get, postHead, raw } from '../support/http.ts';

const list = '{ secrets { totalCount } }';

describe.each(storeNames)('metrics on %s', (store) => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await TestGateway.start(store, { RATE_LIMIT: '60/1h' });
  });
  afterAll(() => gateway.close());
  /** Of garbage collection there is a series for each kind, once there was one. */
  const clientSeries = async () => [...(await series()).keys()].filter((name) => !name.startsWith('nodejs_gc')).sort();
  const series = async () => {
    const { text } = await get(gateway, '/metrics');
    return new Map(
      text
        .split('\n')
        .filter((line) => line && !line.startsWith('#'))
        .map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))] as const),
    );
  };

  it('are in the text format of Prometheus', async () => {
    await gateway.run(list);
    const { status, headers, text } = await get(gateway, '/metrics');
    expect(status).toBe(200);
    expect(headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    const line =
      /^(# (HELP|TYPE) [a-z0-9_]+ .+|[a-z0-9_]+(\{[a-z]+="[^"\\\n]*"(,[a-z]+="[^"\\\n]*")*\})? (-?\d[\d.e+-]*|\+Inf|Na[nN]))?$/;
    expect(text.split('\n').filter((one) => !line.test(one))).toEqual([]);
    for (const name of [
      'operations_total',
      'operation_seconds',
      'refusals_total',
      'work_seconds',
      'requests_in_flight',
    ]) {
      expect(text).toContain(`# HELP secrets_gateway_${name} `);
      expect(text).toContain(`# TYPE secrets_gateway_${name} `);
    }
  });

  it('count operations, their outcomes and their durations', async () => {
    const before = await series();
    const grew = async (name: string) =>
      ((await series()).get(`secrets_gateway_${name}`) ?? 0) - (before.get(`secrets_gateway_${name}`) ?? 0);
    await gateway.run(createSecret(), { input: newSecret() });
    await gateway.run(createSecret(), { input: { name: 'A' } });
    await gateway.run(list);
    await gateway.run('{ viewer { subject } secrets { totalCount } }');
    await gateway.run('{ nope }');
    await gateway.run(list, {}, { token: null });
    await gateway.run(list, {}, { token: 'wrong' });
    await gateway.send({ body: 'x' }, { headers: { 'content-type': 'text/plain' } });
    expect(await grew('operations_total{operation="createSecret",code="OK"}')).toBe(1);
    expect(await grew('operations_total{operation="createSecret",code="UNPROCESSABLE_ENTITY"}')).toBe(1);
    expect(await grew('operations_total{operation="secrets",code="OK"}')).toBe(1);
    expect(await grew('operations_total{operation="several",code="OK"}')).toBe(1);
    expect(await grew('operations_total{operation="none",code="BAD_REQUEST"}')).toBe(1);
    expect(await grew('operations_total{operation="none",code="UNAUTHORIZED"}')).toBe(1);
    expect(await grew('operation_seconds_count{operation="createSecret"}')).toBe(2);
    expect(await grew('operation_seconds_bucket{le="+Inf",operation="createSecret"}')).toBe(2);
    expect(await grew('operation_seconds_sum{operation="createSecret"}')).toBeGreaterThan(0);
    expect(await grew('refusals_total{code="UNAUTHORIZED"}')).toBe(1);
    expect(await grew('refusals_total{code="UNSUPPORTED_MEDIA_TYPE"}')).toBe(1);
    expect(await grew('work_seconds_count{work="store.commit",outcome="done"}')).toBe(1);
    expect(await grew('work_seconds_count{work="store.list",outcome="done"}')).toBeGreaterThanOrEqual(2);
    expect(await grew('work_seconds_count{work="crypto.seal",outcome="done"}')).toBe(1);
    expect(await grew('work_seconds_count{work="limiter.count",outcome="done"}')).toBeGreaterThanOrEqual(1);
    expect((await series()).get('secrets_gateway_work_seconds_count{work="jwks.load",outcome="done"}')).toBe(1);
  });

  it('count requests that could not be parsed', async () => {
    const before = await series();
    const options = { headers: { 'X-Long': 'a'.repeat(40_000) } };
    expect((await fetch(gateway.url, options)).status).toBe(431);
    const name = 'secrets_gateway_refusals_total{code="HEADERS_TOO_LARGE"}';
    expect(((await series()).get(name) ?? 0) - (before.get(name) ?? 0)).toBe(1);
  });

  it('count a request with a broken body once', async () => {
    const total = async () =>
      [...(await series())].reduce((sum, [name, value]) => sum + (/_refusals_total/.test(name) ? value : 0), 0);
    const before = await total();
    const text = await raw(gateway, `${postHead}Transfer-Encoding: chunked\r\n\r\nno length\r\n`);
    expect(text).toMatch(/^HTTP\/1\.1 400 /);
    await expect.poll(total).toBe(before + 1);
  });

  it('count requests over the rate limit', async () => {
    const token = await gateway.issuer.token({ sub: 'grace' });
    for (let i = 0; i < 62; i += 1) await gateway.run('{ __typename }', {}, { token });
    expect((await series()).get('secrets_gateway_refusals_total{code="TOO_MANY_REQUESTS"}')).toBeGreaterThanOrEqual(2);
  });

  it('contain no text from a client, and do not grow with it', async () => {
    const canary = 'canary_7f3a9b2c4d5e6f';
    const ask = async (index: number) => {
      const name = `${canary}${index}`;
      const token = await gateway.issuer.token({ sub: `grace ${name}` });
      const documents = [
        `query ${name} { ${name}: viewer { subject } }`,
        `{ ${name} }`,
        `query ${name} { ...${name} } fragment ${name} on Query { viewer { subject } }`,
        `mutation ${name} { ${name}: deleteSecret(input: { id: "${name}" }) { id } }`,
        `{ viewer { ${name}: subject } }`,
        `{ secrets(filter: { name: "${name}" }) { totalCount } }`,
        `${name} {`,
      ];
      for (const query of documents) {
        const headers = { 'x-request-id': name, 'user-agent': name, origin: `https://${name}.test` };
        await gateway.run(query, { [name]: name }, { token, headers });
        await gateway.send({ body: JSON.stringify({ query, operationName: name }) }, { token });
      }
      await gateway.send({ method: 'PROPFIND' }, {}, `?${name}`);
      await fetch(new URL(`/${name}`, gateway.url));
    };
    await ask(0);
    const before = await clientSeries();
    for (let index = 1; index < 5; index += 1) await ask(index);
    expect(await clientSeries()).toEqual(before);
    expect((await get(gateway, '/metrics')).text).not.toContain('canary');
  });
});
