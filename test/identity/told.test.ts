import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TestGateway } from '../support/gateway.ts';
import { get } from '../support/http.ts';

const viewer = '{ viewer { subject } }';
const otherTeam = '{ secrets(owner: { teamId: "blue" }) { totalCount } }';

let gateway: TestGateway;
beforeEach(async () => {
  gateway = await TestGateway.start('sqlite', { RATE_LIMIT: 'off' });
});
afterEach(() => gateway.close());

async function relaunch(env: Record<string, string> = {}): Promise<void> {
  await gateway.stop();
  gateway.log.length = 0;
  await gateway.launch({ RATE_LIMIT: 'off', LOG_LEVEL: 'info', ...env });
}

const lines = () => gateway.log.map((line) => JSON.parse(line));
const linesOf = (msg: string) => lines().filter((line) => line.msg === msg);
const readyz = async () => {
  const { status, text } = await get(gateway, '/readyz');
  return { http: status, ...JSON.parse(text) };
};
const call = async (claims: Record<string, unknown> = {}, header = {}) =>
  gateway.run(viewer, {}, { token: await gateway.issuer.token(claims, header) });
const past = () => Math.floor(Date.now() / 1000) - 600;

describe('why a token is refused', () => {
  const wrong: [reason: string, make: () => string | Promise<string>][] = [
    ['audience', () => gateway.issuer.token({ aud: 'another' })],
    ['issuer', () => gateway.issuer.token({ iss: 'https://another.test' })],
    ['issuer', () => gateway.issuer.token({ iss: 'https://issuer.test/' })],
    ['expiry', () => gateway.issuer.token({ exp: past() })],
    ['typ', () => gateway.issuer.token({}, { typ: 'id+jwt' })],
    ['sub', () => gateway.issuer.token({ sub: undefined })],
    ['crit', () => gateway.issuer.sign({ crit: ['x'], x: 1 }, JSON.stringify(gateway.issuer.claims()))],
    ['kid', () => gateway.issuer.token({}, { kid: 'made-up' })],
    ['alg', () => gateway.issuer.sign({ alg: 'ES512' }, JSON.stringify(gateway.issuer.claims()))],
    ['encrypted', () => 'e30.e30.e30.e30.e30'],
    ['form', () => 'token'],
  ];

  it('is told in the log at info, and not in the answer', async () => {
    await relaunch();
    const answers = new Set<string>();
    for (const [reason, make] of wrong) {
      gateway.log.length = 0;
      const { status, text, headers } = await gateway.run(viewer, {}, { token: await make() });
      expect(status).toBe(401);
      answers.add(text.replace(headers.get('x-request-id') ?? '', ''));
      expect(linesOf('refused')).toEqual([expect.objectContaining({ level: 30, code: 'UNAUTHORIZED', reason })]);
    }
    expect(answers.size).toBe(1);
  });

  it('is told in the answer too with NODE_ENV=development', async () => {
    await relaunch({ NODE_ENV: 'development' });
    for (const [reason, make] of wrong) {
      const token = await make();
      const { status, errors, text } = await gateway.run(viewer, {}, { token });
      expect(status).toBe(401);
      expect(errors[0]?.extensions.description).toContain(`reason: ${reason}`);
      for (const part of token.split('.').filter((one) => one.length > 8)) expect(text).not.toContain(part);
    }
    const slash = await call({ iss: 'https://issuer.test/' });
    expect(slash.errors[0]?.extensions.description).toContain('slash');
    const { errors } = await gateway.run(otherTeam);
    expect(errors[0]?.extensions).toMatchObject({ code: 'FORBIDDEN', description: expect.stringContaining('"teams"') });
  });

  it('and FORBIDDEN has no hint otherwise', async () => {
    const { errors } = await gateway.run(otherTeam);
    expect(errors[0]?.extensions).toMatchObject({ code: 'FORBIDDEN' });
    expect(errors[0]?.extensions.description).toBeUndefined();
  });
});

describe('an issuer whose key set cannot be used', () => {
  async function bad(change: Partial<JWK>, alg = 'ES256'): Promise<JWK> {
    const { publicKey } = await generateKeyPair(alg, { extractable: true });
    return { ...(await exportJWK(publicKey)), kid: 'bad', ...change };
  }

  it('is told from the start, in the log with the URL and the status, at /readyz and in a metric', async () => {
    await gateway.stop();
    gateway.issuer.misbehave = (response) => response.writeHead(404).end();
    await gateway.launch({ RATE_LIMIT: 'off' });
    await expect.poll(() => linesOf('key set not loaded').length).toBeGreaterThan(0);
    expect(linesOf('key set not loaded')[0]).toMatchObject({
      level: 40,
      issuer: gateway.issuer.issuer,
      url: gateway.issuer.jwksUrl,
      status: 404,
      reason: 'status',
      hint: expect.stringContaining('Check the URL'),
    });
    expect(await readyz()).toMatchObject({ http: 503, checks: { issuer: 'failed' }, reasons: { issuer: 'status' } });
    expect((await call()).errors[0]?.extensions).toMatchObject({ code: 'BAD_GATEWAY', retryAfter: 5 });
    const metric = 'secrets_gateway_issuer_keys{issuer="https://issuer.test",usable="yes"}';
    expect((await get(gateway, '/metrics')).text).toContain(`${metric} 0`);
    // Without any token, the gateway finds that it is well again.
    gateway.issuer.misbehave = null;
    await expect.poll(async () => (await readyz()).http, { timeout: 10_000, interval: 200 }).toBe(200);
    expect((await get(gateway, '/metrics')).text).toContain(`${metric} 1`);
    expect((await call()).data.viewer.subject).toBe('ada');
  });

  it('is told for each key that cannot be used, and the others are used', async () => {
    gateway.issuer.otherKeys = [
      null,
      await bad({ use: 'SIG' }),
      await bad({ d: 'AAAA' }),
      { kty: 'RSA', x5c: ['MIIB'] },
    ];
    await relaunch();
    expect((await call()).data.viewer.subject).toBe('ada');
    expect(linesOf('keys not used')).toEqual([
      expect.objectContaining({
        level: 40,
        url: gateway.issuer.jwksUrl,
        keys: [
          { index: 0, reason: 'not-an-object' },
          { index: 1, reason: 'use' },
          { index: 2, reason: 'private' },
          { index: 3, reason: 'certificate-only' },
        ],
      }),
    ]);
    expect((await readyz()).http).toBe(200);
    expect((await get(gateway, '/metrics')).text).toContain('usable="no"} 4');
    expect((await call({}, { kid: 'bad' })).errors[0]?.extensions.code).toBe('BAD_GATEWAY');
  });
});

