import { describe, expect, it } from 'vitest';
import type { ClaimMapping } from '../../src/identity/claim-mapping.ts';
import { principalOfClaims, usualClaims } from '../../src/identity/claims.ts';
import { isIdentifier } from '../../src/identity/identifier.ts';
import { type Membership, type Scope, scopes } from '../../src/model/principal.ts';

const principalOf = (claims: Record<string, unknown>, mapping: Partial<ClaimMapping> = {}) =>
  principalOfClaims({ sub: 'ada', ...claims }, { ...usualClaims, ...mapping });
const refused = expect.objectContaining({ code: 'UNAUTHORIZED' });
const member = (id: string) => ({ id, role: 'member' });
const admin = (id: string) => ({ id, role: 'admin' });

describe('the subject', () => {
  it.each(['ada', ' ', 'apiKey ada', 'a'.repeat(255), 'Ключ 🔑', '__proto__'])('is the sub claim: %s', (sub) => {
    expect(principalOf({ sub })).toMatchObject({ kind: 'user', subject: sub });
  });

  it.each([undefined, null, '', 7, true, ['ada'], { id: 'ada' }, 'a'.repeat(256), 'a\uD83D'])(
    'cannot be %j: the token is refused',
    (sub) => {
      expect(() => principalOf({ sub })).toThrow(refused);
      expect(() => principalOf({ sub }, { subjectPrefix: 'okta|' })).toThrow(refused);
    },
  );

  it('is always that of a user, whatever the other claims say', () => {
    expect(principalOf({ kind: 'apiKey', subject: 'eve', scopes: ['secrets:read'] })).toEqual({
      kind: 'user',
      subject: 'ada',
      teams: [],
      scopes: new Set(),
    });
  });

  it('is where the mapping says, with its prefix', () => {
    const mapping = { subject: ['act', 'sub'], subjectPrefix: 'okta|' };
    expect(principalOf({ act: { sub: 'eve' } }, mapping).subject).toBe('okta|eve');
    expect(() => principalOf({}, mapping)).toThrow(refused);
    expect(() => principalOf({ act: { sub: 'e'.repeat(251) } }, mapping)).toThrow(refused);
  });
});

describe('the scopes', () => {
  const granted = (claims: Record<string, unknown>, mapping: Partial<ClaimMapping> = {}) => [
    ...principalOf(claims, mapping).scopes,
  ];

  it.each<[string, unknown, string[]]>([
    ['nothing, without the claim', undefined, []],
    ['nothing, when the claim is empty', '', []],
    ['one', 'secrets:read', ['secrets:read']],
    ['all', scopes.join(' '), [...scopes]],
    ['each once', 'secrets:read secrets:read', ['secrets:read']],
    ['the known ones beside unknown ones', 'openid secrets:write email', ['secrets:write']],
    ['the ones between extra spaces', '  secrets:read   secrets:write ', ['secrets:read', 'secrets:write']],
    ['those between commas', 'openid,secrets:read, secrets:write', ['secrets:read', 'secrets:write']],
    ['those of a list', ['openid', 'secrets:read'], ['secrets:read']],
    ['those of a list of one text', ['secrets:read secrets:write'], ['secrets:read', 'secrets:write']],
    ['the keys of an object', { 'secrets:read': true, openid: {} }, ['secrets:read']],
    [
      'nothing for what an object switches off',
      { 'secrets:read': false, 'secrets:write': null, 'keys:manage': 'no' },
      [],
    ],
    ['nothing for what is no text in a list', [['secrets:read'], { name: 'secrets:read' }, 7, null], []],
    ['nothing for another case', 'SECRETS:READ Secrets:write', []],
    ['nothing for a part of a scope', 'secrets secrets: read secrets:rea secrets:reads', []],
    ['nothing for a wildcard', '* secrets:*', []],
    ['nothing for a tab or a line end', 'secrets:read\tsecrets:write secrets:resolve\n', []],
    ['nothing for a number', 7, []],
    ['nothing for true', true, []],
    ['nothing for null', null, []],
  ])('grant %s', (_what, scope, expected) => {
    expect(granted({ scope })).toEqual(expected);
    expect(granted({ scp: scope })).toEqual(expected);
  });

  it('are those of the first claim that is there', () => {
    expect(granted({ scope: 'secrets:read', scp: 'secrets:write' })).toEqual(['secrets:read']);
    expect(granted({ scope: '', scp: 'secrets:write' })).toEqual([]);
    expect(granted({ scope: 7, scp: 'secrets:write' })).toEqual([]);
    expect(granted({ scope: null, scp: 'secrets:write' })).toEqual(['secrets:write']);
  });

  it('are where the mapping says', () => {
    const at = (...pointer: string[]) => ({ scopes: [pointer] });
    expect(granted({ permissions: ['secrets:read'] }, at('permissions'))).toEqual(['secrets:read']);
    const access = { 'a/b': { roles: ['secrets:write'] } };
    expect(granted({ resource_access: access }, at('resource_access', 'a/b', 'roles'))).toEqual(['secrets:write']);
    expect(granted({ scope: 'secrets:read' }, at('constructor', 'name'))).toEqual([]);
    expect(granted({ list: ['x', 'secrets:read'] }, at('list', '1'))).toEqual(['secrets:read']);
    expect(granted({ list: ['x', 'secrets:read'] }, at('list', '01'))).toEqual([]);
  });

  it('lose their prefix, and count with it alone', () => {
    const scopePrefix = 'https://secrets.example.com/';
    const scope = `${scopePrefix}secrets:read secrets:write ${scopePrefix}${scopePrefix}keys:manage`;
    expect(granted({ scope }, { scopePrefix })).toEqual(['secrets:read']);
  });

  it('have the meaning that the mapping gives them, instead of their own', () => {
    const scopeMap = new Map<string, Scope[]>([
      ['access_as_user', ['secrets:read', 'secrets:write']],
      ['secrets:resolve', []],
    ]);
    const scope = 'access_as_user secrets:resolve keys:manage';
    expect(granted({ scope }, { scopeMap })).toEqual(['secrets:read', 'secrets:write', 'keys:manage']);
    const prefixed = { scope: 'api://x/access_as_user' };
    expect(granted(prefixed, { scopeMap, scopePrefix: 'api://x/' })).toEqual(['secrets:read', 'secrets:write']);
  });
});

