import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openDatabaseWriter } from '../support/database-writer.ts';
import { storeNames, TestGateway } from '../support/gateway.ts';
import { createSecret } from '../support/graphql.ts';
import { get, raw } from '../support/http.ts';
import { refuseEvents } from '../support/refuse-events.ts';
import { Upstream } from '../support/upstream.ts';

const scope = 'secrets:read secrets:write secrets:use';

describe.each(storeNames)('uses of secrets on %s', (store) => {
  let gateway: TestGateway;
  let upstream: Upstream;
  let token: string;
  beforeAll(async () => {
    [gateway, upstream] = await Promise.all([TestGateway.start(store, { RATE_LIMIT: 'off' }), Upstream.start()]);
  });
  afterAll(async () => {
    await gateway.close();
    await upstream.close();
  });
  /** What one test does, another does not see. */
  beforeEach(async () => {
    token = await gateway.issuer.token({ sub: crypto.randomUUID(), scope });
    gateway.log.length = 0;
  });

  const destination = () => ({ origin: upstream.origin });
  async function newSecret(value: string): Promise<{ id: string; placeholder: string }> {
    const input = { name: 'KEY', provider: 'custom', value, destination: destination() };
    const { data, text } = await gateway.run(createSecret('id placeholder'), { input }, { token });
    if (!data) throw new Error(text);
    return data.createSecret.secret;
  }
  const use = (path: string, init: RequestInit = {}) =>
    fetch(new URL(`/v1/use/${path}`, gateway.url), {
      ...init,
      headers: { authorization: `Bearer ${token}`, ...init.headers },
    });
  const events = async () => {
    const query =
      '{ auditEvents(filter: { types: ["secret.used"] }) { nodes { version method origin secretId requestId } } }';
    return (await gateway.run(query, {}, { token })).data.auditEvents.nodes as Record<string, unknown>[];
  };
  const series = async (name: string) => {
    const { text } = await get(gateway, '/metrics');
    const line = text.split('\n').find((one) => one.startsWith(`secrets_gateway_${name} `));
    return Number(line?.slice(line.lastIndexOf(' ')) ?? 0);
  };

  it('each event tells of the version whose value was sent, however often the value changes meanwhile', async () => {
    const valueIn = (version: number) => `value-of-version-${version}`;
    const { id } = await newSecret(valueIn(1));
    const update = `mutation ($input: UpdateSecretInput!) { updateSecret(input: $input) { secret { version } } }`;
    const change = async () => {
      for (let version = 2; version <= 12; version += 1) {
        const input = { id, value: valueIn(version), destination: destination() };
        expect((await gateway.run(update, { input }, { token })).errors).toEqual([]);
      }
    };
    const sent = Array.from({ length: 60 }, (_, index) => `request-${index}`);
    const before = upstream.arrived.length;
    const uses = sent.map((requestId) => use(`${id}/ok`, { headers: { 'x-request-id': requestId } }));
    const [answers] = await Promise.all([Promise.all(uses), change()]);
    expect(answers.map(({ status }) => status)).toEqual(sent.map(() => 200));

    const versions = new Map((await events()).map(({ requestId, version }) => [requestId, version]));
    expect([...versions.keys()].sort()).toEqual([...sent].sort());
    for (const { rawHeaders } of upstream.arrived.slice(before)) {
      const headers = new Map(
        rawHeaders.flatMap((name, at) => (at % 2 ? [] : [[name.toLowerCase(), rawHeaders[at + 1]]])),
      );
      const version = versions.get(headers.get('x-request-id'));
      expect(headers.get('authorization')).toBe(`Bearer ${valueIn(Number(version))}`);
    }
  });

  it('are logged in one line each, which has neither path nor query, and are counted by their outcome', async () => {
    const { id } = await newSecret('a-value-to-be-used');
    const outcomes: [path: string, outcome: string, code: string, status?: number][] = [
      ['ok?canary-query', '2xx', 'OK', 200],
      ['redirect', '3xx', 'OK', 302],
      ['canary-path/status?is=404', '4xx', 'OK', 404],
      ['status?is=500', '5xx', 'OK', 500],
      ['reset', 'upstream_error', 'BAD_GATEWAY'],
    ];
    const counted = ([, outcome, code]: (typeof outcomes)[number]) => `uses_total{outcome="${outcome}",code="${code}"}`;
    const before = await Promise.all(outcomes.map((one) => series(counted(one))));
    for (const [path] of outcomes) {
      await use(`${id}/${path}`, { redirect: 'manual', headers: { 'x-request-id': path.replaceAll('?', '/') } })
        .then((answer) => answer.text())
        .catch(() => {});
    }
    for (const [at, one] of outcomes.entries()) expect(await series(counted(one))).toBe((before[at] ?? 0) + 1);

    const lines = gateway.log.map((line) => JSON.parse(line)).filter(({ operation }) => operation === 'useSecret');
    expect(lines.map(({ outcome, code }) => [outcome, code])).toEqual(outcomes.map(([, ...one]) => one.slice(0, 2)));
    for (const [at, [path, , , status]] of outcomes.entries()) {
      const { requestId, actor, owner, status: logged, durationMs, ...line } = lines[at];
      expect({ requestId, kind: actor.kind, owner }).toEqual({
        requestId: path.replaceAll('?', '/'),
        kind: 'user',
        owner: 'user',
      });
      if (status !== undefined) expect(logged).toBe(status);
      expect(durationMs).toBeGreaterThanOrEqual(0);
      expect(JSON.stringify(line)).not.toContain('canary');
    }
    expect(gateway.log.join('')).not.toContain('a-value-to-be-used');
  });

  it('end when the API key is revoked that they were begun with, and those of others go on', async () => {
    const admin = await gateway.issuer.token({
      sub: 'ada',
      scope: `${scope} keys:manage`,
      teams: [{ id: 'red', role: 'admin' }],
    });
    const create = `mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { key apiKey { id } } }`;
    const newKey = async (name: string) => {
      const input = { teamId: 'red', name, scopes: ['secrets:use'] };
      return (await gateway.run(create, { input }, { token: admin })).data.createApiKey;
    };
    const input = {
      name: crypto.randomUUID(),
      owner: { teamId: 'red' },
      value: 'a-value-to-be-used',
      destination: destination(),
    };
    const { data } = await gateway.run(createSecret('id'), { input }, { token: admin });
    const [revoked, other] = [await newKey(crypto.randomUUID()), await newKey(crypto.randomUUID())];
    const streams = await Promise.all(
      [revoked, other].map(({ key }) =>
        use(`${data.createSecret.secret.id}/events`, { headers: { authorization: `Bearer ${key}` } }),
      ),
    );
    expect(streams.map(({ status }) => status)).toEqual([200, 200]);
    const [ended, going] = streams.map((stream) => stream.text());
    const revoke = `mutation ($input: RevokeApiKeyInput!) { revokeApiKey(input: $input) { apiKey { id } } }`;
    await gateway.run(revoke, { input: { id: revoked.apiKey.id } }, { token: admin });
    await expect(ended).rejects.toThrow();
    for (const stream of upstream.streams) stream.end('the end');
    expect(await going).toContain('the end');
    const cutOff = gateway.log.map((line) => JSON.parse(line)).filter(({ outcome }) => outcome === 'cut_off');
    expect(cutOff.map(({ code }) => code)).toEqual(['UNAUTHORIZED']);
  });

  it('have no length with 204, whatever the upstream says', async () => {
    const { id } = await newSecret('a-value-to-be-used');
    const bytes = encodeURIComponent('HTTP/1.1 204 No Content\r\nContent-Length: 5\r\nX-A: b\r\n\r\n');
    const answer = await use(`${id}/raw?bytes=${bytes}`);
    expect([answer.status, answer.headers.get('x-a'), answer.headers.get('content-length')]).toEqual([204, 'b', null]);
  });

  it('are counted as open until their answers end, and end at the upstream when the client leaves', async () => {
    const { id } = await newSecret('a-value-to-be-used');
    const gone = 'uses_total{outcome="client_gone",code="BAD_REQUEST"}';
    const before = await series(gone);
    const leaving = new AbortController();
    const answer = await use(`${id}/events`, { signal: leaving.signal });
    expect(answer.status).toBe(200);
    expect(await series('uses_open')).toBe(1);
    expect(await series('requests_in_flight')).toBe(0);
    leaving.abort();
    await upstream.last.closed;
    await expect.poll(() => series('uses_open')).toBe(0);
    expect(await series(gone)).toBe(before + 1);
  });

  it('are refused before anything is written with an upgrade, with trailers, by TRACE, and with a body where none belongs', async () => {
    const { id } = await newSecret('a-value-to-be-used');
    const arrived = upstream.arrived.length;
    const ask = (line: string, ...headers: string[]) => {
      const all = ['Host: localhost', `Authorization: Bearer ${token}`, ...headers];
      return raw(gateway, `${line} HTTP/1.1\r\n${all.join('\r\n')}\r\n\r\n`);
    };
    const close = 'Connection: close';
    const answers = await Promise.all([
      ask(`GET /v1/use/${id}/ok`, 'Connection: close, Upgrade', 'Upgrade: websocket'),
      ask(`GET /v1/use/${id}/ok`, close, 'Upgrade: h2c'),
      ask(`POST /v1/use/${id}/ok`, close, 'Transfer-Encoding: chunked', 'Trailer: X-Sum'),
      ask(`TRACE /v1/use/${id}/ok`, close),
      ask(`GET /v1/use/${id}/ok`, close, 'Content-Length: 4'),
      ask(`HEAD /v1/use/${id}/ok`, close, 'Transfer-Encoding: chunked'),
    ]);
    const codeOf = (answer: string) =>
      /^HTTP\/1\.1 (\d+) [\s\S]*\r\nSecrets-Gateway-Error: (\w+)\r\n/.exec(answer)?.slice(1);
    expect(answers.map(codeOf)).toEqual([
      ['400', 'BAD_REQUEST'],
      ['400', 'BAD_REQUEST'],
      ['400', 'BAD_REQUEST'],
      ['405', 'METHOD_NOT_ALLOWED'],
      ['400', 'BAD_REQUEST'],
      ['400', 'BAD_REQUEST'],
    ]);
    expect(await events()).toEqual([]);
    expect(upstream.arrived).toHaveLength(arrived);
  });

  it('that name no secret are refused as all others are, and what only begins like one is not', async () => {
    const headers = { authorization: `Bearer ${token}` };
    for (const rest of ['', '?a=b', '/', '/?a=b', '/x']) {
      const answer = await fetch(new URL(`/v1/use${rest}`, gateway.url), { headers });
      expect([answer.status, answer.headers.get('content-type')], rest).toEqual([400, 'application/problem+json']);
      expect(answer.headers.get('secrets-gateway-error')).toBe('BAD_REQUEST');
      expect((await answer.json()).detail).toContain('/v1/use/');
    }
    expect((await fetch(new URL('/v1/use', gateway.url))).headers.get('secrets-gateway-error')).toBe('UNAUTHORIZED');
    const other = await fetch(new URL('/v1/used', gateway.url), { headers });
    expect([other.status, other.headers.get('secrets-gateway-error')]).toEqual([404, null]);
  });

  it('whose event cannot be written send nothing', async () => {
    const { id } = await newSecret('a-value-to-be-used');
    const arrived = upstream.arrived.length;
    const allow = await refuseEvents(store, gateway.databaseUrl, 'secret.used');
    try {
      const answer = await use(`${id}/ok`);
      expect([answer.status, answer.headers.get('secrets-gateway-error')]).toEqual([500, 'INTERNAL_SERVER_ERROR']);
    } finally {
      await allow();
    }
    expect(upstream.arrived).toHaveLength(arrived);
    expect((await use(`${id}/ok`)).status).toBe(200);
  });

  it('with a key that the keyring lacks name it, say when to retry, and send nothing', async () => {
    const { id } = await newSecret('a-value-to-be-used');
    const arrived = upstream.arrived.length;
    const writer = openDatabaseWriter(gateway.databaseUrl);
    const [row = {}] = await writer.records([id]);
    await writer.replaceRecords([id], [{ ...row, mac_kid: 'mac-lost' }]);
    await writer.close();
    const answer = await use(`${id}/ok`);
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '60']);
    expect(await answer.json()).toMatchObject({
      code: 'SERVICE_UNAVAILABLE',
      detail: expect.stringContaining('mac-lost'),
    });
    expect(await events()).toEqual([]);
    expect(upstream.arrived).toHaveLength(arrived);
  });
});
