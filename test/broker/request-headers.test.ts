import { describe, expect, it } from 'vitest';
import { requestHeaders } from '../../src/broker/request-headers.ts';
import { newApiKey } from '../../src/identity/api-key.ts';

const value = 'sk-live-$&-$1-{value}';
const bearer = { header: 'Authorization', format: 'Bearer {value}' };
const end = ['Accept-Encoding', 'identity', 'Authorization', `Bearer ${value}`];

function sentOn(headers: string[], { destination = bearer, credentialHeader = 'authorization' } = {}): string[] {
  return requestHeaders(headers, { destination, value, credentialHeader });
}

/** Some that every upstream is meant to get. */
const passing = [
  ...[
    'User-Agent',
    'OpenAI/JS 4.20.1',
    'Accept',
    'text/event-stream',
    'accept',
    'application/json',
    'Content-Type',
    'application/json',
  ],
  ...[
    'Content-Encoding',
    'gzip',
    'Range',
    'bytes=0-1',
    'If-None-Match',
    '"x"',
    'OpenAI-Beta',
    'assistants=v2',
    'OpenAI-Beta',
    'x=1',
  ],
  ...[
    'anthropic-version',
    '2023-06-01',
    'X-GitHub-Api-Version',
    '2022-11-28',
    'Idempotency-Key',
    'a',
    'traceparent',
    '00-a-b-01',
  ],
  ...[
    'X-HTTP-Method-Override',
    'PATCH',
    'X-Request-Id',
    '7',
    'X-Title',
    'CafÃ©',
    'X-Empty',
    '',
    'Prefer',
    'wait',
    'Accept-Language',
    '*',
  ],
];

describe('the headers of the upstream', () => {
  it('all others pass in their order and spelling, with those that came twice', () => {
    expect(sentOn(['Host', 'gateway.test', ...passing])).toEqual([...passing, ...end]);
  });

  it('the header of the destination is there once, with the value as it is, whatever came under its name', () => {
    const spellings = ['Authorization', 'authorization', 'AUTHORIZATION', 'AuThOrIzAtIoN'];
    expect(sentOn(spellings.flatMap((name) => [name, 'Bearer other']))).toEqual(end);
    const destination = { header: 'X-Api_Key', format: 'k={value};' };
    const folded = ['x-api-key', 'X_API_KEY', 'x_api-key', 'x.api.key', 'X~Api|Key'].flatMap((name) => [name, 'other']);
    expect(sentOn(folded, { destination })).toEqual(['Accept-Encoding', 'identity', 'X-Api_Key', `k=${value};`]);
  });

  it('the header of the credential goes, also where the destination has another', () => {
    const destination = { header: 'x-goog-api-key', format: '{value}' };
    const sent = ['Authorization', 'Bearer sgk_x', 'authorization', 'Bearer y', 'x-api-key', 'of-others'];
    expect(sentOn(sent, { destination })).toEqual([
      'x-api-key',
      'of-others',
      'Accept-Encoding',
      'identity',
      'x-goog-api-key',
      value,
    ]);
    // From one of the gateway's own headers: what is under another name is of somebody else.
    const own = { destination, credentialHeader: '' };
    expect(sentOn(['X-API-Key', newApiKey(), 'Authorization', 'Bearer y'], own).slice(0, 2)).toEqual([
      'Authorization',
      'Bearer y',
    ]);
    expect(sentOn(['Proxy-Authorization', 'Bearer x', 'X-Api-Key', 'sgk_typo'], own)).toHaveLength(4);
  });

  it.each([
    ...['Connection', 'Keep-Alive', 'Proxy-Connection', 'Proxy-Authorization', 'Proxy-Authenticate', 'TE', 'Trailer'],
    ...['Transfer-Encoding', 'Upgrade', 'HTTP2-Settings', 'Host', 'Content-Length', 'Expect', 'Accept-Encoding'],
    ...['Cookie', 'Cookie2', 'Origin', 'Referer', 'Sec-Fetch-Mode', 'Sec-CH-UA', 'Sec-WebSocket-Key', 'DNT'],
    ...['Forwarded', 'X-Forwarded-For', 'X-Forwarded-Host', 'X-Forwarded', 'X-Forwarded-Anything', 'Via', 'X-Real-IP'],
    ...[
      'True-Client-IP',
      'CF-Connecting-IP',
      'X-Client-IP',
      'X-Cluster-Client-IP',
      'Fastly-Client-IP',
      'X-Azure-ClientIP',
    ],
    ...['X-Amzn-Oidc-Data', 'X-Goog-IAP-JWT-Assertion', 'Cf-Access-Jwt-Assertion', 'X-Auth-Request-Access-Token'],
    ...['Secrets-Gateway-Error', 'Secrets-Gateway-Anything', 'Access-Control-Request-Method'],
    ...['X-Original-URL', 'X-Rewrite-URL', 'X-Envoy-Original-Path', 'X-HTTP-Host-Override'],
  ])('%s does not pass, in no spelling', (name) => {
    const spellings = [
      name,
      name.toLowerCase(),
      name.toUpperCase(),
      name.replaceAll('-', '_'),
      name.replaceAll('-', '.'),
    ];
    expect(sentOn(spellings.flatMap((spelling) => [spelling, 'x', 'X-Kept', 'y']))).toEqual([
      ...spellings.flatMap(() => ['X-Kept', 'y']),
      ...end,
    ]);
  });

  it('what Connection names does not pass, and it cannot take away the header of the destination', () => {
    const named = ['X-Hop', '1', 'x-HOP', '2', 'X_Second', '3', 'X-Third', '4', 'X-Kept', '5'];
    const connection = ['Connection', 'close, x-hop ,, Authorization', 'connection', 'X-Second,accept-encoding'];
    expect(sentOn([...connection, ...named, 'CONNECTION', 'x-third'])).toEqual(['X-Kept', '5', ...end]);
  });

  it('characters that no header may have are refused', () => {
    const badRequest = expect.objectContaining({ code: 'BAD_REQUEST' });
    for (const bad of ['a\r\nX: y', 'a\n', '\0', 'a\u007f', '\u001b', '\u0100']) {
      expect(() => sentOn(['X-Note', bad]), JSON.stringify(bad)).toThrow(badRequest);
    }
    for (const bad of ['', 'X Note', 'X:Note', 'X\r\n', 'Ñ', 'X(', 'x\0']) {
      expect(() => sentOn([bad, 'x']), JSON.stringify(bad)).toThrow(badRequest);
    }
  });
});
