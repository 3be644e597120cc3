import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestGateway } from '../support/gateway.ts';
import { createSecret, newSecret } from '../support/graphql.ts';

const viewer = '{ viewer { subject scopes teams { id role } } }';
const seconds = () => Math.floor(Date.now() / 1000);

let gateway: TestGateway;

beforeAll(async () => {
  // Wrong credentials take ten points of the rate limit, and these tests send many.
  gateway = await TestGateway.start('sqlite', { RATE_LIMIT: 'off' });
});
afterAll(() => gateway.close());

const call = (token: string, query = viewer) => gateway.run(query, {}, { token });
const withClaims = async (claims: Record<string, unknown>) => call(await gateway.issuer.token(claims));

function teamIds(count: number): string[] {
  return Array.from({ length: count }, (_, n) => n.toString(36));
}

describe('a good token', () => {
  it('gives the caller’s subject, teams and scopes', async () => {
    const { status, errors, data } = await withClaims({ teams: ['red', { id: 'blue', role: 'admin' }] });
    expect({ status, errors }).toEqual({ status: 200, errors: [] });
    expect(data.viewer).toEqual({
      subject: 'ada',
      scopes: ['secrets:read', 'secrets:write'],
      teams: [
        { id: 'red', role: 'MEMBER' },
        { id: 'blue', role: 'ADMIN' },
      ],
    });
  });

  const good: [string, Record<string, unknown>][] = [
    ['an audience in a list', { aud: ['somebody-else', 'secrets-gateway'] }],
    ['an exp less than 30 s in the past', { exp: seconds() - 15 }],
    ['an nbf less than 30 s in the future', { nbf: seconds() + 15 }],
    ['an nbf in the past', { nbf: seconds() - 15 }],
    ['no iat', { iat: undefined }],
    ['no teams and no scope', { teams: undefined, scope: undefined }],
    ['unknown claims', { nonce: 'n', cnf: { jkt: 'x' }, groups: { a: [1] } }],
    ['a subject in any language', { sub: 'Ωμέγα|数 1' }],
    ['a subject of 255 characters', { sub: 's'.repeat(255) }],
    ['1,000 teams', { teams: teamIds(1000) }],
  ];
  it.each(good)('with %s is accepted', async (_what, claims) => {
    const { errors, data } = await withClaims(claims);
    expect(errors).toEqual([]);
    expect(data.viewer.subject).toBe(claims.sub ?? 'ada');
  });

  it.each([undefined, 'at+jwt', 'AT+JWT', 'application/at+jwt', 'JWT', 'jwt'])(
    'of the type %s is accepted',
    async (typ) => {
      const token = await gateway.issuer.sign({ typ }, JSON.stringify(gateway.issuer.claims()));
      expect((await call(token)).errors).toEqual([]);
    },
  );

  it.each(['Bearer', 'bearer', 'BEARER', 'bEaReR'])('is accepted with the scheme in any case: %s', async (scheme) => {
    const headers = { authorization: `${scheme} ${await gateway.issuer.token()}` };
    expect((await gateway.run(viewer, {}, { token: null, headers })).data.viewer.subject).toBe('ada');
  });

  it('has its scopes in one string, and unknown scopes are not granted', async () => {
    const scope = 'openid secrets:read  profile SECRETS:WRITE secrets:readwrite';
    expect((await withClaims({ scope })).data.viewer.scopes).toEqual(['secrets:read']);
    expect((await withClaims({ scope: '' })).data.viewer.scopes).toEqual([]);
  });

  it('is in a team once, with the highest role, however often the team is named', async () => {
    const teams = ['a', { id: 'a', role: 'admin' }, 'a', 'b', { id: 'b' }];
    expect((await withClaims({ teams })).data.viewer.teams).toEqual([
      { id: 'a', role: 'ADMIN' },
      { id: 'b', role: 'MEMBER' },
    ]);
  });

  it('names its teams by id, or by id and role; the default role is member', async () => {
    const teams = ['a', { id: 'b' }, { id: 'c', role: 'member' }, { id: 'd', role: 'admin', more: true }];
    expect((await withClaims({ teams })).data.viewer.teams).toEqual([
      { id: 'a', role: 'MEMBER' },
      { id: 'b', role: 'MEMBER' },
      { id: 'c', role: 'MEMBER' },
      { id: 'd', role: 'ADMIN' },
    ]);
    expect((await withClaims({ teams: [] })).data.viewer.teams).toEqual([]);
  });

  it('without the scope of an operation is PERMISSION_ERROR, and the error names the scope', async () => {
    const token = await gateway.issuer.token({ scope: 'secrets:read' });
    const { status, errors } = await gateway.run(createSecret(), { input: newSecret() }, { token });
    expect(status).toBe(403);
    expect(errors[0]?.extensions).toMatchObject({ code: 'PERMISSION_ERROR', type: 'permission_error' });
    expect(errors[0]?.extensions.description).toContain('secrets:write');
    const none = await call(await gateway.issuer.token({ scope: undefined }), '{ secrets { totalCount } }');
    expect(none.errors[0]?.extensions.code).toBe('PERMISSION_ERROR');
  });
});

describe('algorithms', () => {
  it.each(['ES256', 'EdDSA', 'RS256', 'PS256'])('include %s by default', async (algorithm) => {
    const other = await TestGateway.start();
    try {
      await other.issuer.addKey('key-2', algorithm);
      expect((await other.run(viewer, {}, { token: await other.issuer.token() })).data.viewer.subject).toBe('ada');
    } finally {
      await other.close();
    }
  });

  it('are only those of JWT_ALGORITHMS when it is set', async () => {
    const strict = await TestGateway.start('sqlite', { RATE_LIMIT: 'off', JWT_ALGORITHMS: 'EdDSA' });
    try {
      expect((await strict.run(viewer)).status).toBe(401);
      await strict.stop();
      await strict.launch({ JWT_ALGORITHMS: 'EdDSA,ES256' });
      expect((await strict.run(viewer)).data.viewer.subject).toBe('ada');
    } finally {
      await strict.close();
    }
  });
});

it('the key set may be a file instead of a URL', async () => {
  const offline = await TestGateway.start();
  try {
    await offline.run(viewer);
    await offline.stop();
    offline.issuer.requests = 0;
    const file = join(offline.directory, 'jwks.json');
    await writeFile(file, JSON.stringify({ keys: [offline.issuer.publicJwk] }), { mode: 0o644 });
    await offline.launch({ JWT_JWKS_URL: '', JWT_JWKS_FILE: file });
    expect((await offline.run(viewer)).data.viewer.subject).toBe('ada');
    expect(offline.issuer.requests).toBe(0);
  } finally {
    await offline.close();
  }
});
