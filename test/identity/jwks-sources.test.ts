import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportJWK, generateKeyPair } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ConfigurationError, DomainError } from '../../src/errors.ts';
import { checkJwksFile, jwksFromFile, jwksFromUrl } from '../../src/identity/key-set.ts';

let goodSet: string;
beforeAll(async () => {
  const { publicKey } = await generateKeyPair('ES256', { extractable: true });
  goodSet = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256' }] });
});

const badGateway = { code: 'BAD_GATEWAY', details: { retryAfterSeconds: 5 } };

const noSets: [string, string][] = [
  ['nothing', ''],
  ['a page', '<h1>canary-4711</h1>'],
  ['half a set', '{"keys":['],
  ['null', 'null'],
  ['a list', '[]'],
  ['an error', '{"error":"canary-4711"}'],
  ['keys that are not a list', '{"keys":{"canary-4711":1}}'],
  ['keys that are not objects', '{"keys":["canary-4711"]}'],
];

describe('jwksFromUrl', () => {
  let answer: (request: IncomingMessage, response: ServerResponse) => void;
  let paths: (string | undefined)[];
  let url: string;
  const server = createServer((request, response) => {
    paths.push(request.url);
    // Each test has connections of its own.
    response.shouldKeepAlive = false;
    answer(request, response);
  });
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`;
  });
  beforeEach(() => {
    paths = [];
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  it('fetches a key set, with the right Accept header', async () => {
    let accept: string | undefined;
    answer = ({ headers }, response) => {
      accept = headers.accept;
      response.end(goodSet);
    };
    expect(await jwksFromUrl(url)).toEqual(JSON.parse(goodSet));
    expect(accept).toBe('application/jwk-set+json, application/json');
  });

  it('accepts a set of 256 KiB, and refuses a larger one', async () => {
    answer = (_request, response) => response.end(goodSet.padEnd(256 * 1024));
    expect(await jwksFromUrl(url)).toEqual(JSON.parse(goodSet));
    answer = (_request, response) => response.end(goodSet.padEnd(256 * 1024 + 1));
    await expect(jwksFromUrl(url)).rejects.toMatchObject(badGateway);
  });

  it('closes the connection to an endpoint whose answer never ends', async () => {
    const closed = Promise.withResolvers<void>();
    answer = (_request, response) => {
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(1024, ' ')));
      };
      response.on('drain', more).on('close', closed.resolve);
      more();
    };
    await expect(jwksFromUrl(url)).rejects.toMatchObject(badGateway);
    await closed.promise;
  });

  it.each<[string, (response: ServerResponse) => void]>([
    ['before the headers', () => {}],
    ['in the middle of the body', (response) => response.write('{')],
  ])('fails with GATEWAY_TIMEOUT at its deadline when the answer stops %s', async (_where, stop) => {
    answer = (_request, response) => stop(response);
    await expect(jwksFromUrl(url, 50)).rejects.toMatchObject({
      code: 'GATEWAY_TIMEOUT',
      details: { retryAfterSeconds: 5 },
    });
  });

  it.each([301, 302, 303, 307, 308])('does not follow a redirect with %i', async (status) => {
    answer = ({ url: path }, response) => {
      if (path === '/jwks') response.writeHead(status, { location: '/elsewhere' });
      response.end(goodSet);
    };
    await expect(jwksFromUrl(url)).rejects.toMatchObject(badGateway);
    expect(paths).toEqual(['/jwks']);
  });

  it.each([400, 401, 404, 429, 500, 503])('refuses a set that is answered with status %i', async (status) => {
    answer = (_request, response) => response.writeHead(status).end(goodSet);
    await expect(jwksFromUrl(url)).rejects.toMatchObject(badGateway);
  });

  it.each(noSets)('refuses %s, and repeats nothing of it', async (_what, body) => {
    answer = (_request, response) => response.end(body);
    const error = await jwksFromUrl(url).catch((reason: unknown) => reason);
    expect(error).toMatchObject(badGateway);
    if (!(error instanceof DomainError)) return;
    expect(error.message + error.details.description).not.toContain('canary-4711');
  });

  it('reports an endpoint that cannot be reached', async () => {
    answer = (_request, response) => response.destroy();
    await expect(jwksFromUrl(url)).rejects.toMatchObject(badGateway);
    await expect(jwksFromUrl('no URL')).rejects.toMatchObject(badGateway);
  });
});

describe('a key set file', () => {
  let directory: string;
  let path: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'jwks-'));
    path = join(directory, 'jwks.json');
  });
  afterAll(() => rm(directory, { recursive: true }));

  it('is read again each time', async () => {
    await writeFile(path, goodSet, { mode: 0o644 });
    await checkJwksFile(path);
    expect(await jwksFromFile(path)).toEqual(JSON.parse(goodSet));
    await writeFile(path, '{"keys":[]}');
    expect(await jwksFromFile(path)).toEqual({ keys: [] });
  });

  it.each(noSets)('with %s is refused at the start, and is BAD_GATEWAY later', async (_what, text) => {
    await writeFile(path, text, { mode: 0o644 });
    await expect(jwksFromFile(path)).rejects.toMatchObject(badGateway);
    const error = await checkJwksFile(path).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ConfigurationError);
    expect(String(error)).toContain(`JWT_JWKS_FILE ${path}`);
    expect(String(error)).not.toContain('canary-4711');
  });

  it('that is missing is refused at the start, and is BAD_GATEWAY later', async () => {
    const missing = join(directory, 'missing.json');
    await expect(jwksFromFile(missing)).rejects.toMatchObject(badGateway);
    await expect(checkJwksFile(missing)).rejects.toThrow(ConfigurationError);
  });
});
