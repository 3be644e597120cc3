import dns from 'node:dns';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { openMongodbStore } from '../../src/store/mongodb/mongodb-store.ts';
import { type Certificate, hasOpenssl, makeCertificate } from '../support/certificate.ts';
import { type ReplicaSet, startReplicaSet, startStandalone } from '../support/mongod.ts';

// What the start says about a MongoDB that it cannot use: each fault has its own message, with the fix.

const password = 'hunter22';
const hasMongod = inject('mongodbUri') !== null && !process.env.MONGODB_URI;

/** What the start says, or `started`. */
async function startOn(uri: string): Promise<string> {
  try {
    await (await openMongodbStore(uri)).close();
    return 'started';
  } catch (error) {
    expect(error).toMatchObject({ name: 'ConfigurationError' });
    const { message } = error as Error;
    expect(message).toMatch(/^DATABASE_URL\b/);
    expect(message).not.toContain(password);
    expect(message).not.toContain('127.0.0.1');
    return message;
  }
}

const hostOf = ({ uri }: ReplicaSet) => new URL(uri).host;
const portOf = ({ uri }: ReplicaSet) => new URL(uri).port;

describe.concurrent('a URI whose user or password is not escaped', () => {
  it.each([
    `p@${password}`,
    `${password}/x`,
    `p/${password}`,
    `p:${password}`,
    `p#${password}`,
    `p?${password}`,
    `p[${password}]`,
    `p%${password}`,
    `12/${password}`,
    `12#${password}`,
    `12?${password}`,
    `p@${password}/x`,
    `${password}@`,
    `@${password}`,
    `/@:#?${password}`,
  ])('is refused, and told what to write: %s', async (unescaped) => {
    for (const rest of ['@127.0.0.1:1/d', '@127.0.0.1:1,127.0.0.1:2/d?replicaSet=rs0', '@127.0.0.1:1']) {
      for (const scheme of ['mongodb', 'mongodb+srv']) {
        expect(await startOn(`${scheme}://user:${unescaped}${rest}`)).toMatch(
          /@ as %40, : as %3A, \/ as %2F, # as %23/,
        );
      }
    }
  });

  it('is told from one whose options have such a character', async () => {
    const uri = 'mongodb://127.0.0.1:1/d?serverSelectionTimeoutMS=500&appName=';
    for (const name of ['a%40b', 'a:b/c', 'a%23b']) expect(await startOn(`${uri}${name}`)).toContain('nothing listens');
  });
});

describe.concurrent('a URI that cannot be used', () => {
  it.each<[string, RegExp]>([
    ['mongodb+srv://a.b.c:27017/d', /one name without a port/],
    ['mongodb+srv://a.b.c,d.e.f/d', /one name without a port/],
    ['mongodb+srv://no.such.invalid/d', /SRV record|name server/],
    ['mongodb://no.such.invalid/d?serverSelectionTimeoutMS=50', /does not resolve|within 50 ms/],
    ['mongodb://h/?replicaset=rs0&tsl=true', /Did you mean tls/],
    ['mongodb://h/?authSorce=admin', /Did you mean authSource/],
    ['mongodb://h/?nothingLikeThat=1', /does not know. Leave it out/],
    ['mongodb://h/?tls=yes', /option behind the \?/],
    ['mongodb://h/?replicaSet=', /option behind the \?/],
    ['mongodb://h/?w=1&w=2', /option behind the \?/],
    ['mongodb://h/?tls=true&tlsCAFile=/no/such/file', /cannot be read \(ENOENT\).*tlsCAFile/],
    ['mongodb://127.0.0.1:1/d?serverSelectionTimeoutMS=500', /nothing listens/],
    ['mongodb://', /not a MongoDB connection string/],
  ])('is refused with its own message: %s', async (uri, expected) => {
    expect(await startOn(uri)).toMatch(expected);
  });

  it('is given up after the time-out that is in it', async () => {
    // It accepts connections and never answers.
    const silent = createTcpServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const uri = `mongodb://127.0.0.1:${port}/d`;
    const said = await Promise.all(
      ['?serverSelectionTimeoutMS=77', '?SERVERSELECTIONTIMEOUTMS=77', ''].map((query) => startOn(`${uri}${query}`)),
    );
    const expected = ['within 77 ms', 'within 77 ms', 'within 2500 ms'];
    expect(said).toEqual(expected.map((text) => expect.stringContaining(text)));
    silent.close();
  });

  it('is refused when something else than MongoDB answers', async () => {
    const web = createServer((_request, response) => response.end()).listen(0, '127.0.0.1');
    await once(web, 'listening');
    const { port } = web.address() as AddressInfo;
    const uri = `mongodb://127.0.0.1:${port}/d?serverSelectionTimeoutMS=100`;
    expect(await startOn(uri)).toContain('within 100 ms');
    expect(await startOn(`${uri}&tls=true`)).toContain('within 100 ms');
    web.close();
  });
});

