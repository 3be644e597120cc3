import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../src/config.ts';

const jwt = {
  JWT_ISSUER: 'https://issuer.test',
  JWT_AUDIENCE: 'secrets-gateway',
  JWT_JWKS_URL: 'https://issuer.test/jwks',
};
const exposed = { ...jwt, KEYRING_FILE: '/keys/keyring.json' };

const beyond = ['0.0.0.0', '::', '10.0.0.1', '::ffff:10.0.0.1', '128.0.0.1', '1127.0.0.1', 'localhost.attacker.test'];

function refusalOf(env: Record<string, string>): string {
  try {
    return `accepted: ${JSON.stringify(readConfig(env))}`;
  } catch (error) {
    expect(error).toMatchObject({ name: 'ConfigurationError' });
    return (error as Error).message;
  }
}

describe('without any setting', () => {
  it('the gateway listens on loopback, with the embedded store, a rate limit and the development issuer', () => {
    expect(readConfig({})).toMatchObject({
      host: '127.0.0.1',
      port: 4000,
      databaseUrl: 'sqlite:.data/secrets.db',
      keyringFile: '.data/keyring.json',
      issuer: null,
      requireTls: false,
      introspection: true,
      trustProxy: false,
      rateLimit: { points: 600, windowSeconds: 60 },
      logLevel: 'info',
      production: false,
    });
  });

  it('an empty setting is the same as no setting', () => {
    const names = [
      'HOST',
      'PORT',
      'DATABASE_URL',
      'KEYRING_FILE',
      'RATE_LIMIT',
      'LOG_LEVEL',
      'NODE_ENV',
      'REQUIRE_TLS',
    ];
    for (const value of ['', '  ']) {
      expect(readConfig(Object.fromEntries(names.map((name) => [name, value])))).toEqual(readConfig({}));
    }
  });
});

describe('the development issuer', () => {
  it.each(['127.0.0.1', '127.8.9.1', '::1', 'localhost'])('is used on loopback: %s', (HOST) => {
    expect(readConfig({ HOST }).issuer).toBeNull();
  });

  it.each(beyond)('is refused beyond loopback: %s', (HOST) => {
    expect(() => readConfig({ HOST })).toThrow(/^JWT_ISSUER and JWT_AUDIENCE, or ISSUERS_FILE,/);
    expect(() => readConfig({ HOST, ...jwt })).toThrow(/^KEYRING_FILE is required/);
  });

  it.each(['x86_64-conda-linux-gnu', 'my-laptop'])(
    'is refused for a HOST that a shell set, and told so: %s',
    (HOST) => {
      for (const env of [{ HOST }, { HOST, ...jwt }]) {
        const message = refusalOf(env);
        expect(message).toMatch(/because HOST is set .*shells.*HOST=127\.0\.0\.1/);
        expect(message).not.toContain(HOST);
      }
    },
  );

  it.each(['production', 'Production', ' production '])('is refused in production: NODE_ENV=%s', (NODE_ENV) => {
    expect(() => readConfig({ NODE_ENV })).toThrow(/^JWT_ISSUER/);
    expect(() => readConfig({ NODE_ENV, ...jwt })).toThrow(/^KEYRING_FILE is required/);
  });
});

describe('everything is as in production', () => {
  const asInProduction = { production: true, requireTls: true, introspection: false };

  it.each(['production', 'Production', ' production '])('with NODE_ENV=%s', (NODE_ENV) => {
    expect(readConfig({ NODE_ENV, ...exposed })).toMatchObject(asInProduction);
  });

  it.each(beyond)('on an address beyond loopback, whatever NODE_ENV is: %s', (HOST) => {
    for (const NODE_ENV of [undefined, '', 'development', 'test', 'production']) {
      expect(readConfig({ HOST, NODE_ENV, ...exposed })).toMatchObject({ host: HOST, ...asInProduction });
    }
  });

  it.each([undefined, '', ' ', 'development', 'test', 'TEST'])('but not on loopback with NODE_ENV=%j', (NODE_ENV) => {
    expect(readConfig({ NODE_ENV, ...exposed })).toMatchObject({
      production: false,
      requireTls: false,
      introspection: true,
    });
  });

  it('but for what is set otherwise', () => {
    const config = readConfig({ NODE_ENV: 'production', REQUIRE_TLS: 'off', INTROSPECTION: 'on', ...exposed });
    expect(config).toMatchObject({ production: true, requireTls: false, introspection: true });
    expect(readConfig({ INTROSPECTION: 'off' }).introspection).toBe(false);
  });
});