describe('the teams', () => {
  it.each<[string, unknown, unknown[]]>([
    ['none, without the claim', undefined, []],
    ['none, when the list is empty', [], []],
    ['a member’s, by id', ['red'], [member('red')]],
    ['a member’s, by object', [{ id: 'red' }], [member('red')]],
    [
      'by role',
      [
        { id: 'red', role: 'admin' },
        { id: 'blue', role: 'member' },
      ],
      [admin('red'), member('blue')],
    ],
    ['in any mix', ['red', { id: 'blue', role: 'admin' }], [member('red'), admin('blue')]],
    ['an admin’s, when both roles are named', ['red', { id: 'red', role: 'admin' }], [admin('red')]],
    ['an admin’s, in either order', [{ id: 'red', role: 'admin' }, 'red'], [admin('red')]],
    ['distinguished by case', ['red', 'RED'], [member('red'), member('RED')]],
    ['without other members of an object', [{ id: 'red', name: 'Red', scopes: ['x'] }], [member('red')]],
    ['by number', [42, { id: 7, role: 'admin' }], [member('42'), admin('7')]],
    ['one, by text', 'red', [member('red')]],
    ['several, by text', 'red,blue green', [member('red'), member('blue'), member('green')]],
    ['one, by number', 42, [member('42')]],
    [
      'the keys of an object',
      { red: 'admin', blue: 'owner', green: true },
      [admin('red'), member('blue'), member('green')],
    ],
    ['by the roles in an object', { red: { role: 'admin' }, blue: {} }, [admin('red'), member('blue')]],
    ['without those that an object switches off', { red: false, blue: null, green: 'none', pink: '', grey: 0 }, []],
    ['one, by object', { id: 'red', role: 'admin' }, [admin('red')]],
    [
      'a member’s for a role that is not known',
      [
        { id: 'red', role: 'owner' },
        { id: 'blue', role: 'org:admin' },
      ],
      [member('red'), member('blue')],
    ],
    ['a member’s for a role in another case', [{ id: 'red', role: 'Admin' }], [member('red')]],
    [
      'a member’s for a role that is no text',
      [
        { id: 'red', role: ['admin'] },
        { id: 'blue', role: null },
      ],
      [member('red'), member('blue')],
    ],
    ['a member’s for a role that every object has', [{ id: 'red', role: 'constructor' }], [member('red')]],
    ['those beside an empty id', ['red', ''], [member('red')]],
    ['those beside null', ['red', null, undefined, true], [member('red')]],
    ['those beside a list', ['red', ['blue']], [member('red')]],
    ['those beside an object without an id', ['red', { role: 'admin' }], [member('red')]],
    ['those beside an id of 256 characters', ['red', 'a'.repeat(256), { id: 'a'.repeat(256) }], [member('red')]],
    ['those beside an id that is not well-formed', ['red', 'a\uD83D', { id: 'a\uD83D' }], [member('red')]],
    ['those beside numbers that count nothing', ['red', -1, 1.5, 2 ** 53], [member('red')]],
    ['none, when an object could be one membership or many', { id: 'red', blue: 'admin' }, []],
    ['none, for true', true, []],
    [
      '1,000 at most',
      Array.from({ length: 1001 }, (_, n) => `t${n}`),
      Array.from({ length: 1000 }, (_, n) => member(`t${n}`)),
    ],
  ])('are %s', (_what, teams, memberships) => {
    expect(principalOf({ teams }).teams).toEqual(memberships);
  });

  it('are where the mapping says, in turn', () => {
    const teams = [['https://example.com/teams'], ['app_metadata', 'teams'], ['groups']];
    expect(principalOf({ groups: ['red'] }, { teams }).teams).toEqual([member('red')]);
    expect(principalOf({ groups: ['red'], app_metadata: { teams: ['blue'] } }, { teams }).teams).toEqual([
      member('blue'),
    ]);
    expect(principalOf({ groups: ['red'], 'https://example.com/teams': [] }, { teams }).teams).toEqual([]);
    expect(principalOf({ teams: ['red'] }, { teams }).teams).toEqual([]);
  });

  it('have the prefix and the roles of the mapping', () => {
    const mapping = {
      teamPrefix: 'acme/',
      roleMap: new Map([
        ['org:admin', 'admin'],
        ['admin', 'member'],
      ] as const),
    };
    const teams = [
      { id: 'red', role: 'org:admin' },
      { id: 'blue', role: 'admin' },
      { id: 'x'.repeat(251), role: 'org:admin' },
    ];
    expect(principalOf({ teams }, mapping).teams).toEqual([admin('acme/red'), member('acme/blue')]);
  });
});

