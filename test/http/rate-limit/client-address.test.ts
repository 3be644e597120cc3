import type { IncomingMessage } from 'node:http';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clientAddress } from '../../../src/http/rate-limit/client-address.ts';

const proxy = '192.0.2.1';

function requestOf(remoteAddress: string | undefined, forwardedFor?: string): IncomingMessage {
  const headers = forwardedFor === undefined ? {} : { 'x-forwarded-for': forwardedFor };
  return { headers, socket: { remoteAddress } } as unknown as IncomingMessage;
}

/** The client's address, as the gateway reads it from the X-Forwarded-For of a proxy. */
const forwarded = (header: string) => clientAddress(requestOf(proxy, header), true);

const groups = fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 8, maxLength: 8 });

/** Spellings of one IPv6 address: RFC 4291, section 2.2. */
function spellingsOf(address: readonly number[]): string[] {
  const plain = address.map((group) => group.toString(16)).join(':');
  const padded = address.map((group) => group.toString(16).padStart(4, '0')).join(':');
  // The URL parser writes the form of RFC 5952, with the longest run of zeros as "::".
  const compressed = new URL(`http://[${plain}]/`).hostname.slice(1, -1);
  return [plain, padded, compressed].flatMap((text) => [text, text.toUpperCase(), `[${text}]`, `[${text}]:443`]);
}

describe('the address of a client', () => {
  it('is the address of the connection without a trusted proxy, whatever X-Forwarded-For says', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), fc.string()), (header) => {
        expect(clientAddress(requestOf('203.0.113.9', header), false)).toBe('203.0.113.9');
      }),
    );
  });

  it('is the address of the connection when a trusted proxy sends no X-Forwarded-For', () => {
    expect(clientAddress(requestOf('203.0.113.9'), true)).toBe('203.0.113.9');
  });

  it('is unknown once the connection is closed', () => {
    expect(clientAddress(requestOf(undefined), true)).toBe('unknown');
  });

  it('is the last one in X-Forwarded-For, whatever the client put before it', () => {
    fc.assert(
      fc.property(fc.string(), fc.ipV4(), (sent, address) => {
        expect(forwarded(`${sent}, ${address}`)).toBe(address);
        expect(forwarded(`${sent},${address}  `)).toBe(address);
      }),
    );
  });

  it('is kept without the port, which changes with each connection', () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.integer({ min: 0, max: 65_535 }), (address, port) => {
        expect(forwarded(`${address}:${port}`)).toBe(address);
      }),
    );
  });

  it.each([
    '',
    ' ',
    ',',
    '203.0.113.1,',
    'unknown',
    '_hidden',
    'localhost',
    '203.0.113',
    '203.0.113.256',
    '203.0.113.1:port',
    '203.0.113.1:',
    '203.0.113.1 203.0.113.2',
    '"203.0.113.1"',
    'for=203.0.113.1',
    '2001:db8::1::2',
    '[2001:db8::1',
    '[2001:db8::1]:443:443x',
    ':443',
    '[]:443',
  ])('is the address of the proxy when the last entry is not an address: %j', (header) => {
    expect(forwarded(header)).toBe(proxy);
  });

  it('is the address of the proxy for any text without colons and dots', () => {
    const garbage = fc.string({ unit: 'grapheme-ascii' }).map((text) => text.replaceAll(/[:.]/g, ''));
    fc.assert(
      fc.property(garbage, (header) => {
        expect(forwarded(header)).toBe(proxy);
      }),
    );
  });

  it('is short, whatever the header contains', () => {
    const character = fc.constantFrom(...'0123456789abcdefABCDEF:.,[]% ');
    fc.assert(
      fc.property(fc.string({ unit: character, maxLength: 60 }), (header) => {
        expect(forwarded(header).length).toBeLessThanOrEqual(40);
      }),
    );
  });
});

describe('an IPv6 network of 64 bits is one client', () => {
  it('whichever of its addresses is used, in any spelling', () => {
    fc.assert(
      fc.property(groups, groups, ([a = 0, b = 0, c = 0, d = 0], [, , , , ...host]) => {
        fc.pre(a !== 0);
        const network = [a, b, c, d];
        const expected = network.map((group) => group.toString(16)).join(':');
        for (const spelling of spellingsOf([...network, ...host])) expect(forwarded(spelling)).toBe(expected);
      }),
    );
  });

  it('and another network is another client', () => {
    fc.assert(
      fc.property(groups, groups, (one, other) => {
        fc.pre(one.slice(0, 4).join() !== other.slice(0, 4).join());
        const [first = '', second = ''] = [one, other].map((address) => spellingsOf(address)[0]);
        expect(forwarded(first)).not.toBe(forwarded(second));
      }),
    );
  });

  it('on the connection too', () => {
    expect(clientAddress(requestOf('2001:db8:0:7::1'), false)).toBe('2001:db8:0:7');
    expect(clientAddress(requestOf('2001:db8:0:7:ffff::2'), false)).toBe('2001:db8:0:7');
  });

  it('also when the networks differ in a run of zeros in the middle', () => {
    expect(forwarded('2001:db8::7:1:2:3:4')).toBe('2001:db8:0:7');
    expect(forwarded('2001:db8::1:2:3:4')).toBe('2001:db8:0:0');
    expect(forwarded('::1')).toBe('0:0:0:0');
  });
});

it('an IPv4 address inside an IPv6 address is that IPv4 address, in every spelling of both', () => {
  expect(forwarded('::ffff:c000:0209')).toBe('192.0.2.9');
  expect(forwarded('0:0:0:0:0:ffff:192.0.2.9')).toBe('192.0.2.9');
  expect(forwarded('64:ff9b::192.0.2.9')).toBe('192.0.2.9');
  expect(forwarded('64:ff9b::c000:209')).toBe('192.0.2.9');
  // This address is not mapped, only written with an IPv4 address at its end.
  expect(forwarded('1::2:3:4:5:1.2.3.4')).toBe('1:0:2:3');
});

it('the zone of a link-local address is ignored', () => {
  expect(clientAddress(requestOf('fe80::1%eth0'), false)).toBe('fe80:0:0:0');
});

it('an IPv4 address that is mapped into IPv6 is that IPv4 address', () => {
  fc.assert(
    fc.property(fc.ipV4(), (address) => {
      for (const mapped of [`::ffff:${address}`, `::FFFF:${address}`, `[::ffff:${address}]:443`]) {
        expect(forwarded(mapped)).toBe(address);
        expect(clientAddress(requestOf(`::ffff:${address}`), false)).toBe(address);
      }
    }),
  );
});
