import { mkdir } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import * as openStores from '../../src/store/open-store.ts';
import { CommandLine, type RunningGateway } from '../support/command-line.ts';
import { TestGateway } from '../support/gateway.ts';
import { createSecret, newSecret } from '../support/graphql.ts';
import { get, SlowRequest } from '../support/http.ts';
import { Issuer } from '../support/issuer.ts';

const { openStore } = openStores;
const list = '{ secrets { totalCount } }';
const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

const readiness = async (gateway: { url: string }) => {
  const { status, text } = await get(gateway, '/readyz');
  return { http: status, ...JSON.parse(text) };
};

it('a request whose body is still arriving does not delay the shutdown: it is refused immediately', async () => {
  const gateway = await TestGateway.start('sqlite', { RATE_LIMIT: 'off' });
  const token = await gateway.issuer.token();
  const slow = new SlowRequest(gateway, token, JSON.stringify({ query: list }));
  await expect.poll(async () => (await get(gateway, '/metrics')).text).toContain('in_flight 1');
  const startedAt = performance.now();
  await gateway.close();
  expect(performance.now() - startedAt).toBeLessThan(6000);
  expect(await slow.answer).toMatchObject({ status: 503, text: expect.stringContaining('shutting down') });
});

describe('the end as a whole', () => {
  afterEach(() => vi.restoreAllMocks());

  it('takes 10 s at most, with a store that never answers and never closes', { timeout: 20_000 }, async () => {
    const never = new Promise<never>(() => {});
    const open = openStore;
    let closeStore = async () => {};
    vi.spyOn(openStores, 'openStore').mockImplementation(async (url) => {
      const store = await open(url);
      closeStore = store.close.bind(store);
      return Object.assign(store, { list: () => never, close: () => never });
    });
    const gateway = await TestGateway.start('sqlite', { RATE_LIMIT: 'off' });
    const waiting = gateway.run(list).catch(() => 'cut off');
    await expect.poll(async () => (await get(gateway, '/metrics')).text).toContain('in_flight 1');
    const startedAt = performance.now();
    await expect(gateway.stop()).rejects.toThrow('did not close in time');
    expect(performance.now() - startedAt).toBeLessThan(11_000);
    expect(await waiting).toBe('cut off');
    await expect(fetch(gateway.url)).rejects.toThrow();
    await closeStore();
    await gateway.close();
  });
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
      ...issuer.settings,
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

  /** @returns the status, or the error's code where there was no answer */
  const tryPost = (agent: Agent, body: object) =>
    new Promise<number | string>((resolve) => {
      const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
      const outgoing = request(gateway.url, { agent, method: 'POST', headers }, (response) => {
        response.on('error', ({ message }) => resolve(message));
        response.resume().on('end', () => resolve(response.statusCode ?? 0));
      });
      outgoing.on('error', (error: NodeJS.ErrnoException) => {
        const kind = outgoing.reusedSocket ? 'kept' : 'new';
        resolve(error.code === 'ECONNREFUSED' ? error.code : `${error.code ?? error.message} on a ${kind} connection`);
      });
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

  it('makes the gateway not ready, lets requests in flight finish, refuses new ones, and ends with exit code 0', async () => {
    await start();
    const agent = new Agent({ keepAlive: false });
    const input = newSecret();
    const slow = new SlowRequest(gateway, token, JSON.stringify({ query: createSecret(), variables: { input } }));
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

  it('ends immediately when no request is in flight, even if clients keep connections open', async () => {
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

  it('answers every request that clients send on the connections that they keep', { timeout: 120_000 }, async () => {
    for (let round = 0; round < 3; round += 1) {
      await start();
      const answers = new Array<number>(100).fill(0);
      const failures: string[] = [];
      const clients = answers.map(async (_, index) => {
        const agent = new Agent({ keepAlive: true, maxSockets: 1 });
        for (;;) {
          const outcome = await tryPost(agent, { query: '{ viewer { subject } }' });
          answers[index] = (answers[index] ?? 0) + 1;
          // Told to come back, or told before anything was sent. A connection that the system took when the port was closed,
          // and the gateway never saw, is reset.
          if (outcome === 503 || outcome === 'ECONNREFUSED' || outcome === 'ECONNRESET on a new connection') break;
          if (outcome !== 200) {
            failures.push(String(outcome));
            break;
          }
          await sleep(index % 20);
        }
        agent.destroy();
      });
      // Every client has a connection that it keeps.
      await expect.poll(() => Math.min(...answers), { timeout: 30_000, interval: 5 }).toBeGreaterThan(2);
      expect((await gateway.stop('SIGTERM')).code).toBe(0);
      await Promise.all(clients);
      expect(failures).toEqual([]);
      await commandLine.close();
    }
  });

  it('under load loses no acknowledged write, and truncates no answer', { timeout: 60_000 }, async () => {
    for (let round = 0; round < 3; round += 1) {
      await start();
      const agent = new Agent({ keepAlive: true, maxSockets: 24 });
      const acknowledged: string[] = [];
      const statuses = new Map<number, number>();
      let stopped = false;
      const clients = Array.from({ length: 24 }, async () => {
        while (!stopped) {
          const { status, text } = await post(agent, { query: createSecret(), variables: { input: newSecret() } });
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
