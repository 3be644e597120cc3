import { AsyncLocalStorage } from 'node:async_hooks';
import { mkdir, rename } from 'node:fs/promises';
import { Agent, request, type ServerResponse } from 'node:http';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { type Context, context, ROOT_CONTEXT, type Span, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { openStore } from '../../src/store/open-store.ts';
import { CommandLine, type RunningGateway } from '../support/command-line.ts';
import { newDatabaseUrl, storeNames, TestGateway } from '../support/gateway.ts';
import { Issuer } from '../support/issuer.ts';
import { LeakDetector } from '../support/leak-detector.ts';

const create = 'mutation ($input: CreateSecretInput!) { createSecret(input: $input) { secret { id } } }';
const list = '{ secrets { totalCount } }';
const newSecret = () => ({
  name: `S_${crypto.randomUUID().replaceAll('-', '')}`,
  provider: 'openai',
  value: 'a value',
});
const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

interface Answer {
  status: number;
  headers: Headers;
  text: string;
}

async function get(gateway: { url: string }, path: string): Promise<Answer> {
  const response = await fetch(new URL(path, gateway.url));
  return { status: response.status, headers: response.headers, text: await response.text() };
}

const readiness = async (gateway: { url: string }) => {
  const { status, text } = await get(gateway, '/readyz');
  return { http: status, ...JSON.parse(text) };
};

describe.each(storeNames)('health on %s', (store) => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await TestGateway.start(store, { RATE_LIMIT: '1/1h' });
  });
  afterAll(() => gateway.close());

  it('is told without credentials, as often as it is asked for', async () => {
    for (let i = 0; i < 20; i += 1) {
      const live = await get(gateway, '/livez');
      expect({ status: live.status, body: JSON.parse(live.text) }).toEqual({ status: 200, body: { status: 'ok' } });
      expect(live.headers.get('cache-control')).toBe('no-store');
      expect(await readiness(gateway)).toEqual({ http: 200, status: 'ok', checks: { store: 'ok', keyring: 'ok' } });
    }
  });

  it('not ready without its keyring, though alive, and ready with it again', async () => {
    const keyring = join(gateway.directory, 'keyring.json');
    await rename(keyring, `${keyring}.away`);
    try {
      expect(await readiness(gateway)).toEqual({
        http: 503,
        status: 'failed',
        checks: { store: 'ok', keyring: 'failed' },
      });
      expect((await get(gateway, '/livez')).status).toBe(200);
    } finally {
      await rename(`${keyring}.away`, keyring);
    }
    expect((await get(gateway, '/readyz')).status).toBe(200);
  });
});

/** Stands between a gateway and a server, and can be cut. */
class Wire {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  isCut = false;

