import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportJWK, generateKeyPair } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { discoverJwks } from '../../src/identity/discovery.ts';
import { IssuerFault } from '../../src/identity/issuer-fault.ts';
import { jwksFromFile } from '../../src/identity/jwks-from-file.ts';
import { jwksFromUrl } from '../../src/identity/jwks-from-url.ts';

let goodSet: string;
let keys: unknown[];
beforeAll(async () => {
  const { publicKey } = await generateKeyPair('ES256', { extractable: true });
  keys = [{ ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256' }];
  goodSet = JSON.stringify({ keys });
});

let answer: (request: IncomingMessage, response: ServerResponse) => void;
let paths: (string | undefined)[];
let base: string;
let url: string;
const server = createServer((request, response) => {
  paths.push(request.url);
  // Each test has connections of its own.
  response.shouldKeepAlive = false;
  answer(request, response);
});
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  url = `${base}/jwks`;
});
beforeEach(() => {
  paths = [];
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const soon = () => AbortSignal.timeout(5000);
const badGateway = { code: 'BAD_GATEWAY', details: { retryAfterSeconds: 5 } };

/** What is no key set, and the reason that is told. */
const noSets: [what: string, body: string, reason: string][] = [
  ['nothing', '', 'not-json'],
  ['a page', '<h1>canary-4711</h1>', 'page'],
  ['a whole page to log in', '\n<!DOCTYPE html><title>canary-4711</title>', 'page'],
  ['half a set', '{"keys":[', 'not-json'],
  ['text', 'canary-4711', 'not-json'],
  ['null', 'null', 'not-a-key-set'],
  ['a list', '[]', 'not-a-key-set'],
  ['an error', '{"error":"canary-4711"}', 'not-a-key-set'],
  ['one key', '{"kty":"EC","kid":"canary-4711"}', 'not-a-key-set'],
  ['a list of what is no key', '{"keys":["canary-4711",null,7]}', 'not-a-key-set'],
  ['keys that are not a list', '{"keys":{"canary-4711":1}}', 'not-a-key-set'],
  ['the discovery document', '{"issuer":"x","jwks_uri":"https://canary-4711.test"}', 'discovery-document'],
];

describe('jwksFromUrl', () => {
  it('fetches a key set, with the right Accept header', async () => {
    let accept: string | undefined;
    answer = ({ headers }, response) => {
      accept = headers.accept;
      response.end(goodSet);
    };
    expect(await jwksFromUrl(url, soon())).toEqual(keys);
    expect(accept).toBe('application/jwk-set+json, application/json');
  });

  it('accepts a set of 256 KiB, and refuses a larger one', async () => {
    answer = (_request, response) => response.end(goodSet.padEnd(256 * 1024));
    expect(await jwksFromUrl(url, soon())).toEqual(keys);
    answer = (_request, response) => response.end(goodSet.padEnd(256 * 1024 + 1));
    await expect(jwksFromUrl(url, soon())).rejects.toMatchObject({ ...badGateway, reason: 'too-large' });
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
    await expect(jwksFromUrl(url, soon())).rejects.toMatchObject({ ...badGateway, reason: 'too-large' });
    await closed.promise;
  });

  it.each<[string, (response: ServerResponse) => void]>([
    ['before the headers', () => {}],
    ['in the middle of the body', (response) => response.write('{')],
  ])('fails with GATEWAY_TIMEOUT at its deadline when the answer stops %s', async (_where, stop) => {
    answer = (_request, response) => stop(response);
    await expect(jwksFromUrl(url, AbortSignal.timeout(50))).rejects.toMatchObject({
      code: 'GATEWAY_TIMEOUT',
      reason: 'timeout',
      details: { retryAfterSeconds: 5 },
    });
  });

  it.each([301, 302, 303, 307, 308])('does not follow a redirect with %i', async (status) => {
    answer = ({ url: path }, response) => {
      if (path === '/jwks') response.writeHead(status, { location: '/elsewhere' });
      response.end(goodSet);
    };
    await expect(jwksFromUrl(url, soon())).rejects.toMatchObject({
      ...badGateway,
      reason: 'redirect',
      line: { status },
    });
    expect(paths).toEqual(['/jwks']);
  });

  it.each([204, 206, 400, 401, 404, 429, 500, 503])('refuses a set that is answered with status %i', async (status) => {
    answer = (_request, response) => response.writeHead(status).end(goodSet);
    await expect(jwksFromUrl(url, soon())).rejects.toMatchObject({
      ...badGateway,
      line: { url, status, reason: 'status', hint: expect.stringContaining('Check the URL') },
    });
  });

  it.each(noSets)('refuses %s, and repeats nothing of it', async (_what, body, reason) => {
    answer = (_request, response) => response.end(body);
    const error = await jwksFromUrl(url, soon()).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ ...badGateway, reason });
    if (!(error instanceof IssuerFault)) return;
    expect(JSON.stringify([error.message, error.details, error.line])).not.toContain('canary-4711');
  });

  it('tells why an endpoint cannot be reached', async () => {
    answer = (_request, response) => response.destroy();
    await expect(jwksFromUrl(url, soon())).rejects.toMatchObject({ ...badGateway, reason: 'unreachable' });
    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
    const { port } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    await expect(jwksFromUrl(`http://127.0.0.1:${port}/jwks`, soon())).rejects.toMatchObject({
      ...badGateway,
      line: { code: expect.any(String), reason: 'unreachable' },
    });
  });
});

