import type { LookupAddress } from 'node:dns';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAddressRule } from '../../../src/broker/upstream/addresses.ts';
import { type Certificate, expiredCertificate, hasOpenssl, makeCertificate } from '../../support/certificate.ts';
import { failureOf, send, testForwarder, textOf } from '../../support/forwarding.ts';
import { Upstream } from '../../support/upstream.ts';

const forbidden = {
  code: 'BAD_GATEWAY',
  description:
    'The destination is at an address that the gateway may not reach. An operator can allow private ones with BROKER_ALLOW_PRIVATE.',
};

let upstream: Upstream;
beforeAll(async () => {
  upstream = await Upstream.start();
});
afterAll(() => upstream.close());

/** A resolver that gives these answers in turn, and the last of them for ever. */
function answering(...answers: string[][]) {
  const asked: string[] = [];
  const resolve = async (hostname: string): Promise<LookupAddress[]> => {
    asked.push(hostname);
    const answer = answers[Math.min(asked.length, answers.length) - 1] ?? [];
    return answer.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
  };
  return { asked, resolve };
}

const originOf = (name: string) => `http://${name}:${upstream.port}`;

describe('an address that is not allowed is not connected to', () => {
  it.each([
    ...[
      '127.0.0.1',
      '2130706433',
      '0x7f000001',
      '0x7f.1',
      '017700000001',
      '0177.0.0.1',
      '127.1',
      '127.0.1',
      '127.0.0.1.',
    ],
    ...['[::1]', '[0:0:0:0:0:0:0:1]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[::127.0.0.1]', '[64:ff9b::127.0.0.1]'],
    ...['0.0.0.0', '0', '[::]', '127.255.255.254', 'localhost', 'LOCALHOST', 'localhost.', '①②⑦.0.0.1', '127。0。0。1'],
    ...[
      '169.254.169.254',
      '2852039166',
      '0xa9fea9fe',
      '[::ffff:a9fe:a9fe]',
      '[fd00:ec2::254]',
      '10.0.0.1',
      '192.168.1.1',
    ],
  ])('http://%s', async (name) => {
    const { connections } = upstream;
    const forwarder = testForwarder({ isAllowedAddress: createAddressRule([]) });
    for (const scheme of ['http', 'https']) {
      const refusal = await failureOf(send(forwarder, `${scheme}://${name}:${upstream.port}`));
      // Where the machine has no name for itself, there is nothing to refuse.
      expect([
        forbidden.description,
        'The host name of the destination was not found. Check its origin, or retry later.',
      ]).toContain(refusal.description);
      if (!/[a-z]{5}/i.test(name)) expect(refusal).toEqual(forbidden);
    }
    expect(upstream.connections).toBe(connections);
    forwarder.close();
  });

  it.each([
    [['10.0.0.1']],
    [['127.0.0.1', '10.0.0.1']],
    [['10.0.0.1', '127.0.0.1']],
    [['127.0.0.1', '::ffff:10.0.0.1']],
    [['127.0.0.1', 'fe80::1']],
    [['127.0.0.1', '169.254.169.254']],
  ])('nor is any other of the same answer: %j', async (answer) => {
    const { connections } = upstream;
    const forwarder = testForwarder({ resolve: answering(answer).resolve });
    expect(await failureOf(send(forwarder, originOf('api.test')))).toEqual(forbidden);
    expect(upstream.connections).toBe(connections);
    forwarder.close();
  });

  it('by plain HTTP where it is not loopback, whatever else is allowed', async () => {
    const isAllowedAddress = () => true;
    const forwarder = testForwarder({ isAllowedAddress, resolve: answering(['192.0.2.1']).resolve });
    expect(await failureOf(send(forwarder, 'http://api.test'))).toEqual(forbidden);
    expect(await failureOf(send(forwarder, 'http://192.0.2.1'))).toEqual(forbidden);
    forwarder.close();
    const production = testForwarder({ allowHttp: false });
    const refusal = await failureOf(send(production, upstream.origin));
    expect(refusal).toEqual({
      code: 'BAD_GATEWAY',
      description: 'The gateway sends values by https: only. Give the secret a destination with an https: origin.',
    });
    production.close();
  });
});

