import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { readIssuersFile } from '../../src/identity/issuers-file.ts';

let directory: string;
let path: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'issuers-file-'));
  path = join(directory, 'issuers.json');
});
afterAll(() => rm(directory, { recursive: true }));

async function read(content: unknown) {
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content), { mode: 0o644 });
  return readIssuersFile(path);
}

async function refusalOf(content: unknown): Promise<string> {
  const error = await read(content).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ name: 'ConfigurationError' });
  const { message } = error as Error;
  expect(message.startsWith(`ISSUERS_FILE ${path}: `)).toBe(true);
  return message.slice(`ISSUERS_FILE ${path}: `.length);
}

const good = { issuer: 'https://issuer.test/', audience: ['secrets-gateway'] };

/** Everything is set. */
const whole = {
  ...good,
  audienceClaim: '/aud',
  jwksUrl: 'https://issuer.test/jwks',
  algorithms: ['RS256'],
  allowHttp: false,
  subject: '/sub',
  subjectPrefix: 'okta|',
  scopes: ['/scope', '/scp'],
  scopePrefix: 'secrets-api/',
  scopeMap: { access_as_user: ['secrets:read'] },
  teams: ['/teams', '/https:~1~1example.com~1teams'],
  teamPrefix: '',
  roleMap: { owner: 'admin' },
  grants: [
    {
      subject: 'system:serviceaccount:prod:*',
      teams: [{ id: 'payments', role: 'member' }],
      scopes: ['secrets:resolve'],
    },
    { subject: 'ada', teams: [{ id: 'red' }] },
  ],
};

describe('ISSUERS_FILE', () => {
  it('may say no more than the issuer and its audience', async () => {
    expect(await read({ issuers: [good] })).toEqual([
      {
        ...good,
        audienceClaim: ['aud'],
        jwks: null,
        algorithms: ['ES256', 'EdDSA', 'RS256', 'PS256'],
        allowHttp: false,
        claims: {
          subject: ['sub'],
          subjectPrefix: '',
          scopes: [['scope'], ['scp']],
          scopePrefix: '',
          scopeMap: new Map(),
          teams: [['teams']],
          teamPrefix: '',
          roleMap: new Map(),
          grants: [],
        },
      },
    ]);
  });

  it('may say everything, and begin with a byte order mark', async () => {
    const [settings] = await read(`\uFEFF${JSON.stringify({ issuers: [whole] })}`);
    expect(settings).toMatchObject({
      jwks: { url: 'https://issuer.test/jwks' },
      claims: {
        subjectPrefix: 'okta|',
        scopeMap: new Map([['access_as_user', ['secrets:read']]]),
        teams: [['teams'], ['https://example.com/teams']],
        roleMap: new Map([['owner', 'admin']]),
        grants: [{ subject: 'system:serviceaccount:prod:*' }, { teams: [{ id: 'red', role: 'member' }], scopes: [] }],
      },
    });
  });

  it.each<[string, object]>([
    [
      'several issuers, each with a prefix',
      {
        issuers: [
          { ...good, subjectPrefix: 'a|' },
          { ...good, issuer: 'urn:ci', jwksFile: 'a.json', subjectPrefix: 'b|' },
        ],
      },
    ],
    ['keys over HTTP on loopback', { issuers: [{ ...good, jwksUrl: 'http://127.0.0.1:9/jwks' }] }],
    [
      'keys over HTTP where it is allowed',
      { issuers: [{ ...good, jwksUrl: 'http://keycloak:8080/jwks', allowHttp: true }] },
    ],
    [
      'an issuer in the cluster where it is allowed',
      { issuers: [{ ...good, issuer: 'http://keycloak:8080/realms/a', allowHttp: true }] },
    ],
    ['no claim for scopes and teams', { issuers: [{ ...good, scopes: [], teams: [] }] }],
    ['a grant for everybody', { issuers: [{ ...good, grants: [{ subject: '*', scopes: ['secrets:read'] }] }] }],
  ])('may have %s', async (_what, content) => {
    expect((await read(content)).length).toBeGreaterThan(0);
  });

  it('finds a file of keys from its own folder', async () => {
    expect((await read({ issuers: [{ ...good, jwksFile: 'keys.json' }] }))[0]?.jwks).toEqual({
      file: join(directory, 'keys.json'),
      variable: `ISSUERS_FILE ${path}: /issuers/0/jwksFile`,
    });
  });
});