describe('OpenID discovery', () => {
  /** Serves a discovery document, and the keys. */
  const serve = (document: unknown) => {
    answer = ({ url: path }, response) => response.end(path === '/jwks' ? goodSet : JSON.stringify(document));
  };

  it.each(['', '/realms/demo'])('finds the keys by the issuer: %s', async (path) => {
    serve({ issuer: base + path, jwks_uri: url });
    expect(await discoverJwks(base + path, false, soon())).toEqual(keys);
    expect(paths).toEqual([`${path}/.well-known/openid-configuration`, '/jwks']);
  });

  it('of an issuer with a slash at its end has one slash there', async () => {
    serve({ issuer: `${base}/`, jwks_uri: url });
    expect(await discoverJwks(`${base}/`, false, soon())).toEqual(keys);
    expect(paths[0]).toBe('/.well-known/openid-configuration');
  });

  it.each<[string, (base: string) => unknown, string]>([
    ['another issuer’s', () => ({ issuer: 'https://attacker.test', jwks_uri: url }), 'issuer-differs'],
    ['that of the issuer with a slash', () => ({ issuer: `${base}/`, jwks_uri: url }), 'issuer-slash'],
    ['without an issuer', () => ({ jwks_uri: url }), 'not-a-discovery-document'],
    ['null', () => null, 'not-a-discovery-document'],
    ['a key set', () => ({ keys }), 'not-a-discovery-document'],
    ['without keys', () => ({ issuer: base }), 'jwks-uri'],
    ['with keys over plain HTTP', () => ({ issuer: base, jwks_uri: 'http://10.0.0.1/jwks' }), 'jwks-uri'],
    ['with keys in a file', () => ({ issuer: base, jwks_uri: 'file:///etc/passwd' }), 'jwks-uri'],
    ['with keys that are not there', () => ({ issuer: base, jwks_uri: 7 }), 'jwks-uri'],
  ])('refuses a document that is %s', async (_what, make, reason) => {
    serve(make(base));
    await expect(discoverJwks(base, false, soon())).rejects.toMatchObject({
      ...badGateway,
      line: { url: `${base}/.well-known/openid-configuration`, reason },
    });
    expect(paths).toHaveLength(1);
  });

  it('tells which of the two requests failed', async () => {
    answer = ({ url: path }, response) => {
      if (path === '/jwks') response.writeHead(404).end();
      else response.end(JSON.stringify({ issuer: base, jwks_uri: url }));
    };
    await expect(discoverJwks(base, false, soon())).rejects.toMatchObject({ line: { url, status: 404 } });
    answer = (_request, response) => response.writeHead(404).end();
    await expect(discoverJwks(base, false, soon())).rejects.toMatchObject({
      line: { url: `${base}/.well-known/openid-configuration`, status: 404 },
    });
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

  it('is read again each time, also with a byte order mark', async () => {
    await writeFile(path, goodSet, { mode: 0o644 });
    expect(await jwksFromFile(path, 'JWT_JWKS_FILE')).toEqual(keys);
    await writeFile(path, `\uFEFF${goodSet}`);
    expect(await jwksFromFile(path, 'JWT_JWKS_FILE')).toEqual(keys);
    await writeFile(path, '{"keys":[]}');
    expect(await jwksFromFile(path, 'JWT_JWKS_FILE')).toEqual([]);
  });

  it.each(noSets)('with %s is refused', async (_what, text, reason) => {
    await writeFile(path, text, { mode: 0o644 });
    await expect(jwksFromFile(path, 'JWT_JWKS_FILE')).rejects.toMatchObject({
      ...badGateway,
      line: { file: path, reason },
    });
  });

  it('that is missing is refused, and named', async () => {
    await expect(jwksFromFile(join(directory, 'missing.json'), 'JWT_JWKS_FILE')).rejects.toThrow(
      /^JWT_JWKS_FILE .*missing\.json: there is no such file/,
    );
  });
});