describe('grants', () => {
  const grants = [
    { subject: 'ada', teams: [{ id: 'red', role: 'admin' as const }], scopes: ['secrets:read' as const] },
    {
      subject: 'system:prod:*',
      teams: [{ id: 'payments', role: 'member' as const }],
      scopes: ['secrets:resolve' as const],
    },
  ];
  const mapping = { grants, subjectPrefix: 'k8s|', teamPrefix: 'x/' };

  it.each<[string, Membership[], Scope[]]>([
    ['ada', [{ id: 'red', role: 'admin' }], ['secrets:read']],
    ['ada2', [], []],
    ['k8s|ada', [], []],
    ['system:prod:api', [{ id: 'payments', role: 'member' }], ['secrets:resolve']],
    ['system:prod:', [{ id: 'payments', role: 'member' }], ['secrets:resolve']],
    ['system:prod', [], []],
    ['system:production:api', [], []],
    ['x system:prod:api', [], []],
  ])('give a subject its rights by what the token calls it: %s', (sub, teams, granted) => {
    expect(principalOf({ sub }, mapping)).toEqual({
      kind: 'user',
      subject: `k8s|${sub}`,
      teams,
      scopes: new Set(granted),
    });
  });

  it('count beside what the token says', () => {
    const principal = principalOf({ teams: ['blue'], scope: 'secrets:write' }, { grants });
    expect(principal.teams).toEqual([admin('red'), member('blue')]);
    expect([...principal.scopes]).toEqual(['secrets:read', 'secrets:write']);
  });
});

it.each<[unknown, boolean]>([
  ['a', true],
  ['a'.repeat(255), true],
  ['a'.repeat(256), false],
  ['', false],
  ['\uDC00', false],
  [undefined, false],
  [{ length: 1 }, false],
])('an identifier has 1 to 255 characters of well-formed text: %j', (value, is) => {
  expect(isIdentifier(value)).toBe(is);
});