describe('a mistake in ISSUERS_FILE is told with its place, the rule and the fix', () => {
  const marker = 'hunter22';
  const one = (changes: object) => ({ issuers: [{ ...good, ...changes }] });
  const two = (first: object, second: object) => ({
    issuers: [
      { ...good, ...first },
      { ...good, issuer: 'https://other.test', ...second },
    ],
  });
  const grant = (changes: object) => one({ grants: [{ subject: 'ada', scopes: ['secrets:read'], ...changes }] });

  it.each<[unknown, RegExp]>([
    [
      '{"issuers":[{"issuer":"https://issuer.test","audience":["a"],"audience":["b"]}]}',
      /^\/issuers\/0\/audience is there twice\. Leave one of them\.$/,
    ],
    [
      `{"issuers":[{"scopeMap":{"${marker} ${marker}":[],"${marker} ${marker}":[]}}]}`,
      /^\/issuers\/0\/scopeMap: a member is there twice/,
    ],
    ['', /^it is not JSON.*Put/],
    [`{"issuers":[\n{"issuer": ${marker}}]}`, /^it is not JSON/],
    [`{"issuers":[\n{"issuer": "${marker}",}]}`, /^it is not JSON.*line 2/],
    ['null', /^The file must be an object/],
    ['[]', /^The file must be an object/],
    [{}, /^\/issuers is missing/],
    [{ issuers: {} }, /^\/issuers must be a list/],
    [{ issuers: [] }, /^\/issuers must name an issuer/],
    [{ issuers: [good], isuers: 1 }, /^\/isuers is not known\. Did you mean issuers\?/],
    [{ issuers: [marker] }, /^\/issuers\/0 must be an object/],
    [one({ issuer: undefined }), /^\/issuers\/0\/issuer is missing/],
    [one({ issuer: 7 }), /^\/issuers\/0\/issuer must be/],
    [one({ issuer: '' }), /^\/issuers\/0\/issuer must be/],
    [one({ issuer: marker }), /^\/issuers\/0\/issuer must be an https: URL.*jwksUrl or jwksFile/],
    [one({ issuer: 'http://keycloak:8080' }), /^\/issuers\/0\/issuer must be an https: URL.*allowHttp/],
    [one({ audience: undefined }), /^\/issuers\/0\/audience is missing/],
    [one({ audience: marker }), /^\/issuers\/0\/audience must be a list/],
    [one({ audience: [] }), /^\/issuers\/0\/audience must name/],
    [one({ audience: [7] }), /^\/issuers\/0\/audience\/0 must be/],
    [one({ audiance: ['x'] }), /^\/issuers\/0\/audiance is not known\. Did you mean audience\?/],
    [one({ jwks_url: 'x' }), /^\/issuers\/0\/jwks_url is not known\. Did you mean jwksUrl/],
    [one({ zzz: 1 }), /^\/issuers\/0\/zzz is not known\. There are: issuer, audience,/],
    [one({ [`${marker} {`]: 1 }), /^\/issuers\/0: a member is not known/],
    [one({ audienceClaim: 'client_id' }), /^\/issuers\/0\/audienceClaim must be a JSON Pointer.*"\/scope"/],
    [one({ subject: '' }), /^\/issuers\/0\/subject must be a JSON Pointer/],
    [one({ scopes: '/scope' }), /^\/issuers\/0\/scopes must be a list of JSON Pointers/],
    [one({ scopes: ['/scope', '/a~2'] }), /^\/issuers\/0\/scopes\/1 must be a JSON Pointer/],
    [one({ teams: [7] }), /^\/issuers\/0\/teams\/0 must be a JSON Pointer/],
    [one({ jwksUrl: `http://${marker}.test/jwks` }), /^\/issuers\/0\/jwksUrl must be an https: URL.*"allowHttp": true/],
    [one({ jwksUrl: `https://u:${marker}@issuer.test/jwks` }), /^\/issuers\/0\/jwksUrl must be an https: URL/],
    [one({ jwksUrl: `file:///${marker}`, allowHttp: true }), /^\/issuers\/0\/jwksUrl must be/],
    [one({ jwksUrl: 'https://issuer.test/jwks', jwksFile: 'a.json' }), /^\/issuers\/0\/jwksFile .*Leave one/],
    [one({ allowHttp: 'true' }), /^\/issuers\/0\/allowHttp must be true or false/],
    [one({ algorithms: ['rs256'] }), /^\/issuers\/0\/algorithms\/0 must be one of: .*Did you mean RS256/],
    [one({ algorithms: ['HS256'] }), /^\/issuers\/0\/algorithms\/0 must be one of/],
    [one({ algorithms: [] }), /^\/issuers\/0\/algorithms must name/],
    [one({ subjectPrefix: 7 }), /^\/issuers\/0\/subjectPrefix must be text/],
    [one({ subjectPrefix: 'x'.repeat(101) }), /^\/issuers\/0\/subjectPrefix must be text of at most 100/],
    [one({ scopeMap: { x: 'secrets:read' } }), /^\/issuers\/0\/scopeMap\/x must be a list of scopes/],
    [
      one({ scopeMap: { 'a/b': ['secrets:reed'] } }),
      /^\/issuers\/0\/scopeMap\/a~1b\/0 must be one of: .*Did you mean secrets:read/,
    ],
    [
      one({ roleMap: { owner: 'Admin' } }),
      /^\/issuers\/0\/roleMap\/owner must be one of: admin, member\. Did you mean admin/,
    ],
    [one({ grants: {} }), /^\/issuers\/0\/grants must be a list/],
    [grant({ subject: undefined }), /^\/issuers\/0\/grants\/0\/subject is missing/],
    [grant({ subject: 'a*b' }), /^\/issuers\/0\/grants\/0\/subject must have no \* but one at its end/],
    [grant({ subject: 'a**' }), /^\/issuers\/0\/grants\/0\/subject must have no \*/],
    [grant({ scopes: [] }), /^\/issuers\/0\/grants\/0 grants nothing/],
    [grant({ scopes: ['admin'] }), /^\/issuers\/0\/grants\/0\/scopes\/0 must be one of/],
    [grant({ teams: ['red'] }), /^\/issuers\/0\/grants\/0\/teams\/0 must be an object/],
    [grant({ teams: [{ id: '' }] }), /^\/issuers\/0\/grants\/0\/teams\/0\/id must be a team’s id/],
    [
      grant({ teams: [{ id: 'a', rol: 'x' }] }),
      /^\/issuers\/0\/grants\/0\/teams\/0\/rol is not known\. Did you mean role/,
    ],
    [grant({ scope: ['x'] }), /^\/issuers\/0\/grants\/0\/scope is not known\. Did you mean scopes/],
    [two({}, { subjectPrefix: 'b|' }), /^\/issuers\/0\/subjectPrefix must not be empty/],
    [two({ subjectPrefix: 'a' }, {}), /^\/issuers\/1\/subjectPrefix must not be empty/],
    [two({ subjectPrefix: 'a|' }, { subjectPrefix: 'a|' }), /^\/issuers\/0\/subjectPrefix begins with that of another/],
    [two({ subjectPrefix: 'a' }, { subjectPrefix: 'ab' }), /^\/issuers\/1\/subjectPrefix begins with that of another/],
    [
      two({ subjectPrefix: 'a|' }, { issuer: good.issuer, subjectPrefix: 'b|' }),
      /^\/issuers\/1\/issuer is that of an earlier entry/,
    ],
  ])('%j', async (content, expected) => {
    const message = await refusalOf(content);
    expect(message).toMatch(expected);
    expect(message).not.toContain(marker);
  });

  it('five at once', async () => {
    const message = await refusalOf(one({ a1: 1, b2: 1, c3: 1, d4: 1, e5: 1, f6: 1 }));
    expect(message.match(/is not known/g)).toHaveLength(5);
  });
});

describe('beside JWT_…', () => {
  it.each(['JWT_ISSUER', 'JWT_AUDIENCE', 'JWT_JWKS_URL', 'JWT_JWKS_FILE', 'JWT_ALGORITHMS'])(
    '%s is refused',
    (name) => {
      expect(() => readConfig({ ISSUERS_FILE: 'issuers.json', [name]: 'x' })).toThrow(
        /^ISSUERS_FILE and JWT_… are both set/,
      );
    },
  );

  it('it stands for them in production', () => {
    const config = readConfig({ NODE_ENV: 'production', KEYRING_FILE: 'k.json', ISSUERS_FILE: 'issuers.json' });
    expect(config).toMatchObject({ production: true, issuer: { issuersFile: 'issuers.json' } });
  });
});
