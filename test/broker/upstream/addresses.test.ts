import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createAddressRule, isLoopbackAddress } from '../../../src/broker/upstream/addresses.ts';

const isAllowed = createAddressRule([]);
const byte = fc.integer({ min: 0, max: 255 });

type Octets = readonly [number, number, number, number];

const specialBlocks: readonly [string, number, Octets][] = [
  ['this network', 8, [0, 0, 0, 0]],
  ['private', 8, [10, 0, 0, 0]],
  ['shared', 10, [100, 64, 0, 0]],
  ['loopback', 8, [127, 0, 0, 0]],
  ['link-local', 16, [169, 254, 0, 0]],
  ['private', 12, [172, 16, 0, 0]],
  ['assignments', 24, [192, 0, 0, 0]],
  ['documentation', 24, [192, 0, 2, 0]],
  ['AS112', 24, [192, 31, 196, 0]],
  ['AMT', 24, [192, 52, 193, 0]],
  ['6to4 relays', 24, [192, 88, 99, 0]],
  ['private', 16, [192, 168, 0, 0]],
  ['AS112', 24, [192, 175, 48, 0]],
  ['benchmarks', 15, [198, 18, 0, 0]],
  ['documentation', 24, [198, 51, 100, 0]],
  ['documentation', 24, [203, 0, 113, 0]],
  ['multicast', 4, [224, 0, 0, 0]],
  ['reserved', 4, [240, 0, 0, 0]],
];

const numberOf = ([a, b, c, d]: Octets) => ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
const octetsOf = (number: number): Octets => [number >>> 24, (number >>> 16) & 255, (number >>> 8) & 255, number & 255];
const maskOf = (prefix: number) => (0xffff_ffff << (32 - prefix)) >>> 0;
const isSpecial = (octets: Octets) =>
  specialBlocks.some(([, prefix, start]) => (numberOf(octets) & maskOf(prefix)) >>> 0 === numberOf(start));

const anyOctets = fc.tuple(byte, byte, byte, byte);
const specialOctets = fc
  .tuple(fc.constantFrom(...specialBlocks), fc.nat(0xffff_ffff))
  .map(([[, prefix, start], host]) => octetsOf((numberOf(start) | (host & ~maskOf(prefix))) >>> 0));
const publicOctets = anyOctets.filter((octets) => !isSpecial(octets) && octets.join('.') !== '168.63.129.16');