  constructor(port: number, host: string) {
    this.#server = createServer((near) => {
      if (this.isCut) return near.destroy();
      const far = connect(port, host);
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(from);
        from.pipe(to);
        from
          .on('error', () => {})
          .on('close', () => {
            this.#sockets.delete(from);
            to.destroy();
          });
      }
    });
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const address = this.#server.address();
    return typeof address === 'object' && address ? address.port : 0;
  }

  cut(): void {
    this.isCut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

describe.runIf(storeNames.includes('mongodb'))('without its MongoDB', () => {
  let wire: Wire;
  let gateway: TestGateway;
  beforeAll(async () => {
    const uri = new URL(newDatabaseUrl('mongodb', ''));
    const [host = '', port = ''] =
      (inject('mongodbUri') ?? '')
        .replace(/^mongodb:\/\//, '')
        .split(/[,/?]/)[0]
        ?.split(':') ?? [];
    wire = new Wire(Number(port), host);
    const near = await wire.listen();
    const url = `mongodb://127.0.0.1:${near}${uri.pathname}?directConnection=true`;
    gateway = await TestGateway.start('mongodb', { DATABASE_URL: url, RATE_LIMIT: 'off' });
  });
  afterAll(async () => {
    await gateway.close();
    await wire.close();
  });

  it('is alive, not ready, and says with each refusal when to come back', async () => {
    expect((await get(gateway, '/readyz')).status).toBe(200);
    wire.cut();
    const startedAt = performance.now();
    expect(await readiness(gateway)).toEqual({
      http: 503,
      status: 'failed',
      checks: { store: 'failed', keyring: 'ok' },
    });
    expect(performance.now() - startedAt).toBeLessThan(4000);
    expect((await get(gateway, '/livez')).status).toBe(200);
    const { status, headers, errors } = await gateway.run(list);
    expect(status).toBe(503);
    expect(errors[0]?.extensions).toMatchObject({
      code: 'SERVICE_UNAVAILABLE',
      type: 'unavailable_error',
      retryAfter: 1,
    });
    expect(headers.get('retry-after')).toBe('1');
    // Who needs no store is served.
    expect((await gateway.run('{ viewer { subject } }')).data).toEqual({ viewer: { subject: 'ada' } });
  });

  it('is ready again once it is back', async () => {
    wire.isCut = false;
    await expect.poll(async () => (await get(gateway, '/readyz')).status, { timeout: 15_000, interval: 200 }).toBe(200);
    expect((await gateway.run(list)).status).toBe(200);
  });
});

describe.each(storeNames)('metrics on %s', (store) => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await TestGateway.start(store, { RATE_LIMIT: '60/1h' });
  });
  afterAll(() => gateway.close());
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
      /^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{[a-z]+="[^"\\\n]*"(,[a-z]+="[^"\\\n]*")*\})? (-?\d[\d.e+-]*|\+Inf|NaN))?$/;
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

  it('count what was done, how it ended, and how long it took', async () => {
    const before = await series();
    const grew = async (name: string) =>
      ((await series()).get(`secrets_gateway_${name}`) ?? 0) - (before.get(`secrets_gateway_${name}`) ?? 0);
    await gateway.run(create, { input: newSecret() });
    await gateway.run(create, { input: { name: 'A' } });
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

  it('count what could not be read as a request', async () => {
    const before = await series();
    const options = { headers: { 'X-Long': 'a'.repeat(20_000) } };
    expect((await fetch(gateway.url, options)).status).toBe(431);
    const name = 'secrets_gateway_refusals_total{code="HEADERS_TOO_LARGE"}';
    expect(((await series()).get(name) ?? 0) - (before.get(name) ?? 0)).toBe(1);
  });

  it('count what broke off in its body once', async () => {
    const total = async () =>
      [...(await series())].reduce((sum, [name, value]) => sum + (/_refusals_total/.test(name) ? value : 0), 0);
    const before = await total();
    const text = await raw(gateway, `${head}Transfer-Encoding: chunked\r\n\r\nno length\r\n`);
    expect(text).toMatch(/^HTTP\/1\.1 400 /);
    await expect.poll(total).toBe(before + 1);
  });

  it('count those over the limit', async () => {
    const token = await gateway.issuer.token({ sub: 'grace' });
    for (let i = 0; i < 62; i += 1) await gateway.run('{ __typename }', {}, { token });
    expect((await series()).get('secrets_gateway_refusals_total{code="TOO_MANY_REQUESTS"}')).toBeGreaterThanOrEqual(2);
  });

  it('say nothing that a client made up, and do not grow with it', async () => {
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
    const before = [...(await series()).keys()].sort();
    for (let index = 1; index < 5; index += 1) await ask(index);
    expect([...(await series()).keys()].sort()).toEqual(before);
    expect((await get(gateway, '/metrics')).text).not.toContain('canary');
  });
});