describe('keys', () => {
  it('may be published twice, and a token need not name one of two', async () => {
    await gateway.issuer.addKey('key-2');
    gateway.issuer.otherKeys = gateway.issuer.jwks.keys;
    await relaunch();
    expect((await call()).errors).toEqual([]);
    const token = await gateway.issuer.sign({ kid: undefined }, JSON.stringify(gateway.issuer.claims()));
    expect((await gateway.run(viewer, {}, { token })).errors).toEqual([]);
  });

  it('are found by the issuer alone', async () => {
    gateway.issuer.issuer = gateway.issuer.url;
    await relaunch({ JWT_JWKS_URL: '' });
    expect((await call()).errors).toEqual([]);
  });

  it('are not used when the discovery document has the issuer with a slash', async () => {
    gateway.issuer.issuer = gateway.issuer.url;
    gateway.issuer.discovery = { issuer: `${gateway.issuer.url}/` };
    await relaunch({ JWT_JWKS_URL: '' });
    expect((await call()).errors[0]?.extensions.code).toBe('BAD_GATEWAY');
    expect(linesOf('key set not loaded')[0]).toMatchObject({
      reason: 'issuer-slash',
      hint: expect.stringContaining('Did you mean'),
    });
  });

  it.each(['Ed25519', 'EdDSA', 'ES384', 'RS512'])('may be for %s', async (alg) => {
    await gateway.issuer.addKey('key-2', alg);
    // EdDSA is on the list from the start, and Ed25519 is its other name.
    await relaunch(alg.startsWith('Ed') ? {} : { JWT_ALGORITHMS: `${alg} ES256` });
    expect((await call()).errors).toEqual([]);
  });

  it('that are new are loaded once in 30 s; until then the answer is 401 with Retry-After', async () => {
    expect((await call()).errors).toEqual([]);
    await gateway.issuer.addKey('key-2');
    expect((await call()).errors).toEqual([]);
    await gateway.issuer.addKey('key-3');
    const { status, headers, errors } = await call();
    expect(status).toBe(401);
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    expect(Number(headers.get('retry-after'))).toBeLessThanOrEqual(30);
    expect(errors[0]?.extensions.retryAfter).toBeUndefined();
  });
});

it('a token with 200 memberships and their roles is accepted', async () => {
  const teams = Array.from({ length: 200 }, () => ({ id: crypto.randomUUID(), role: 'member' }));
  const token = await gateway.issuer.token({ teams });
  const { data } = await gateway.run('{ viewer { teams { id } } }', {}, { token });
  expect(data.viewer.teams).toHaveLength(200);
});

it('two issuers have keys and users of their own', async () => {
  const file = join(gateway.directory, 'issuers.json');
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
  await writeFile(join(gateway.directory, 'b.json'), JSON.stringify({ keys: [await exportJWK(publicKey)] }), {
    mode: 0o644,
  });
  const { issuer, jwksUrl } = gateway.issuer;
  const issuers = [
    { issuer, audience: ['secrets-gateway'], jwksUrl, subjectPrefix: 'a|' },
    { issuer: 'urn:b', audience: ['secrets-gateway'], jwksFile: 'b.json', subjectPrefix: 'b|' },
  ];
  await writeFile(file, JSON.stringify({ issuers }), { mode: 0o644 });
  await relaunch({ JWT_ISSUER: '', JWT_AUDIENCE: '', JWT_JWKS_URL: '', ISSUERS_FILE: file, RATE_LIMIT: '3/1h' });
  expect((await call()).data.viewer.subject).toBe('a|ada');
  // Signed by the first issuer, in the name of the second.
  expect((await call({ iss: 'urn:b' })).status).toBe(401);
  const token = await new SignJWT(gateway.issuer.claims({ iss: 'urn:b' }))
    .setProtectedHeader({ alg: 'ES256' })
    .sign(privateKey);
  for (const remaining of ['2', '1']) {
    const { data, headers } = await gateway.run(viewer, {}, { token });
    expect(data.viewer.subject).toBe('b|ada');
    // Each has a rate limit of its own.
    expect(headers.get('ratelimit-remaining')).toBe(remaining);
  }
  // One of the issuers fails: the gateway is ready for the users of the other, and says so.
  gateway.issuer.misbehave = (response) => response.writeHead(404).end();
  await relaunch({ JWT_ISSUER: '', JWT_AUDIENCE: '', JWT_JWKS_URL: '', ISSUERS_FILE: file });
  await expect.poll(readyz).toMatchObject({ http: 200, checks: { issuer: 'ok' }, reasons: { issuer: 'status' } });
  expect((await gateway.run(viewer, {}, { token })).data.viewer.subject).toBe('b|ada');
});
