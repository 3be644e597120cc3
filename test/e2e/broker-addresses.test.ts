import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  brokenFields,
  newUsable,
  newUser,
  newValue,
  refusedBy,
  type User,
  useAs,
  userKinds,
} from '../support/broker.ts';
import { hasOpenssl, makeCertificate } from '../support/certificate.ts';
import { storeNames, TestGateway } from '../support/gateway.ts';
import { createSecret } from '../support/graphql.ts';
import { Upstream } from '../support/upstream.ts';

/** Ways to write an address of this machine. */
const spellings = [
  ...[
    'localhost',
    'LOCALHOST',
    'localhost.',
    'a.localhost',
    '127.0.0.1',
    '127.1',
    '127.0.0.1.',
    '2130706433',
    '0x7f000001',
  ],
  ...[
    '0x7f.1',
    '0177.0.0.1',
    '127.255.255.254',
    '0.0.0.0',
    '0',
    '[::1]',
    '[0:0:0:0:0:0:0:1]',
    '[::]',
    '[::ffff:127.0.0.1]',
  ],
  ...['[::ffff:7f00:1]', '[::127.0.0.1]', '[64:ff9b::127.0.0.1]', '[2002:7f00:1::]', '１２７.0.0.1', '127。0。0。1'],
];

describe.skipIf(!hasOpenssl).each(storeNames)('where the broker connects to on %s', (store) => {
  let directory: string;
  let gateway: TestGateway;
  let trusted: Upstream;
  let unknown: Upstream;
  let plain: Upstream;
  const before = getCACertificates();

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'certificates-'));
    const tlsOf = (name: string) => {
      const { certificateFile, bothFile } = makeCertificate(directory, name);
      return { cert: readFileSync(certificateFile, 'utf8'), key: readFileSync(bothFile, 'utf8') };
    };
    const [known, other] = [tlsOf('known'), tlsOf('other')];
    // As NODE_EXTRA_CA_CERTS does it for a process.
    setDefaultCACertificates([...before, known.cert]);
    [trusted, unknown, plain] = await Promise.all([
      Upstream.start({ tls: known, hostname: 'localhost' }),
      Upstream.start({ tls: other, hostname: 'localhost' }),
      Upstream.start(),
    ]);
    gateway = await TestGateway.start(store, { RATE_LIMIT: 'off' });
  });
  afterAll(async () => {
    setDefaultCACertificates(before);
    await gateway.close();
    await Promise.all([trusted.close(), unknown.close(), plain.close()]);
    rmSync(directory, { recursive: true });
  });
  beforeEach(() => {
    trusted.arrived.length = 0;
  });

  describe.each(userKinds)('used with %s', (kind) => {
    let user: User;
    beforeAll(async () => {
      user = await newUser(gateway, kind);
    });

    it('a value goes over TLS to a host whose certificate is trusted', async () => {
      const secret = await newUsable(gateway, user, trusted);
      const answer = await useAs(gateway, user, `${secret.id}/ok`);
      expect([answer.status, answer.text]).toEqual([200, 'fine']);
      expect(trusted.last.head).toContain(`Authorization: Bearer ${secret.value}\r\n`);
      expect(trusted.last.head).toContain(`Host: localhost:${trusted.port}\r\n`);
    });

    it('nothing goes to a host whose certificate is not trusted, or is for another name', async () => {
      const toUnknown = await newUsable(gateway, user, unknown);
      const otherName = await newUsable(gateway, user, trusted, { origin: `https://127.0.0.1:${trusted.port}` });
      for (const { id } of [toUnknown, otherName]) {
        expect(refusedBy(await useAs(gateway, user, `${id}/ok`))).toBe('BAD_GATEWAY');
      }
      // One that speaks no TLS at all.
      const noTls = await newUsable(gateway, user, plain, { origin: `https://127.0.0.1:${plain.port}` });
      expect(refusedBy(await useAs(gateway, user, `${noTls.id}/ok`))).toBe('BAD_GATEWAY');
      expect([trusted.arrived, unknown.arrived, plain.arrived]).toEqual([[], [], []]);
    });

    it('a destination is an origin of https, or of http on this machine', async () => {
      for (const origin of [
        ...['http://api.example.com', 'http://10.0.0.1', 'ftp://api.example.com', 'ws://127.0.0.1', 'file:///etc', ''],
        ...[
          'https://user@api.example.com',
          'https://:p@api.example.com',
          'https://api.example.com/v1',
          'api.example.com',
        ],
        ...[
          'https://api.example.com?x',
          'https://api.example.com#x',
          'https://',
          'https://a b',
          'https://api.example.com\\@evil',
        ],
        ...['https://[::1', 'https://api.example.com:99999', 'javascript:alert(1)', ' https://api.example.com/\n'],
      ]) {
        const input = { name: 'KEY', provider: 'custom', value: newValue(), destination: { origin } };
        const answer = await gateway.run(createSecret(), { input }, user.options);
        const [[code, field] = []] = brokenFields(answer) as string[][];
        expect([origin, code, field?.split(': ')[0]]).toEqual([origin, 'UNPROCESSABLE_ENTITY', 'origin']);
      }
    });
  });

  it('no spelling of a private address is connected to, unless it is allowed', async () => {
    const user = await newUser(gateway, 'a JWT');
    // These were allowed when their values were set.
    const earlier = [
      await newUsable(gateway, user, plain),
      await newUsable(gateway, user, trusted),
      await newUsable(gateway, user, trusted, { origin: `https://[::1]:${trusted.port}` }),
    ];
    expect((await useAs(gateway, user, `${earlier[0]?.id}/ok`)).text).toBe('fine');
    await gateway.stop();
    await gateway.launch({ RATE_LIMIT: 'off', BROKER_ALLOW_PRIVATE: '10.1.2.0/24' });
    const connections = () => [trusted.connections, plain.connections];
    const sofar = connections();
    const expectRefused = async (id: string) => {
      const answer = await useAs(gateway, user, `${id}/ok`);
      expect(refusedBy(answer)).toBe('BAD_GATEWAY');
      // Not even which address it was.
      expect(answer.text).not.toMatch(/127\.|::/);
    };
    for (const { id } of earlier) await expectRefused(id);
    for (const host of spellings) {
      const origin = `https://${host}:${trusted.port}`;
      const name = `KEY_${crypto.randomUUID().replaceAll('-', '')}`;
      const input = { name, provider: 'custom', value: newValue(), destination: { origin } };
      const created = await gateway.run(createSecret(), { input }, user.options);
      if (created.errors.length === 0) await expectRefused(created.data.createSecret.secret.id);
      else expect([host, brokenFields(created)]).toEqual([host, [['UNPROCESSABLE_ENTITY', expect.any(String)]]]);
    }
    expect(connections()).toEqual(sofar);
  });

  it.each([
    ...['169.254.169.254', '10.0.0.1', '172.16.0.1', '192.168.1.1', '100.64.0.1', '224.0.0.1', '255.255.255.255'],
    ...['[fe80::1]', '[fd00:ec2::254]', '[fc00::1]', '[ff02::1]', '192.0.2.1', '198.18.0.1'],
  ])('%s is no address of a destination', async (host) => {
    const user = await newUser(gateway, 'an API key');
    const input = { name: 'KEY', value: newValue(), destination: { origin: `https://${host}` } };
    const answer = await gateway.run(createSecret(), { input }, user.options);
    expect(brokenFields(answer)).toEqual([['UNPROCESSABLE_ENTITY', 'origin: private_address']]);
  });
});