describe.each(storeNames)('the log on %s', (store) => {
  it('is JSON with the request’s id and subject, and nothing that was sent as a value, token or variable', async () => {
    const gateway = await TestGateway.start(store);
    try {
      const value = `sk-${crypto.randomUUID()}${crypto.randomUUID()}`;
      const [operation, alias, provider, wrong] = ['operation', 'alias', 'provider', 'token'].map(
        (word) => `${word}${crypto.randomUUID().replaceAll('-', '')}`,
      ) as [string, string, string, string];
      const token = await gateway.issuer.token();
      const input = { name: 'OPENAI_API_KEY', provider, value };
      const headers = { 'x-request-id': 'the-request.1' };
      const document = `mutation ${operation} ($input: CreateSecretInput!) { ${alias}: createSecret(input: $input) { secret { id } } }`;
      await gateway.run(document, { input }, { token, headers });
      await gateway.run(document, { input }, { token });
      await gateway.run('{ nope }', { input }, { token });
      await gateway.run(list, {}, { token: wrong, headers: { 'x-request-id': 'no good\tid' } });
      const lines = gateway.log.map((line) => JSON.parse(line));
      expect(lines.every(({ level, time }) => typeof level === 'number' && time !== undefined)).toBe(true);
      const mine = { requestId: expect.stringMatching(/./), subject: 'ada', milliseconds: expect.any(Number) };
      expect(lines.filter(({ msg }) => msg === 'operation')).toMatchObject([
        { ...mine, requestId: 'the-request.1', operation: 'createSecret', code: 'OK' },
        { ...mine, operation: 'createSecret', code: 'CONFLICT_ERROR' },
        { ...mine, operation: 'none', code: 'BAD_REQUEST' },
      ]);
      const refused = lines.filter(({ msg }) => msg === 'refused');
      expect(refused).toMatchObject([{ code: 'UNAUTHORIZED', requestId: expect.stringMatching(/^[0-9a-f-]{36}$/) }]);
      const all = gateway.log.join('');
      expect(
        new LeakDetector([value, operation, alias, provider, wrong, ...token.split('.').slice(1)]).find(all),
      ).toEqual(new Set());
    } finally {
      await gateway.close();
    }
  });
});

interface FinishedSpan {
  name: string;
  parent: string | undefined;
  failed: boolean;
  /** Anything but a name and a status. */
  said: unknown[];
}

/** What an OpenTelemetry SDK registers, as far as is needed to see what it would be told. */
class Recorder {
  readonly spans: FinishedSpan[] = [];
  readonly #storage = new AsyncLocalStorage<Context>();

  readonly tracer = {
    startSpan: (name: string, options?: unknown, parentContext: Context = context.active()) => {
      const parent = trace.getSpan(parentContext) as (Span & { name: string }) | undefined;
      const finished: FinishedSpan = { name, parent: parent?.name, failed: false, said: options ? [options] : [] };
      const say = (...what: unknown[]) => {
        finished.said.push(what);
        return span;
      };
      const span = {
        name,
        spanContext: () => ({ traceId: '0'.repeat(31) + 1, spanId: '0'.repeat(15) + 1, traceFlags: 1 }),
        isRecording: () => true,
        setStatus: ({ code, message }: { code: SpanStatusCode; message?: string }) => {
          finished.failed = code === SpanStatusCode.ERROR;
          return message === undefined ? span : say(message);
        },
        end: () => this.spans.push(finished),
        setAttribute: say,
        setAttributes: say,
        addEvent: say,
        addLink: say,
        addLinks: say,
        updateName: say,
        recordException: say,
      };
      return span as unknown as Span;
    },
  } as Tracer;

  register(): void {
    trace.setGlobalTracerProvider({ getTracer: () => this.tracer });
    context.setGlobalContextManager({
      active: () => this.#storage.getStore() ?? ROOT_CONTEXT,
      with: (active, work, self, ...args) => this.#storage.run(active, () => work.call(self as never, ...args)),
      bind: (_context, target) => target,
      enable() {
        return this;
      },
      disable() {
        return this;
      },
    });
  }
}

// One for all: the API hands a tracer out once.
const recorder = new Recorder();

