import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isIdentifier, principalOfClaims } from '../../src/identity/claims.ts';
import { type Principal, scopes } from '../../src/model/principal.ts';

const principalOf = (claims: Record<string, unknown>) => principalOfClaims({ sub: 'ada', ...claims });
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
});

describe('the scopes', () => {
  it.each<[string, unknown, string[]]>([
    ['nothing, without the claim', undefined, []],
    ['nothing, when the claim is empty', '', []],
    ['one', 'secrets:read', ['secrets:read']],
    ['all', scopes.join(' '), [...scopes]],
    ['each once', 'secrets:read secrets:read', ['secrets:read']],
    ['the known ones beside unknown ones', 'openid secrets:write email', ['secrets:write']],
    ['the ones between extra spaces', '  secrets:read   secrets:write ', ['secrets:read', 'secrets:write']],
    ['nothing for another case', 'SECRETS:READ Secrets:write', []],
    ['nothing for a part of a scope', 'secrets secrets: read secrets:rea secrets:reads', []],
    ['nothing for a wildcard', '* secrets:*', []],
    ['nothing for another separator', 'secrets:read,secrets:write', []],
    ['nothing for a tab or a line end', 'secrets:read\tsecrets:write secrets:resolve\n', []],
  ])('grant %s', (_what, scope, granted) => {
    expect([...principalOf({ scope }).scopes]).toEqual(granted);
  });

  it.each([null, 7, true, {}, { 'secrets:read': true }])('cannot be %j: the token is refused', (scope) => {
    expect(() => principalOf({ scope })).toThrow(refused);
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
    [
      '1,000 at most',
      Array.from({ length: 1000 }, (_, n) => `t${n}`),
      Array.from({ length: 1000 }, (_, n) => member(`t${n}`)),
    ],
  ])('are %s', (_what, teams, memberships) => {
    expect(principalOf({ teams }).teams).toEqual(memberships);
  });

  it.each([
    ['null', null],
    ['a string', 'red'],
    ['an object', { red: 'admin' }],
    ['a list with an empty id', ['red', '']],
    ['a list with a number', [7]],
    ['a list with null', ['red', null]],
    ['a list of lists', [['red']]],
    ['an object without an id', [{ role: 'admin' }]],
    ['an id that is not a string', [{ id: 7 }]],
    ['an id of 256 characters', ['a'.repeat(256)]],
    ['an id that is not well-formed', ['a\uD83D']],
    ['an object with an empty id', [{ id: '' }]],
    ['an object with an id of 256 characters', [{ id: 'a'.repeat(256) }]],
    ['an object with an id that is not well-formed', [{ id: 'a\uD83D' }]],
    ['a role that is not known', [{ id: 'red', role: 'owner' }]],
    ['a role in another case', [{ id: 'red', role: 'Admin' }]],
    ['a role that is null', [{ id: 'red', role: null }]],
    ['roles in a list', [{ id: 'red', role: ['admin'] }]],
    ['more than 1,000', Array(1001).fill('red')],
  ])('cannot be %s: the token is refused', (_what, teams) => {
    expect(() => principalOf({ teams })).toThrow(refused);
  });
});

describe('for any claims', () => {
  const words = fc.constantFrom('red', 'blue', 'admin', 'member', 'owner', '', ...scopes, 'secrets:read secrets:write');
  const json = fc.oneof(words, fc.jsonValue({ maxDepth: 3 }));
  const team = fc.oneof(words, fc.record({ id: json, role: json }, { requiredKeys: [] }), json);
  const claims = fc.record(
    {
      sub: fc.oneof({ weight: 5, arbitrary: fc.constant('ada') }, json),
      scope: fc.oneof(
        fc.array(words).map((list) => list.join(' ')),
        json,
      ),
      teams: fc.oneof({ weight: 5, arbitrary: fc.array(fc.oneof(words.filter(Boolean), team)) }, json),
      roles: json,
      groups: json,
    },
    { requiredKeys: ['sub'] },
  );

  /** The principal, or null for a token that is refused with UNAUTHORIZED. Any other error is a defect. */
  function read(sent: Record<string, unknown>): Principal | null {
    try {
      return principalOfClaims(sent);
    } catch (error) {
      expect(error).toEqual(refused);
      return null;
    }
  }

  it('the principal is a user with exactly this subject, or the token is refused', () => {
    fc.assert(
      fc.property(claims, (sent) => {
        const principal = read(sent);
        if (principal) expect(principal).toMatchObject({ kind: 'user', subject: sent.sub });
      }),
      { numRuns: 500 },
    );
  });

  it('only scopes that the claim names are granted', () => {
    fc.assert(
      fc.property(claims, (sent) => {
        for (const scope of read(sent)?.scopes ?? []) {
          expect(scopes).toContain(scope);
          expect([sent.scope].flat().join(' ').split(' ')).toContain(scope);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('only teams and roles that the claim names are granted', () => {
    fc.assert(
      fc.property(claims, (sent) => {
        const principal = read(sent);
        const named: unknown[] = Array.isArray(sent.teams) ? sent.teams : [];
        for (const { id, role } of principal?.teams ?? []) {
          const of = named.filter((entry) => entry === id || (entry as { id?: unknown } | null)?.id === id);
          expect(of).not.toEqual([]);
          if (role === 'admin') expect(of).toContainEqual(expect.objectContaining({ role: 'admin' }));
        }
        expect(new Set(principal?.teams.map(({ id }) => id)).size).toBe(principal?.teams.length ?? 0);
      }),
      { numRuns: 500 },
    );
  });

  it('claims with other names grant nothing', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), json), (others) => {
        const { sub: _sub, scope: _scope, teams: _teams, ...unknown } = others;
        expect(principalOf(unknown)).toEqual({ kind: 'user', subject: 'ada', teams: [], scopes: new Set() });
      }),
    );
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
