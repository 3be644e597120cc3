import { once } from 'node:events';
import { createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DomainError } from '../../src/errors.ts';
import { credentialOf } from '../../src/http/credentials.ts';

type Header = [name: string, value: string];

const server = createServer({ requireHostHeader: false }, (_request, response) => response.end());
beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(() => {
  server.close();
});

/** The request as the server gets it, sent with these headers in this order. */
async function requestWith(...headers: Header[]): Promise<IncomingMessage> {
  const { port } = server.address() as AddressInfo;
  const client = request({ host: '127.0.0.1', port, headers: headers.flat(), agent: false });
  client.once('response', (response) => response.resume()).end();
  const [received] = (await once(server, 'request')) as [IncomingMessage];
  return received;
}

const credentialWith = async (...headers: Header[]) => credentialOf(await requestWith(...headers));
const bearer = (authorization: string) => credentialWith(['Authorization', authorization]);

async function refusalOf(reading: Promise<unknown>): Promise<DomainError> {
  const error = await reading.catch((reason: unknown) => reason);
  if (error instanceof DomainError) return error;
  throw new Error('it was not refused', { cause: error });
}

describe('the credential of a request', () => {
  it('is null when none was sent', async () => {
    expect(await credentialWith()).toBeNull();
    expect(await credentialWith(['Cookie', 'a=b'], ['Proxy-Authorization', 'Bearer a.b.c'])).toBeNull();
  });

  it.each(['Bearer a.b.c', 'bearer a.b.c', 'BEARER a.b.c', 'Bearer   a.b.c', 'Bearer a.b.c  '])(
    'is the token of %j',
    async (authorization) => expect(await bearer(authorization)).toEqual({ type: 'bearer', token: 'a.b.c' }),
  );

  // The characters that a header may have besides spaces (RFC 9110, section 5.5).
  const text = fc.string({ unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)) });

  it('is a token exactly as it was sent', async () => {
    await fc.assert(
      fc.asyncProperty(text, async (sent) => {
        fc.pre(sent !== '');
        expect(await bearer(`Bearer ${sent}`)).toEqual({ type: 'bearer', token: sent });
      }),
      { numRuns: 30 },
    );
  });

  it('is an API key exactly as it was sent', async () => {
    await fc.assert(
      fc.asyncProperty(text, async (key) => {
        fc.pre(key !== '');
        expect(await credentialWith(['X-API-Key', key])).toEqual({ type: 'apiKey', key });
      }),
      { numRuns: 30 },
    );
  });
});

describe('an API key', () => {
  it('may be sent as bearer credentials', async () => {
    for (const scheme of ['Bearer', 'bearer']) {
      expect(await bearer(`${scheme} sgk_abc`)).toEqual({ type: 'apiKey', key: 'sgk_abc' });
    }
    expect(await bearer('Bearer SGK_abc')).toEqual({ type: 'bearer', token: 'SGK_abc' });
  });
});

describe('an empty header for a credential is none:', () => {
  const token: Header = ['Authorization', 'Bearer a.b.c'];
  const key: Header = ['X-API-Key', 'sgk_1'];

  it.each<[string, Header[], unknown]>([
    ['an empty API key beside a token', [token, ['x-api-key', '']], { type: 'bearer', token: 'a.b.c' }],
    ['an API key of spaces beside a token', [['x-api-key', '  '], token], { type: 'bearer', token: 'a.b.c' }],
    [
      'two empty API keys beside a token',
      [token, ['x-api-key', ''], ['x-api-key', '']],
      { type: 'bearer', token: 'a.b.c' },
    ],
    ['an empty API key beside another', [['x-api-key', ''], key], { type: 'apiKey', key: 'sgk_1' }],
    ['an empty Authorization beside an API key', [['Authorization', ''], key], { type: 'apiKey', key: 'sgk_1' }],
    ['an empty API key alone', [['X-API-Key', '']], null],
  ])('%s', async (_what, headers, credential) => {
    expect(await credentialWith(...headers)).toEqual(credential);
  });
});

describe('an Authorization header that is not a Bearer token is UNAUTHORIZED:', () => {
  it.each([
    '',
    'Bearer',
    'Bearer ',
    'a.b.c',
    'Bearera.b.c',
    'Basic YWRhOnNlY3JldA==',
    'Bearer a.b.c d',
    'Bearer a.b.c, Bearer d.e.f',
    'Digest Bearer a.b.c',
    'DPoP a.b.c',
  ])('%j', async (authorization) => {
    const { code, message, details } = await refusalOf(bearer(authorization));
    expect(code).toBe('UNAUTHORIZED');
    // The same whatever was wrong, and nothing that was sent is repeated.
    expect([message, details]).toEqual([
      'Authentication is required.',
      {
        description: 'Send a valid token or API key as bearer credentials, or an API key in X-API-Key.',
        reason: 'scheme',
        hint: 'Authorization must be: Bearer TOKEN.',
      },
    ]);
  });
});

describe('two credentials are BAD_REQUEST:', () => {
  const token: Header = ['Authorization', 'Bearer secret-1'];
  const other: Header = ['authorization', 'Basic secret-2'];
  const key: Header = ['X-API-Key', 'secret-3'];
  const bearerKey: Header = ['Authorization', 'Bearer sgk_secret-4'];

  it.each<[string, Header[]]>([
    ['a token and an API key', [token, key]],
    ['an API key and a token', [key, token]],
    ['two tokens', [token, token]],
    ['two schemes', [token, other]],
    ['two API keys', [key, key]],
    ['one API key in both headers', [bearerKey, ['X-API-Key', 'sgk_secret-4']]],
  ])('%s', async (_what, headers) => {
    const { code, message, details } = await refusalOf(credentialWith(...headers));
    expect(code).toBe('BAD_REQUEST');
    expect(details.description).toMatch(/^Two credentials were sent\./);
    expect(JSON.stringify([message, details])).not.toContain('secret-');
  });
});