describe.each(storeNames)('OpenTelemetry on %s', (store) => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await TestGateway.start(store);
    recorder.register();
  });
  afterAll(async () => {
    trace.disable();
    context.disable();
    await gateway.close();
  });
  const spansOf = async (work: () => Promise<unknown>) => {
    recorder.spans.length = 0;
    await work();
    return recorder.spans.map(({ name, parent, failed }) => ({ name, parent, failed }));
  };

  it('sees a request, and in it the work of the store and the crypto', async () => {
    const spans = await spansOf(() => gateway.run(create, { input: newSecret() }));
    expect(spans).toContainEqual({ name: 'graphql.request', parent: undefined, failed: false });
    expect(spans).toContainEqual({ name: 'crypto.seal', parent: 'graphql.request', failed: false });
    expect(spans).toContainEqual({ name: 'store.commit', parent: 'graphql.request', failed: false });
    expect(spans).toContainEqual({ name: 'jwks.load', parent: undefined, failed: false });
    const reading = await spansOf(() => gateway.run(list));
    expect(reading).toContainEqual({ name: 'store.list', parent: 'graphql.request', failed: false });
  });

  it('sees what failed as failed', async () => {
    const input = newSecret();
    await gateway.run(create, { input });
    expect(await spansOf(() => gateway.run(create, { input }))).toContainEqual({
      name: 'store.commit',
      parent: 'graphql.request',
      failed: true,
    });
  });

  it('is told nothing but names of the gateway’s own', async () => {
    await gateway.run(`query Mine { mine: secrets(filter: { name: "mine" }) { totalCount } }`);
    expect(recorder.spans.flatMap(({ said }) => said)).toEqual([]);
    for (const { name } of recorder.spans) {
      expect(name).toMatch(/^(graphql\.request|(store|crypto|jwks|limiter)\.[a-zA-Z]+)$/);
    }
  });
});

const head = 'POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n';

/** Writes these bytes to a connection of its own. @returns all that came back until it ended */
function raw(gateway: { url: string }, bytes: string): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1', () => socket.write(bytes));
    socket.on('data', (data) => {
      text += data;
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(text));
  });
}

