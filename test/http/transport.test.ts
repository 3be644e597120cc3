import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { hasLoopbackHost, isFromThisMachine, isSecureTransport } from '../../src/http/transport.ts';

function requestOf(remoteAddress: string | undefined, headers: Record<string, string>, encrypted?: true) {
  return { headers, socket: { remoteAddress, encrypted } } as unknown as IncomingMessage;
}

const here = ['127.0.0.1', '127.8.9.10', '::1', '::ffff:127.0.0.1'];
const elsewhere = [
  '192.0.2.1',
  '10.0.0.1',
  '::ffff:192.0.2.1',
  '2001:db8::1',
  '128.0.0.1',
  '1127.0.0.1',
  'x::1',
  undefined,
];

describe('the transport of a request', () => {
  it.each(here)('is safe from loopback: %s', (address) => {
    expect(isSecureTransport(requestOf(address, {}), false)).toBe(true);
    expect(isSecureTransport(requestOf(address, {}), true)).toBe(true);
  });

  it.each(elsewhere)('is not safe from another machine over plain HTTP: %s', (address) => {
    expect(isSecureTransport(requestOf(address, {}), false)).toBe(false);
    expect(isSecureTransport(requestOf(address, {}), true)).toBe(false);
  });

  it('is what X-Forwarded-Proto says when the proxy is trusted, and only then', () => {
    const [http, https] = [{ 'x-forwarded-proto': 'http' }, { 'x-forwarded-proto': 'https' }];
    for (const address of [...here, ...elsewhere]) {
      expect(isSecureTransport(requestOf(address, https), true)).toBe(true);
      expect(isSecureTransport(requestOf(address, http), true)).toBe(false);
      expect(isSecureTransport(requestOf(address, https), false)).toBe(here.includes(address ?? ''));
      expect(isSecureTransport(requestOf(address, http), false)).toBe(here.includes(address ?? ''));
    }
  });

  it('is safe when the connection uses TLS', () => {
    expect(isSecureTransport(requestOf('192.0.2.1', {}, true), false)).toBe(true);
  });

  it.each(['HTTPS', 'https,https', ' https , https '])('is safe when a trusted proxy sends %j', (word) => {
    expect(isSecureTransport(requestOf('192.0.2.1', { 'x-forwarded-proto': word }), true)).toBe(true);
  });

  it.each(['', 'http', 'https,http', 'http,https', 'https,', 'httpss', 'https http'])(
    'is not safe when a trusted proxy sends %j',
    (word) => {
      expect(isSecureTransport(requestOf('127.0.0.1', { 'x-forwarded-proto': word }), true)).toBe(false);
    },
  );
});

describe('a Host header', () => {
  it.each(['localhost', 'LOCALHOST:4000', '127.0.0.1', '127.1.2.3:1', '[::1]', '[::1]:4000'])(
    'names this machine: %s',
    (host) => expect(hasLoopbackHost(requestOf('127.0.0.1', { host }))).toBe(true),
  );

  it.each([
    '',
    'localhost.',
    'localhost.evil.test',
    'evil.localhost',
    '127.0.0.1.evil.test',
    '127.0.0.1@evil.test',
    '128.0.0.1',
    'evil.test:4000',
    '[::2]',
    'localhost:4000:1',
    'localhost\n',
  ])('does not name this machine: %j', (host) => {
    expect(hasLoopbackHost(requestOf('127.0.0.1', { host }))).toBe(false);
  });

  it('that is missing does not name this machine', () => {
    expect(hasLoopbackHost(requestOf('127.0.0.1', {}))).toBe(false);
  });
});

describe('a request from this machine', () => {
  const port = 4000;
  const direct = (over: { headers?: Record<string, string>; address?: string; version?: string } = {}) =>
    ({
      headers: { host: `localhost:${port}`, ...over.headers },
      httpVersion: over.version ?? '1.1',
      socket: { remoteAddress: over.address ?? '127.0.0.1', localPort: port },
    }) as unknown as IncomingMessage;

  it.each<Record<string, string>>([
    {},
    { host: '127.0.0.1:4000' },
    { host: '[::1]:4000' },
    { 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' },
    { 'sec-fetch-site': 'same-origin' },
    { origin: 'http://localhost:4000' },
    { accept: 'text/html', 'accept-language': 'en', 'user-agent': 'x', dnt: '1', 'sec-gpc': '1', cookie: 'a=b' },
    { connection: 'keep-alive', 'upgrade-insecure-requests': '1', 'sec-ch-ua-platform': '"Linux"', priority: 'u=0' },
    { 'x-request-id': 'a', traceparent: '00-0-0-00', 'cache-control': 'no-cache', 'if-none-match': '"a"' },
  ])('is one that its browser sends: %j', (headers) => {
    expect(isFromThisMachine(direct({ headers }))).toBe(true);
  });

  it.each<Record<string, string>>([
    { host: 'localhost' },
    { host: 'localhost:5000' },
    { host: 'localhost:04000.evil.test' },
    { host: 'attacker.test:4000' },
    { host: '' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { 'sec-fetch-site': 'unheard-of' },
    { origin: 'https://app.example.com' },
    { origin: 'http://localhost:3000' },
    { origin: 'https://localhost:4000' },
    { origin: 'null' },
    ...[
      'forwarded',
      'via',
      'x-forwarded-for',
      'x-forwarded-host',
      'x-forwarded-proto',
      'x-forwarded-port',
      'x-forwarded-prefix',
      'x-forwarded-server',
      'x-forwarded',
      'x-real-ip',
      'x-client-ip',
      'x-cluster-client-ip',
      'true-client-ip',
      'cf-connecting-ip',
      'cf-ray',
      'fly-client-ip',
      'cdn-loop',
      'x-original-uri',
      'x-original-host',
      'x-envoy-external-address',
      'x-amzn-trace-id',
      'proxy-connection',
      'proxy-authorization',
      'max-forwards',
    ].map((name) => ({ [name]: '' })),
  ])('is none that was forwarded, or that another page made: %j', (headers) => {
    expect(isFromThisMachine(direct({ headers }))).toBe(false);
  });

  it.each(elsewhere)('is none from elsewhere: %s', (address) => {
    expect(isFromThisMachine({ ...direct(), socket: { remoteAddress: address, localPort: port } } as never)).toBe(
      false,
    );
  });

  it('is none in the HTTP/1.0 of a proxy that adds no header', () => {
    expect(isFromThisMachine(direct({ version: '1.0' }))).toBe(false);
  });

  it('names the port by its absence where that is 80', () => {
    const socket = { remoteAddress: '::1', localPort: 80 };
    expect(isFromThisMachine({ ...direct({ headers: { host: 'localhost' } }), socket } as never)).toBe(true);
  });
});