describe('a setting', () => {
  const good: [Record<string, string>, Record<string, unknown>][] = [
    [{ PORT: '0' }, { port: 0 }],
    [{ PORT: ' 65535 ' }, { port: 65535 }],
    [{ RATE_LIMIT: 'off' }, { rateLimit: null }],
    [{ RATE_LIMIT: '10/5m' }, { rateLimit: { points: 10, windowSeconds: 300 } }],
    [{ RATE_LIMIT: '1/1h' }, { rateLimit: { points: 1, windowSeconds: 3600 } }],
    [{}, { brokerRateLimit: { points: 600, windowSeconds: 60 } }],
    [{ RATE_LIMIT: 'off' }, { brokerRateLimit: null }],
    [{ RATE_LIMIT: 'off', BROKER_RATE_LIMIT: '5/1m' }, { brokerRateLimit: { points: 5, windowSeconds: 60 } }],
    [{ RATE_LIMIT: '5/1m', BROKER_RATE_LIMIT: 'off' }, { brokerRateLimit: null }],
    [{ REQUIRE_TLS: 'on' }, { requireTls: true }],
    [{ ...jwt, JWT_AUDIENCE: ' one  two\tthree ' }, { issuer: { audience: ['one', 'two', 'three'] } }],
    [{ TRUST_PROXY: 'ON' }, { trustProxy: true }],
    [{ LOG_LEVEL: 'DEBUG' }, { logLevel: 'debug' }],
    [jwt, { issuer: { audience: ['secrets-gateway'] } }],
    [jwt, { issuer: { algorithms: ['ES256', 'EdDSA', 'RS256', 'PS256'], jwks: { url: jwt.JWT_JWKS_URL } } }],
    [{ ...jwt, JWT_ALGORITHMS: ' PS512,ES384  ES256' }, { issuer: { algorithms: ['PS512', 'ES384', 'ES256'] } }],
    [{ ...jwt, JWT_JWKS_URL: '', JWT_JWKS_FILE: 'jwks.json' }, { issuer: { jwks: { file: 'jwks.json' } } }],
    [{ ...jwt, JWT_JWKS_URL: 'http://127.0.0.1:9/jwks' }, { issuer: { jwks: { url: 'http://127.0.0.1:9/jwks' } } }],
    [{ ...jwt, JWT_JWKS_URL: '' }, { issuer: { jwks: null } }],
    [{ ISSUERS_FILE: 'issuers.json' }, { issuer: { issuersFile: 'issuers.json' }, hints: false }],
    [{ ...jwt, NODE_ENV: 'development' }, { hints: true }],
    [{ ...exposed, NODE_ENV: 'production' }, { hints: false }],
    [{}, { hints: true }],
    [{ ...jwt, JWT_JWKS_URL: 'http://[::1]/jwks' }, { issuer: { jwks: { url: 'http://[::1]/jwks' } } }],
    [{}, { brokerTimeoutMs: 300_000, brokerAllowPrivate: ['127.0.0.0/8', '::1'] }],
    [{ ...exposed, NODE_ENV: 'production' }, { brokerAllowPrivate: [] }],
    [{ ...exposed, HOST: '0.0.0.0' }, { brokerAllowPrivate: [] }],
    [{}, { brokerProvidersFile: null }],
    [{ BROKER_PROVIDERS_FILE: 'providers.json' }, { brokerProvidersFile: 'providers.json' }],
    [{ BROKER_TIMEOUT: '2m' }, { brokerTimeoutMs: 120_000 }],
    [
      { BROKER_ALLOW_PRIVATE: '10.0.0.0/8, fd00::/8  192.168.1.1' },
      { brokerAllowPrivate: ['10.0.0.0/8', 'fd00::/8', '192.168.1.1'] },
    ],
    [{}, { publicUrl: null }],
    [{ PUBLIC_URL: ' https://Secrets.example.com:443/ ' }, { publicUrl: 'https://secrets.example.com' }],
    [{ PUBLIC_URL: 'http://10.0.0.1:4000/a/b//' }, { publicUrl: 'http://10.0.0.1:4000/a/b' }],
    [{ CORS_ORIGINS: 'https://a.test, http://b.test:8080' }, { corsOrigins: ['https://a.test', 'http://b.test:8080'] }],
  ];
  it.each(good)('%j is read', (env, expected) => {
    expect(readConfig(env)).toMatchObject(expected);
  });

  const marker = 'hunter22';
  const bad: [variable: string, Record<string, string>][] = [
    ['PORT', { PORT: marker }],
    ['PORT', { PORT: '-1' }],
    ['PORT', { PORT: '65536' }],
    ['PORT', { PORT: '80.5' }],
    ['PORT', { PORT: '0x50' }],
    ['RATE_LIMIT', { RATE_LIMIT: marker }],
    ['RATE_LIMIT', { RATE_LIMIT: '0/60s' }],
    ['RATE_LIMIT', { RATE_LIMIT: '600/0s' }],
    // A timer of over 24.8 days would fire immediately.
    ['RATE_LIMIT', { RATE_LIMIT: '600/25h' }],
    ['RATE_LIMIT', { RATE_LIMIT: '600' }],
    ['BROKER_RATE_LIMIT', { BROKER_RATE_LIMIT: marker }],
    ['REQUIRE_TLS', { REQUIRE_TLS: marker }],
    ['TRUST_PROXY', { TRUST_PROXY: 'true' }],
    ['NODE_ENV', { NODE_ENV: marker }],
    ['INTROSPECTION', { INTROSPECTION: marker }],
    ['PORT', { PORT: '"4000"' }],
    ['NODE_ENV', { NODE_ENV: "'production'" }],
    ['DATABASE_URL', { DATABASE_URL: `"mongodb://u:${marker}@h/d"` }],
    ['DATABASE_URL', { DATABASE_URL: `“mongodb://u:${marker}@h/d”` }],
    ['DATABASE_URL', { DATABASE_URL: `mongodb://u:${marker}@h/d"` }],
    ['DATABASE_URL', { DATABASE_URL: `sqlite:${marker}.db # a comment` }],
    ['KEYRING_FILE', { KEYRING_FILE: `{"keys":[{"k":"${marker}"}]}` }],
    ['KEYRING_FILE', { KEYRING_FILE: `-----BEGIN KEY-----${marker}` }],
    ['DATABASE_URL_FILE', { DATABASE_URL_FILE: `mongodb://u:${marker}@h/d` }],
    ['DATABASE_URL_FILE', { DATABASE_URL_FILE: marker }],
    ['DATABASE_URL_FILE', { DATABASE_URL: marker, DATABASE_URL_FILE: marker }],
    ['PERSISTED_OPERATIONS', { PERSISTED_OPERATIONS: `{"${marker}":"{ a }"}` }],
    ['PUBLIC_URL', { PUBLIC_URL: marker }],
    ['PUBLIC_URL', { PUBLIC_URL: `ftp://${marker}.test` }],
    ['PUBLIC_URL', { PUBLIC_URL: `https:${marker}.test` }],
    ['PUBLIC_URL', { PUBLIC_URL: `https://u:${marker}@h.test` }],
    ['PUBLIC_URL', { PUBLIC_URL: `https://h.test/?${marker}` }],
    ['PUBLIC_URL', { PUBLIC_URL: `https://h.test/#` }],
    ['PUBLIC_URL', { PUBLIC_URL: `https://${marker}.test\\a` }],
    ['PUBLIC_URL', { PUBLIC_URL: `https://${marker}.test/graphql` }],
    ['LOG_LEVEL', { LOG_LEVEL: marker }],
    ['BATCHING', { BATCHING: marker }],
    ['CORS_ORIGINS', { CORS_ORIGINS: '*' }],
    ...['300', '0s', '25h', '1.5m', marker].map((BROKER_TIMEOUT): [string, Record<string, string>] => [
      'BROKER_TIMEOUT',
      { BROKER_TIMEOUT },
    ]),
    ...[
      '10.0.0.0/33',
      '10.0.0.0/08',
      'fd00::/129',
      '10/8',
      'localhost',
      '::ffff:10.0.0.0/104',
      'fe80::1%lo',
      marker,
    ].map((range): [string, Record<string, string>] => [
      'BROKER_ALLOW_PRIVATE',
      { BROKER_ALLOW_PRIVATE: `192.168.0.0/16 ${range}` },
    ]),
    ['CORS_ORIGINS', { CORS_ORIGINS: `https://${marker}.test/path` }],
    ['CORS_ORIGINS', { CORS_ORIGINS: 'null' }],
    ['JWT_ISSUER', { ...jwt, JWT_ISSUER: '' }],
    ['JWT_ISSUER', { JWT_AUDIENCE: marker }],
    ['JWT_ISSUER', { JWT_JWKS_URL: `https://${marker}.test/jwks` }],
    ['JWT_ISSUER', { JWT_JWKS_FILE: marker }],
    ['JWT_ISSUER', { JWT_ALGORITHMS: 'ES256' }],
    ['JWT_ALGORITHMS', { JWT_ALGORITHMS: 'HS256' }],
    ['JWT_AUDIENCE', { ...jwt, JWT_AUDIENCE: '' }],
    ['JWT_JWKS_URL', { ...jwt, JWT_ISSUER: marker, JWT_JWKS_URL: '' }],
    ['JWT_JWKS_URL', { ...jwt, JWT_ISSUER: `http://${marker}.test`, JWT_JWKS_URL: '' }],
    ['JWT_ALGORITHMS', { ...jwt, JWT_ALGORITHMS: 'rs256' }],
    ['ISSUERS_FILE', { ...jwt, ISSUERS_FILE: 'issuers.json' }],
    ['JWT_JWKS_FILE', { ...jwt, JWT_JWKS_FILE: marker }],
    ['JWT_JWKS_URL', { ...jwt, JWT_JWKS_URL: marker }],
    ['JWT_JWKS_URL', { ...jwt, JWT_JWKS_URL: `http://${marker}.test/jwks` }],
    ['JWT_JWKS_URL', { ...jwt, JWT_JWKS_URL: 'http://127.0.0.1.attacker.test/jwks' }],
    ['JWT_JWKS_URL', { ...jwt, JWT_JWKS_URL: `file:///${marker}` }],
    ['JWT_JWKS_URL', { ...jwt, JWT_JWKS_URL: `https://user:${marker}@issuer.test/jwks` }],
    ['JWT_ALGORITHMS', { ...jwt, JWT_ALGORITHMS: 'none' }],
    ['JWT_ALGORITHMS', { ...jwt, JWT_ALGORITHMS: 'HS256' }],
    ['JWT_ALGORITHMS', { ...jwt, JWT_ALGORITHMS: `ES256 ${marker}` }],
    ['JWT_ALGORITHMS', { ...jwt, JWT_ALGORITHMS: ',' }],
  ];
  it.each(bad)('%s is refused with its name, without its value: %j', (variable, env) => {
    const message = refusalOf(env);
    expect(message).toMatch(new RegExp(`^[^.]*\\b${variable}\\b`));
    expect(message).not.toContain(marker);
    // What is wrong, and then the fix.
    expect(message).toMatch(/\b(Set|set|Leave|Use|must|Put)\b/);
  });
});