const groupsOf = ([a, b, c, d]: Octets) => `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
const inverted = ([a, b, c, d]: Octets): Octets => [255 - a, 255 - b, 255 - c, 255 - d];

/** The spellings of an address that IPv6 has for an IPv4 address, and whether a public one is reached by it. */
const within: Record<string, { spell: (octets: Octets) => string; isReached: boolean }> = {
  mapped: { spell: (octets) => `::ffff:${octets.join('.')}`, isReached: true },
  'mapped, in groups': { spell: (octets) => `::FFFF:${groupsOf(octets)}`, isReached: true },
  'mapped, in full': { spell: (octets) => `0:0:0:0:0:ffff:${groupsOf(octets)}`, isReached: true },
  NAT64: { spell: (octets) => `64:ff9b::${octets.join('.')}`, isReached: true },
  'NAT64, in groups': { spell: (octets) => `64:ff9b:0:0:0:0:${groupsOf(octets)}`, isReached: true },
  'NAT64 of a network': { spell: (octets) => `64:ff9b:1::${octets.join('.')}`, isReached: false },
  compatible: { spell: (octets) => `::${octets.join('.')}`, isReached: false },
  translated: { spell: (octets) => `::ffff:0:${octets.join('.')}`, isReached: false },
  '6to4': { spell: (octets) => `2002:${groupsOf(octets)}::1`, isReached: false },
  'Teredo, its client': { spell: (octets) => `2001:0:808:808:0:0:${groupsOf(inverted(octets))}`, isReached: false },
  'Teredo, its server': { spell: (octets) => `2001:0:${groupsOf(octets)}::f7f7:f7f7`, isReached: false },
};

describe('without BROKER_ALLOW_PRIVATE', () => {
  it('no address of a special-purpose block is reached, in no spelling', () => {
    fc.assert(
      fc.property(specialOctets, (octets) => {
        expect(isAllowed(octets.join('.')), octets.join('.')).toBe(false);
        for (const { spell } of Object.values(within)) expect(isAllowed(spell(octets)), spell(octets)).toBe(false);
      }),
      { numRuns: 2000 },
    );
  });

  it('the first and the last address of each block are refused, and what is beside it is public or in another block', () => {
    for (const [, prefix, start] of specialBlocks) {
      const [first, last] = [numberOf(start), (numberOf(start) | ~maskOf(prefix)) >>> 0];
      for (const number of [first, last]) expect(isAllowed(octetsOf(number).join('.'))).toBe(false);
      for (const number of [first - 1, last + 1].filter((beside) => beside >= 0 && beside <= 0xffff_ffff)) {
        const octets = octetsOf(number);
        expect(isAllowed(octets.join('.')), octets.join('.')).toBe(!isSpecial(octets));
      }
    }
  });

  it('every public IPv4 address is reached, and so by those IPv6 addresses that stand for it', () => {
    fc.assert(
      fc.property(publicOctets, (octets) => {
        expect(isAllowed(octets.join('.'))).toBe(true);
        for (const { spell, isReached } of Object.values(within))
          expect(isAllowed(spell(octets)), spell(octets)).toBe(isReached);
      }),
      { numRuns: 2000 },
    );
  });

  it('of IPv6 only global unicast is reached', () => {
    const group = fc.integer({ min: 0, max: 0xffff });
    fc.assert(
      fc.property(group, fc.array(group, { minLength: 7, maxLength: 7 }), (first, rest) => {
        const address = [first, ...rest].map((part) => part.toString(16)).join(':');
        fc.pre(![0x2001, 0x2002, 0x3fff].includes(first) && !address.startsWith('2620:4f:8000:'));
        expect(isAllowed(address), address).toBe(first >= 0x2000 && first <= 0x3fff);
      }),
      { numRuns: 2000 },
    );
  });

  it.each(['2606:4700:4700::1111', '2a00:1450:4001:80b::200e', '2001:4860:4860::8888', '2001:200::1', '3ffe::1'])(
    '%s is reached',
    (address) => {
      expect(isAllowed(address)).toBe(true);
    },
  );

  it.each([
    ...['::', '::1', 'fe80::1', 'fec0::1', 'fc00::1', 'fd12:3456::1', 'ff02::1', 'ff0e::1', '100::1', '5f00::1'],
    ...['2001:db8::1', '2001:2::1', '2001:10::1', '2001:20::1', '2001:30::1', '3fff::1', '2620:4f:8000::1'],
    // Clouds' metadata.
    ...['169.254.169.254', '169.254.170.2', '100.100.100.200', '192.0.0.192', '168.63.129.16', '::ffff:168.63.129.16'],
    ...['fd00:ec2::254', 'fd20:ce::254', '64:ff9b::a9fe:a9fe'],
    // A zone, and what is no address in its canonical spelling.
    ...[
      'fe80::1%eth0',
      '2606:4700:4700::1111%eth0',
      '::1%lo',
      '8.8.8.8%lo',
      '',
      ' ',
      '127.1',
      '2130706433',
      '0x7f000001',
    ],
    ...['0177.0.0.1', '127.0.0.1.', '[::1]', 'localhost', '8.8.8.8 ', '8.8.8.8:80', '1.1', '08.8.8.8', '8.8.8.8/32'],
  ])('%j is not reached', (address) => {
    expect(isAllowed(address)).toBe(false);
  });
});

describe('BROKER_ALLOW_PRIVATE', () => {
  it('allows its blocks, and nothing beside them', () => {
    const allows = createAddressRule(['10.20.0.0/16', '192.168.1.1', 'fd12:3456::/32']);
    for (const address of ['10.20.0.0', '10.20.255.255', '192.168.1.1', 'fd12:3456::1', '::ffff:10.20.1.1', '8.8.8.8'])
      expect(allows(address), address).toBe(true);
    for (const address of [
      '10.19.255.255',
      '10.21.0.0',
      '192.168.1.2',
      'fd12:3457::1',
      '127.0.0.1',
      '::1',
      '::10.20.1.1',
    ])
      expect(allows(address), address).toBe(false);
  });

  it('allows no IPv4 address by a block of IPv6', () => {
    const allows = createAddressRule(['::/0']);
    expect(['fd00::1', '::1', '127.0.0.1', '::ffff:127.0.0.1', '10.0.0.1'].map(allows)).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
  });

  it.each(['169.254.169.254', '::ffff:169.254.169.254', '64:ff9b::a9fe:a9fe', '100.100.100.200', 'fd00:ec2::254'])(
    'allows the metadata of clouds never: %s',
    (address) => {
      expect(createAddressRule(['0.0.0.0/0', '::/0', '169.254.169.254', '64:ff9b::/96'])(address)).toBe(false);
    },
  );
});

it('what is loopback is told in every spelling of an address', () => {
  const loopback = ['127.0.0.1', '127.255.255.255', '::1', '0:0:0:0:0:0:0:1', '::ffff:127.0.0.1', '::ffff:7f00:1'];
  expect(loopback.map(isLoopbackAddress)).toEqual(loopback.map(() => true));
  const others = ['128.0.0.1', '0.0.0.0', '::', '::2', '10.0.0.1', '::127.0.0.1', '::1%lo', 'localhost', ''];
  expect(others.map(isLoopbackAddress)).toEqual(others.map(() => false));
});
