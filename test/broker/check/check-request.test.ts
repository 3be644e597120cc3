import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createAskProvider } from '../../../src/broker/check/ask-provider.ts';
import { OpenUses } from '../../../src/broker/open-uses.ts';
import type { Forwarder } from '../../../src/broker/upstream/forward.ts';
import { keyAt, plainCheck as plain, value } from '../../support/checks.ts';
import { RawServer, testForwarder } from '../../support/forwarding.ts';

let forwarder: Forwarder;
beforeAll(() => {
  forwarder = testForwarder();
});
afterAll(() => forwarder.close());

describe('the request of a check', () => {
  let close = async () => {};
  afterEach(() => close());

  async function serve(listener: RequestListener): Promise<string> {
    const server = createServer(listener);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    close = async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    };
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  it('has a body, headers of its own in the place of the usual ones, and the length', async () => {
    const seen: unknown[] = [];
    const origin = await serve(async (request, response) => {
      let body = '';
      for await (const piece of request) body += piece;
      const { method, url, headers } = request;
      seen.push({ method, url, headers, body });
      response.end();
    });
    const headers = { accept: 'text/plain', 'USER-AGENT': 'acme', 'Content-Type': 'text/plain', 'X-Id': 'a' };
    expect(
      await createAskProvider({ forwarder, uses: new OpenUses(), version: '1', onCheck: () => {} })(
        keyAt(origin, { ...plain, method: 'POST', headers, body: 'ünïcode' }),
      ),
    ).toBe('VALID');
    expect(seen).toEqual([
      {
        method: 'POST',
        url: plain.path,
        headers: {
          host: new URL(origin).host,
          connection: 'close',
          'content-length': '9',
          'accept-encoding': 'identity',
          authorization: `Bearer ${value}`,
          accept: 'text/plain',
          'user-agent': 'acme',
          'content-type': 'text/plain',
          'x-id': 'a',
        },
        body: 'ünïcode',
      },
    ]);
  });

  it('has the value as it is, whatever it is', async () => {
    let seen: string | undefined;
    const origin = await serve(({ headers }, response) => {
      seen = headers.authorization;
      response.end();
    });
    const key = { ...keyAt(origin), value: "$& $1 $$ {value} $'" };
    const askProvider = createAskProvider({ forwarder, uses: new OpenUses(), version: '1', onCheck: () => {} });
    expect(await askProvider(key)).toBe('VALID');
    expect(seen).toBe("Bearer $& $1 $$ {value} $'");
  });

  it('has a connection of its own, also where one is kept for uses', async () => {
    const ports = new Set<number | undefined>();
    const origin = await serve((request, response) => {
      ports.add(request.socket.remotePort);
      response.end('{}');
    });
    const owner = { type: 'user', userId: 'ada' } as const;
    const use = async () => {
      const { signal } = new AbortController();
      const asked = { ownerKey: 'user:ada', origin, method: 'GET', path: '/', headers: [], body: null, signal };
      const { body } = await forwarder.send(asked);
      await body.resume().toArray();
    };
    await use();
    const askProvider = createAskProvider({ forwarder, uses: new OpenUses(), version: '1', onCheck: () => {} });
    for (let time = 0; time < 3; time += 1) expect(await askProvider(keyAt(origin, plain, owner))).toBe('VALID');
    expect(ports.size).toBe(4);
  });

  it('is one use among those that are open', async () => {
    const arrived = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    const origin = await serve(async (_request, response) => {
      arrived.resolve();
      await release.promise;
      response.end();
    });
    const uses = new OpenUses({ all: 2, perOwner: 1 });
    const askProvider = createAskProvider({ forwarder, uses, version: '1', onCheck: () => {} });
    const first = askProvider(keyAt(origin));
    await arrived.promise;
    const tooMany = { code: 'SERVICE_UNAVAILABLE', details: { retryAfterSeconds: 1 } };
    await expect(askProvider(keyAt(origin))).rejects.toMatchObject(tooMany);
    const other = uses.begin(() => {});
    await expect(askProvider(keyAt(origin, plain, { type: 'user', userId: 'eve' }))).rejects.toMatchObject(tooMany);
    other.end();
    release.resolve();
    expect(await first).toBe('VALID');
    expect(uses.count).toBe(0);
    expect(await askProvider(keyAt(origin))).toBe('VALID');
  });

  it('is waited for when uses end, and is cut off when that takes too long', async () => {
    const arrived = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    const origin = await serve(async (_request, response) => {
      arrived.resolve();
      await release.promise;
      response.end();
    });
    const patient = new OpenUses({ all: 9, perOwner: 9 }, 60_000);
    const first = createAskProvider({ forwarder, uses: patient, version: '1', onCheck: () => {} })(keyAt(origin));
    await arrived.promise;
    const ended = patient.close();
    release.resolve();
    expect(await first).toBe('VALID');
    await ended;
    const impatient = new OpenUses({ all: 9, perOwner: 9 }, 1);
    const silent = await RawServer.start(() => {});
    const cut = createAskProvider({ forwarder, uses: impatient, version: '1', onCheck: () => {} })(
      keyAt(silent.origin),
    );
    const refused = expect(cut).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
    await impatient.close();
    await refused;
    await silent.close();
  });

  it('is a refusal of the gateway, and says nothing about the provider, where it has no socket left', async () => {
    const full: Forwarder = {
      send: () => Promise.reject(Object.assign(new Error('full'), { code: 'SERVICE_UNAVAILABLE' })),
      close() {},
    };
    const uses = new OpenUses();
    const askProvider = createAskProvider({ forwarder: full, uses, version: '1', onCheck: () => {} });
    await expect(askProvider(keyAt('https://api.example.com'))).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
    expect(uses.count).toBe(0);
  });
});
