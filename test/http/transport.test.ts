import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { hasLoopbackHost, isSecureTransport } from '../../src/http/transport.ts';

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