describe('a name whose addresses change', () => {
  it('is looked up once for a connection, and connected to what was checked', async () => {
    const { asked, resolve } = answering(['127.0.0.1'], ['10.0.0.1']);
    const forwarder = testForwarder({ resolve });
    expect(await textOf(await send(forwarder, originOf('api.test'), { path: '/ok' }))).toBe('fine');
    expect(asked).toEqual(['api.test']);
    forwarder.close();
  });

  it('is looked up again for each new connection', async () => {
    const { asked, resolve } = answering(['127.0.0.1'], ['10.0.0.1'], ['127.0.0.1']);
    const forwarder = testForwarder({ resolve });
    const ask = (ownerKey: string) => send(forwarder, originOf('api.test'), { ownerKey, path: '/ok' }).then(textOf);
    expect(await ask('ada')).toBe('fine');
    expect(await failureOf(ask('bob'))).toEqual(forbidden);
    expect(await ask('bob')).toBe('fine');
    expect(asked).toHaveLength(3);
    forwarder.close();
  });

  it('is checked for each request, on a connection that was kept too, before a byte is written', async () => {
    let allowed = true;
    const { asked, resolve } = answering(['127.0.0.1']);
    const forwarder = testForwarder({ resolve, isAllowedAddress: (address) => allowed && address === '127.0.0.1' });
    const ask = () => send(forwarder, originOf('api.test'), { path: '/ok' });
    await textOf(await ask());
    await new Promise((done) => setImmediate(done));
    const { connections, arrived } = upstream;
    const requests = arrived.length;
    await textOf(await ask());
    await new Promise((done) => setImmediate(done));
    expect([upstream.connections, arrived.length]).toEqual([connections, requests + 1]);
    allowed = false;
    expect(await failureOf(ask())).toEqual(forbidden);
    expect([upstream.connections, arrived.length]).toEqual([connections, requests + 1]);
    expect(asked).toHaveLength(2);
    forwarder.close();
  });

  it.each([[[]], [null]])('is BAD_GATEWAY while it has none: %j', async (answer) => {
    const failing = () => Promise.reject(Object.assign(new Error('api.test'), { code: 'ENOTFOUND' }));
    const forwarder = testForwarder({ resolve: answer ? answering(answer).resolve : failing });
    const description = 'The host name of the destination was not found. Check its origin, or retry later.';
    expect(await failureOf(send(forwarder, 'https://api.test'))).toEqual({ code: 'BAD_GATEWAY', description });
    forwarder.close();
  });

  it.each([
    ['ESERVFAIL', 'BAD_GATEWAY', 'The host name of the destination could not be looked up.'],
    ['EAI_AGAIN', 'BAD_GATEWAY', 'The host name of the destination could not be looked up.'],
    ['ETIMEOUT', 'GATEWAY_TIMEOUT', 'The look-up of the host name of the destination took too long.'],
  ])('that cannot be looked up is told from one that does not exist: %s', async (error, code, message) => {
    const resolve = () => Promise.reject(Object.assign(new Error('api.test'), { code: error }));
    const forwarder = testForwarder({ resolve });
    const refused = send(forwarder, 'https://api.test');
    await expect(refused).rejects.toMatchObject({ code, message });
    expect((await failureOf(refused)).description).toMatch(/^.+\. .*retry later\.$/i);
    forwarder.close();
  });

  it('is connected to at another of its addresses when one takes no connection', async () => {
    const forwarder = testForwarder({ resolve: answering(['127.0.0.2', '::1', '127.0.0.1']).resolve });
    expect(await textOf(await send(forwarder, originOf('api.test'), { path: '/ok' }))).toBe('fine');
    forwarder.close();
  });
});

describe.skipIf(!hasOpenssl)('TLS', () => {
  const directory = mkdtempSync(join(tmpdir(), 'upstreams-'));
  const defaults = getCACertificates('default');
  const { resolve } = answering(['127.0.0.1']);
  let [trusted, foreign]: Certificate[] = [];
  beforeAll(() => {
    trusted = makeCertificate(directory, 'trusted');
    foreign = makeCertificate(directory, 'foreign');
    setDefaultCACertificates([...defaults, readFileSync(trusted.certificateFile, 'utf8')]);
  });
  afterAll(() => {
    setDefaultCACertificates(defaults);
    rmSync(directory, { recursive: true });
  });

  const otherName =
    'The certificate of the destination is for another name. Check its origin; its server needs a certificate for that name.';
  const cases: Record<
    string,
    { name?: string; certificateOf?: () => string; options?: object; description: string | null }
  > = {
    'is spoken to a server whose certificate is good': { description: null },
    'is spoken to a name with a dot at its end': { name: 'localhost.', description: null },
    'is not spoken to a server with the name of another': { name: 'api.test', description: otherName },
    'is not spoken to an address that its certificate does not name': { name: '127.0.0.1', description: otherName },
    'is not spoken to a server whose certificate nobody vouches for': {
      certificateOf: () => foreign?.certificateFile ?? '',
      description:
        'The gateway does not trust the certificate of the destination. Its server needs one of a known authority, with the intermediate ones; an operator can add an authority with NODE_EXTRA_CA_CERTS.',
    },
    'is not spoken to a server whose certificate has expired': {
      certificateOf: () => expiredCertificate(directory, trusted as Certificate),
      description:
        'The certificate of the destination has expired, or is not valid yet. Its server needs another certificate.',
    },
    'is not spoken in a version before 1.2': {
      options: { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' },
      description: 'No TLS connection (1.2 or newer) to the destination could be made. Check the port of its origin.',
    },
  };
  it.each(Object.entries(cases))('%s', async (_, { name = 'localhost', certificateOf, options, description }) => {
    const both = certificateOf?.().includes('foreign') ? foreign : trusted;
    const key = readFileSync(both?.bothFile ?? '');
    const cert = certificateOf ? readFileSync(certificateOf()) : key;
    let [requests, sentName]: [number, unknown] = [0, null];
    const server = createServer({ key, cert, ...options }, (request, response) => {
      requests += 1;
      sentName = (request.socket as TLSSocket).servername;
      response.end('fine');
    });
    server.on('tlsClientError', () => {});
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    const forwarder = testForwarder({ resolve });
    const environment = process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
    const work = send(forwarder, `https://${name}:${port}`).then(textOf);
    if (description === null) expect([await work, sentName]).toEqual(['fine', 'localhost']);
    else expect(await failureOf(work)).toEqual({ code: 'BAD_GATEWAY', description });
    expect(requests).toBe(description === null ? 1 : 0);
    if (environment === undefined) delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    else process.env.NODE_TLS_REJECT_UNAUTHORIZED = environment;
    forwarder.close();
    server.closeAllConnections();
    server.close();
  });

  it('is not spoken to a server that speaks plain HTTP', async () => {
    const forwarder = testForwarder();
    const refusal = await failureOf(send(forwarder, upstream.origin.replace('http:', 'https:')));
    expect(refusal).toEqual({
      code: 'BAD_GATEWAY',
      description: 'No TLS connection (1.2 or newer) to the destination could be made. Check the port of its origin.',
    });
    forwarder.close();
  });
});