it('what cannot be read behind a request does not take its answer', async () => {
  const gateway = await TestGateway.start();
  try {
    const token = await gateway.issuer.token();
    const body = JSON.stringify({ query: create, variables: { input: newSecret() } });
    const request = `${head}Authorization: Bearer ${token}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
    const text = await raw(gateway, `${request}NONSENSE\r\n\r\n`);
    expect(text).toMatch(/^HTTP\/1\.1 200 /);
    expect(text).toContain('"createSecret"');
    expect(text.match(/HTTP\/1\.1/g)).toHaveLength(1);
  } finally {
    await gateway.close();
  }
});

/** A POST whose body stays away until it is released. */
class SlowRequest {
  readonly answer: Promise<{ status: number; retryAfter: string | undefined; text: string }>;
  readonly #socket: Socket;
  readonly #rest: string;

  constructor(gateway: { url: string }, token: string, body: string) {
    const { port } = new URL(gateway.url);
    this.#rest = body.slice(1);
    this.#socket = connect(Number(port), '127.0.0.1');
    this.#socket.write(
      `POST /graphql HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nAuthorization: Bearer ${token}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body.slice(0, 1)}`,
    );
    this.answer = new Promise((resolve) => {
      let text = '';
      this.#socket.on('data', (data) => {
        text += data;
      });
      this.#socket.on('error', () => {});
      this.#socket.on('close', () => {
        const status = Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? 0);
        resolve({ status, retryAfter: /\r\nretry-after: (.*)\r\n/i.exec(text)?.[1], text });
      });
    });
  }

  release(): void {
    this.#socket.write(this.#rest);
  }
}

describe('overload', () => {
  let gateway: TestGateway;
  let token: string;
  const body = JSON.stringify({ query: list });
  const inFlight = async () => Number(/in_flight (\d+)/.exec((await get(gateway, '/metrics')).text)?.[1]);
  beforeEach(async () => {
    gateway = await TestGateway.start('sqlite', { RATE_LIMIT: 'off' });
    token = await gateway.issuer.token();
  });
  afterEach(() => gateway.close());

  it('is shed: beyond 1,000 requests at once, more are refused at once, and told when to come back', async () => {
    const held: ServerResponse[] = [];
    gateway.issuer.misbehave = (response) => held.push(response);
    const slow = Array.from({ length: 1000 }, () => new SlowRequest(gateway, token, body));
    for (const one of slow) one.release();
    await expect.poll(inFlight, { timeout: 10_000 }).toBe(1000);
    const { status, headers, errors } = await gateway.run(list, {}, { token, headers: { accept: 'application/json' } });
    expect(status).toBe(503);
    expect(headers.get('retry-after')).toBe('1');
    expect(errors[0]?.extensions).toMatchObject({
      code: 'SERVICE_UNAVAILABLE',
      type: 'unavailable_error',
      retryAfter: 1,
    });
    expect((await get(gateway, '/livez')).status).toBe(200);
    expect((await get(gateway, '/readyz')).status).toBe(200);
    gateway.issuer.misbehave = null;
    for (const response of held) response.end(JSON.stringify({ keys: [gateway.issuer.publicJwk] }));
    const answers = await Promise.all(slow.map(({ answer }) => answer));
    expect(answers.filter((answer) => answer.status !== 200)).toEqual([]);
    expect((await gateway.run(list, {}, { token })).status).toBe(200);
  });

  it('is not made by those who only begin to send: the one that has been at it for longest makes room', async () => {
    expect((await gateway.run(list, {}, { token })).status).toBe(200);
    const slow = [new SlowRequest(gateway, token, body)];
    await expect.poll(inFlight).toBe(1);
    slow.push(...Array.from({ length: 999 }, () => new SlowRequest(gateway, token, body)));
    await expect.poll(inFlight, { timeout: 10_000 }).toBe(1000);
    const good = await Promise.all(Array.from({ length: 20 }, () => gateway.run(list, {}, { token })));
    expect(good.map(({ status }) => status)).toEqual(Array(20).fill(200));
    const evicted = await slow[0]?.answer;
    expect(evicted).toMatchObject({
      status: 503,
      retryAfter: '1',
      text: expect.stringContaining('arrived too slowly'),
    });
    // All but those that made room.
    for (const one of slow) one.release();
    const statuses = (await Promise.all(slow.map(({ answer }) => answer))).map(({ status }) => status);
    expect(statuses.filter((status) => status === 200).length).toBeGreaterThanOrEqual(980);
    expect(statuses.filter((status) => status !== 200 && status !== 503)).toEqual([]);
    await expect.poll(inFlight).toBe(0);
  });
});

it('who only begins to send holds up no end: is told that the gateway is shutting down, at once', async () => {
  const gateway = await TestGateway.start('sqlite', { RATE_LIMIT: 'off' });
  const token = await gateway.issuer.token();
  const slow = new SlowRequest(gateway, token, JSON.stringify({ query: list }));
  await expect.poll(async () => (await get(gateway, '/metrics')).text).toContain('in_flight 1');
  const startedAt = performance.now();
  await gateway.close();
  expect(performance.now() - startedAt).toBeLessThan(6000);
  expect(await slow.answer).toMatchObject({ status: 503, text: expect.stringContaining('shutting down') });
});

describe('SIGTERM', () => {
  let commandLine: CommandLine;
  let issuer: Issuer;
  let gateway: RunningGateway;
  let token: string;
  beforeAll(async () => {
    issuer = await Issuer.start();
    token = await issuer.token();
  });
  afterAll(() => issuer.close());
  afterEach(() => commandLine.close());

  async function start(): Promise<void> {
    commandLine = await CommandLine.open();
    await mkdir(join(commandLine.directory, '.data'), { mode: 0o700 });
    gateway = await commandLine.serve({
      JWT_ISSUER: issuer.issuer,
      JWT_AUDIENCE: issuer.audience,
      JWT_JWKS_URL: issuer.jwksUrl,
      RATE_LIMIT: 'off',
    });
  }

  const post = (agent: Agent, body: object) =>
    new Promise<{ status: number; text: string; headers: Record<string, unknown> }>((resolve) => {
      const headers = {
        'content-type': 'application/json',
        accept: 'application/graphql-response+json',
        authorization: `Bearer ${token}`,
      };
      const outgoing = request(gateway.url, { agent, method: 'POST', headers }, async (response) => {
        let text = '';
        try {
          for await (const chunk of response) text += chunk;
          resolve({ status: response.statusCode ?? 0, text, headers: response.headers });
        } catch {
          resolve({ status: -1, text, headers: {} });
        }
      });
      outgoing.on('error', () => resolve({ status: 0, text: '', headers: {} }));
      outgoing.end(JSON.stringify(body));
    });

  const storedIds = async () => {
    const store = await openStore(`sqlite:${join(commandLine.directory, '.data/secrets.db')}`);
    try {
      const owner = { type: 'user', userId: 'ada' } as const;
      const ids = new Set<string>();
      let after: { name: string; id: string } | undefined;
      for (;;) {
        const page = await store.list({
          owner,
          filter: {},
          ...(after && { after }),
          from: 'start',
          limit: 1000,
          count: false,
        });
        for (const { id } of page.secrets) ids.add(id);
        after = page.secrets.at(-1);
        if (!page.hasMore) return ids;
      }
    } finally {
      await store.close();
    }
  };

  it('first makes it not ready; what is under way is finished, what is new refused, and it ends with 0', async () => {
    await start();
    const agent = new Agent({ keepAlive: false });
    const input = newSecret();
    const slow = new SlowRequest(gateway, token, JSON.stringify({ query: create, variables: { input } }));
    await expect.poll(async () => (await get(gateway, '/metrics')).text).toContain('in_flight 1');
    const exit = gateway.stop('SIGTERM');
    await expect.poll(async () => (await get(gateway, '/readyz')).status).toBe(503);
    expect((await readiness(gateway)).status).toBe('draining');
    expect((await get(gateway, '/livez')).status).toBe(200);
    const refused = await post(agent, { query: list });
    expect(refused.status).toBe(503);
    expect(refused.headers).toMatchObject({ 'retry-after': '1', connection: 'close' });
    const { extensions } = JSON.parse(refused.text).errors[0];
    expect(extensions).toMatchObject({ code: 'SERVICE_UNAVAILABLE', status: 503, retryAfter: 1 });
    await sleep(300);
    slow.release();
    const answer = await slow.answer;
    expect(answer.status).toBe(200);
    const [id] = /[0-9a-f]{8}-[0-9a-f-]{27}(?=")/.exec(answer.text.split('\r\n\r\n')[1] ?? '') ?? [];
    const releasedAt = performance.now();
    expect((await exit).code).toBe(0);
    expect(performance.now() - releasedAt).toBeLessThan(3000);
    expect(await storedIds()).toContain(id);
    expect((await post(agent, { query: list })).status).toBe(0);
  });

  it('ends at once when nothing is under way, whoever keeps a connection', async () => {
    await start();
    const agent = new Agent({ keepAlive: true });
    expect((await post(agent, { query: list })).status).toBe(200);
    const idle = connect(Number(new URL(gateway.url).port), '127.0.0.1');
    idle.on('error', () => {});
    idle.write('POST /graphql HTTP/1.1\r\nHost: loc');
    await sleep(100);
    const startedAt = performance.now();
    expect((await gateway.stop('SIGTERM')).code).toBe(0);
    expect(performance.now() - startedAt).toBeLessThan(2500);
    agent.destroy();
  });

  it('under load loses no write that it acknowledged, and breaks off no answer', { timeout: 60_000 }, async () => {
    for (let round = 0; round < 3; round += 1) {
      await start();
      const agent = new Agent({ keepAlive: true, maxSockets: 24 });
      const acknowledged: string[] = [];
      const statuses = new Map<number, number>();
      let stopped = false;
      const clients = Array.from({ length: 24 }, async () => {
        while (!stopped) {
          const { status, text } = await post(agent, { query: create, variables: { input: newSecret() } });
          statuses.set(status, (statuses.get(status) ?? 0) + 1);
          if (status === 200) acknowledged.push(JSON.parse(text).data.createSecret.secret.id);
          if (status === 503) expect(JSON.parse(text).errors[0].extensions.code).toBe('SERVICE_UNAVAILABLE');
          if (status !== 200) await sleep(20);
        }
      });
      await expect.poll(() => acknowledged.length, { timeout: 15_000, interval: 5 }).toBeGreaterThan(50 + round * 25);
      const { code, stderr } = await gateway.stop('SIGTERM');
      stopped = true;
      await Promise.all(clients);
      agent.destroy();
      expect(code).toBe(0);
      // 0 is a connection that was refused or closed before the gateway said anything.
      expect([...statuses.keys()].filter((status) => ![200, 503, 0].includes(status))).toEqual([]);
      const stored = await storedIds();
      expect(acknowledged.filter((id) => !stored.has(id))).toEqual([]);
      expect(stderr).not.toContain('INTERNAL_SERVER_ERROR');
      await commandLine.close();
    }
  });
});
