import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { readConfig } from '../src/config.ts';
import { startGateway } from '../src/gateway.ts';
import * as openStore from '../src/store/open-store.ts';
import { TestGateway } from './support/gateway.ts';

describe('two gateways in one process', () => {
  it('each count only their own requests and operations', async () => {
    const [busy, idle] = [await TestGateway.start(), await TestGateway.start()];
    await busy.run('{ viewer { subject } secrets { totalCount } }');
    const metricsOf = async (gateway: TestGateway) => (await fetch(new URL('/metrics', gateway.url))).text();
    expect(await metricsOf(busy)).toMatch(/work_seconds_count\{work="store.list",outcome="done"\} 1\n/);
    expect(await metricsOf(busy)).toMatch(/work_seconds_count\{work="graphql.request",outcome="done"\} 1\n/);
    const ofIdle = await metricsOf(idle);
    expect(ofIdle).toContain('secrets_gateway_work_seconds');
    expect(ofIdle).not.toMatch(/store\.list|graphql\.request|operation="/);
    await Promise.all([busy.close(), idle.close()]);
  });
});

describe('a start that fails', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'start-'));
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    await rm(directory, { recursive: true });
  });

  const configOf = (env: Record<string, string>) =>
    readConfig({
      PORT: '0',
      DATABASE_URL: `sqlite:${join(directory, 'secrets.db')}`,
      KEYRING_FILE: join(directory, 'keyring.json'),
      JWT_ISSUER: 'https://issuer.test',
      JWT_AUDIENCE: 'secrets-gateway',
      JWT_JWKS_URL: 'https://issuer.test/jwks',
      ...env,
    });

  /** Records every timer and store that a start leaves open. */
  function watchResources() {
    const setTimer = vi.spyOn(globalThis, 'setInterval');
    const clearTimer = vi.spyOn(globalThis, 'clearInterval');
    const open = vi.spyOn(openStore, 'openStore');
    return async () => {
      const timers = setTimer.mock.results.map(({ value }) => value);
      const cleared = clearTimer.mock.calls.map(([timer]) => timer);
      const stores = await Promise.all(open.mock.results.map(({ value }) => value));
      const isOpen = (store: { check(): Promise<void> }) =>
        store.check().then(
          () => true,
          () => false,
        );
      return {
        opened: timers.length + stores.length,
        left: [
          ...timers.filter((timer) => !cleared.includes(timer)),
          ...(await Promise.all(stores.map(isOpen))).filter(Boolean),
        ],
      };
    };
  }

  it('because its port is in use leaves no timer, listener or store open', async () => {
    const blocker = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => blocker.once('listening', resolve));
    const { port } = blocker.address() as AddressInfo;
    const resources = watchResources();
    const start = startGateway(configOf({ PORT: String(port) }), pino({ level: 'silent' }));
    await expect(start).rejects.toThrow(`PORT ${port} is in use`);
    expect(await resources()).toEqual({ opened: 3, left: [] });
    blocker.close();
  });

  it('because of an invalid file leaves none of these open either', async () => {
    const resources = watchResources();
    const config = configOf({ PERSISTED_OPERATIONS: join(directory, 'none.json') });
    await expect(startGateway(config, pino({ level: 'silent' }))).rejects.toThrow('PERSISTED_OPERATIONS');
    expect(await resources()).toEqual({ opened: 3, left: [] });
  });

  it('would be detected: a running gateway has them open, and a closed one has none', async () => {
    const resources = watchResources();
    const gateway = await startGateway(configOf({}), pino({ level: 'silent' }));
    const { opened, left } = await resources();
    expect([opened, left.length]).toEqual([3, 3]);
    await gateway.close();
    expect((await resources()).left).toEqual([]);
  });
});