describe.skipIf(!hasMongod)('a mongod', () => {
  it('that is standalone, or a replica set that is not initiated, says so, however it is named', async () => {
    const standalone = await startStandalone();
    const ghost = await startStandalone(['--replSet', 'rs0']);
    for (const query of ['', '?directConnection=true', '?replicaSet=rs0', '?replicaSet=rs0&directConnection=true']) {
      const short = `${query}${query ? '&' : '?'}serverSelectionTimeoutMS=500`;
      expect(await startOn(`mongodb://${hostOf(standalone)}/d${short}`)).toMatch(/standalone.*--replSet/);
      expect(await startOn(`mongodb://${hostOf(ghost)}/d${short}`)).toMatch(/not initiated.*rs\.initiate\(\)/);
    }
    await standalone.stop();
    await ghost.stop();
  });

  it('whose set names its members by hosts that are out of reach says so', async () => {
    const ghost = await startStandalone(['--replSet', 'rs0']);
    const client = new MongoClient(`mongodb://${hostOf(ghost)}/?directConnection=true`);
    const host = `localhost:${portOf(ghost)}`;
    await client.db('admin').command({ replSetInitiate: { _id: 'rs0', members: [{ _id: 0, host }] } });
    await client.close();
    // As on a machine that does not know the name by which the members know each other.
    const lookup = dns.lookup;
    const spy = vi
      .spyOn(dns, 'lookup')
      .mockImplementation(((
        name: string,
        options: dns.LookupOptions,
        done: (error: NodeJS.ErrnoException | null, address: string | dns.LookupAddress[], family: number) => void,
      ) =>
        name === 'localhost'
          ? done(
              Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND', syscall: 'getaddrinfo' }),
              '',
              4,
            )
          : lookup(name, options, done)) as typeof dns.lookup);
    const uri = `mongodb://${hostOf(ghost)}/d?serverSelectionTimeoutMS=800`;
    expect(await startOn(uri)).toMatch(/hosts that cannot be reached.*directConnection/);
    await expect.poll(() => startOn(`${uri}&directConnection=true`), { timeout: 20_000 }).toBe('started');
    spy.mockRestore();
    await ghost.stop();
  });

  describe('with access control', () => {
    let replicaSet: ReplicaSet;
    beforeAll(async () => {
      replicaSet = await startReplicaSet({ root: { name: 'root', password } });
      const client = new MongoClient(replicaSet.uri);
      const name = (user: string, role: string) => ({
        createUser: user,
        pwd: password,
        roles: [{ role, db: 'secrets' }],
      });
      await client.db('secrets').command(name('reader', 'read'));
      await client.db('secrets').command({ ...name('owner', 'readWrite'), roles: ['readWrite', 'dbAdmin'] });
      await client.close();
    });
    afterAll(() => replicaSet?.stop());

    it.each<[string, string, RegExp]>([
      ['a user of admin without authSource', `root:${password}@/secrets`, /Add authSource=admin/],
      ['a wrong password', `root:x${password}@/secrets?authSource=admin`, /refused the user or the password.*%25/],
      ['a wrong password without authSource', `root:x${password}@/secrets`, /refused the user or the password/],
      ['a user that does not exist', `nobody:${password}@/secrets`, /refused the user or the password/],
      ['no user', '/secrets', /asks for a user, and the URL has none/],
      ['a user that may only read', `reader:${password}@/secrets`, /role readWrite and dbAdmin/],
      ['a mechanism that is not enabled', `root:${password}@/secrets?authMechanism=PLAIN`, /authMechanism/],
      [
        'another name of the set',
        `root:${password}@/secrets?authSource=admin&replicaSet=other`,
        /another name than replicaSet=/,
      ],
      [
        'another name, directly',
        `owner:${password}@/secrets?replicaSet=other&directConnection=true`,
        /another name than replicaSet=/,
      ],
      ['TLS', `owner:${password}@/secrets?tls=true`, /does not speak TLS/],
      ['a user of the database', `owner:${password}@/secrets`, /^started$/],
      ['a user of admin with authSource', `root:${password}@/secrets?authSource=admin`, /^started$/],
    ])('says what is wrong with %s', async (_what, rest, expected) => {
      const [before = '', after = ''] = rest.includes('@') ? rest.split(/(?<=@)/) : ['', rest];
      const query = after.includes('?') ? '&' : '?';
      const uri = `mongodb://${before}${hostOf(replicaSet)}${after}${query}serverSelectionTimeoutMS=800`;
      expect(await startOn(uri)).toMatch(expected);
    });
  });

  describe.skipIf(!hasOpenssl)('with TLS (skipped without openssl)', () => {
    let directory: string;
    let own: Certificate;
    let mongod: ReplicaSet;
    beforeAll(async () => {
      directory = await mkdtemp(join(tmpdir(), 'certificates-'));
      own = makeCertificate(directory);
      mongod = await startStandalone([
        '--replSet',
        'rs0',
        '--tlsMode',
        'requireTLS',
        '--tlsCertificateKeyFile',
        own.bothFile,
      ]);
      const client = new MongoClient(`mongodb://localhost:${portOf(mongod)}/?directConnection=true`, {
        tls: true,
        tlsCAFile: own.certificateFile,
      });
      const host = `localhost:${portOf(mongod)}`;
      await client.db('admin').command({ replSetInitiate: { _id: 'rs0', members: [{ _id: 0, host }] } });
      await client.close();
    });
    afterAll(async () => {
      await mongod?.stop();
      await rm(directory, { recursive: true });
    });

    it('starts with the certificate of its authority, and otherwise says what is wrong', async () => {
      const uri = (host: string, query: string) =>
        `mongodb://${host}:${portOf(mongod)}/secrets?serverSelectionTimeoutMS=800${query}`;
      const other = makeCertificate(directory, 'other');
      expect(await startOn(uri('localhost', ''))).toMatch(/speaks TLS.*Add tls=true/);
      expect(await startOn(uri('localhost', '&replicaSet=rs0'))).toMatch(/speaks TLS.*Add tls=true/);
      expect(await startOn(uri('localhost', '&tls=true'))).toMatch(/authority that is not known here.*tlsCAFile/);
      expect(await startOn(uri('localhost', `&tls=true&tlsCAFile=${other.certificateFile}`))).toMatch(
        /authority that is not known/,
      );
      expect(await startOn(uri('127.0.0.1', `&tls=true&tlsCAFile=${own.certificateFile}`))).toMatch(
        /another name than the host/,
      );
      expect(await startOn(uri('localhost', `&tls=true&tlsCAFile=${own.certificateFile}&replicaSet=other`))).toMatch(
        /another name than replicaSet=/,
      );
      const good = `mongodb://localhost:${portOf(mongod)}/secrets?tls=true&tlsCAFile=${own.certificateFile}`;
      await expect.poll(() => startOn(good), { timeout: 20_000 }).toBe('started');
    });

    it('that asks for a certificate of the client says so', async () => {
      const strict = await startStandalone([
        ...['--tlsMode', 'requireTLS', '--tlsCertificateKeyFile', own.bothFile, '--tlsCAFile', own.certificateFile],
      ]);
      const uri = `mongodb://localhost:${portOf(strict)}/d?serverSelectionTimeoutMS=800&tls=true&tlsCAFile=${own.certificateFile}`;
      expect(await startOn(uri)).toMatch(/certificate of the client.*tlsCertificateKeyFile/);
      await strict.stop();
    });
  });
});