describe('a setting in a file', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'config-'));
  });
  afterAll(() => rm(directory, { recursive: true }));

  async function fileOf(content: string): Promise<Record<string, string>> {
    const path = join(directory, randomUUID());
    await writeFile(path, content, { mode: 0o600 });
    return { DATABASE_URL_FILE: path };
  }

  it.each([
    ['sqlite:a.db', 'sqlite:a.db'],
    ['sqlite:a.db\n', 'sqlite:a.db'],
    ['sqlite:a.db\r\n', 'sqlite:a.db'],
    ['sqlite:a.db\n\n', 'sqlite:a.db\n'],
    [' sqlite:a.db ', ' sqlite:a.db '],
  ])('is its content without one newline at the end: %j', async (content, expected) => {
    expect(readConfig(await fileOf(content)).databaseUrl).toBe(expected);
  });

  it.each([
    ['', /empty/],
    ['\n', /empty/],
    ['"sqlite:hunter22"\n', /quotes/],
    ['hunter22'.repeat(10_000), /larger/],
  ])('is refused without its content: %#', async (content, what) => {
    const message = refusalOf(await fileOf(content));
    expect(message).toMatch(/\bDATABASE_URL_FILE\b/);
    expect(message).toMatch(what);
    expect(message).not.toContain('hunter22');
  });
});
