import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { authenticated, authorize, mayReach, requireScope, unauthorized } from '../../src/identity/authorize.ts';
import type { Caller } from '../../src/model/caller.ts';
import type { Owner } from '../../src/model/owner.ts';
import { type Principal, type PrincipalKind, type Role, type Scope, scopes } from '../../src/model/principal.ts';
import { Answer } from '../../src/runtime/answer.ts';

const user = (userId: string): Owner => ({ type: 'user', userId });
const team = (teamId: string): Owner => ({ type: 'team', teamId });
const connector = (teamId: string, connectorId: string): Owner => ({ type: 'connector', teamId, connectorId });

function principal(kind: PrincipalKind, teams: string[] = [], granted: readonly Scope[] = []): Principal {
  return { kind, subject: 'ada', teams: teams.map((id) => ({ id, role: 'member' })), scopes: new Set(granted) };
}

function calling(who: Principal | null): Caller {
  const request = { requestId: 'request-1', answer: new Answer(), writeDeadlineMs: Number.POSITIVE_INFINITY };
  return { principal: who, ...request, secureTransport: true };
}

const refusedWith = (code: string) => expect.objectContaining({ name: 'DomainError', code });

describe('access to the secrets of an owner', () => {
  it.each<[string, Owner, { user: boolean; apiKey: boolean }]>([
    ['its own', user('ada'), { user: true, apiKey: false }],
    ['another user', user('eve'), { user: false, apiKey: false }],
    ['the same name in another case', user('ADA'), { user: false, apiKey: false }],
    ['a user who has the name of its team', user('red'), { user: false, apiKey: false }],
    ['its team', team('red'), { user: true, apiKey: true }],
    ['its second team', team('green'), { user: true, apiKey: true }],
    ['another team', team('blue'), { user: false, apiKey: false }],
    ['its team in another case', team('RED'), { user: false, apiKey: false }],
    ['a team that has its own name', team('ada'), { user: false, apiKey: false }],
    ['a team whose name begins like its team’s', team('redder'), { user: false, apiKey: false }],
    ['a team whose name is the beginning of its team’s', team('re'), { user: false, apiKey: false }],
    ['a team without a name', team(''), { user: false, apiKey: false }],
    ['a connector of its team', connector('red', 'c'), { user: true, apiKey: true }],
    ['a connector of another team', connector('blue', 'c'), { user: false, apiKey: false }],
    ['a connector that has its team’s name', connector('blue', 'red'), { user: false, apiKey: false }],
    ['a connector that has its own name', connector('blue', 'ada'), { user: false, apiKey: false }],
  ])('%s', (_whose, owner, may) => {
    for (const kind of ['user', 'apiKey'] as const) {
      expect(mayReach(principal(kind, ['red', 'green']), owner)).toBe(may[kind]);
      expect(mayReach(principal(kind, []), owner)).toBe(owner.type === 'user' && may[kind]);
    }
  });

  const id = fc.constantFrom('ada', 'eve', 'red', 'blue');
  const anyOwner = fc.oneof(
    id.map(user),
    id.map(team),
    fc.tuple(id, id).map(([of, name]) => connector(of, name)),
  );
  const anyPrincipal = fc.record({
    kind: fc.constantFrom<PrincipalKind>('user', 'apiKey'),
    subject: id,
    teams: fc.array(fc.record({ id, role: fc.constantFrom<Role>('admin', 'member') })),
    scopes: fc.subarray([...scopes]).map((granted) => new Set(granted)),
  });

  it('depends on the kind, the subject and the teams of the principal only', () => {
    fc.assert(
      fc.property(anyPrincipal, anyOwner, (who, owner) => {
        const own = owner.type === 'user' && who.kind === 'user' && who.subject === owner.userId;
        const shared = owner.type !== 'user' && who.teams.some((membership) => membership.id === owner.teamId);
        expect(mayReach(who, owner)).toBe(own || shared);
      }),
      { numRuns: 500 },
    );
  });

  it('also needs a scope: authorize returns the principal, or reports which of the two is missing', () => {
    fc.assert(
      fc.property(anyPrincipal, anyOwner, fc.constantFrom(...scopes), (who, owner, scope) => {
        const call = () => authorize(calling(who), owner, scope);
        if (!mayReach(who, owner)) expect(call).toThrow(refusedWith('FORBIDDEN'));
        else if (!who.scopes.has(scope)) expect(call).toThrow(refusedWith('PERMISSION_ERROR'));
        else expect(call()).toBe(who);
      }),
      { numRuns: 500 },
    );
  });

  it('is never given to an API key for the secrets of a user, even with every scope and the same id as the user', () => {
    const key = principal('apiKey', ['red'], scopes);
    for (const scope of scopes)
      expect(() => authorize(calling(key), user('ada'), scope)).toThrow(refusedWith('FORBIDDEN'));
  });

  it('is never given without credentials, whatever the owner', () => {
    for (const owner of [user('ada'), user(''), team('red'), connector('red', 'c')]) {
      expect(() => authorize(calling(null), owner, 'secrets:read')).toThrow(refusedWith('UNAUTHORIZED'));
    }
  });
});

describe('a refusal', () => {
  it('of another owner names nothing, and does not reveal whether the owner exists', () => {
    const refusals = [team('blue'), team('no such team'), user('eve')].map((owner) => {
      try {
        return authorize(calling(principal('user', [], scopes)), owner, 'secrets:read');
      } catch (error) {
        return error;
      }
    });
    for (const refusal of refusals) {
      expect(refusal).toEqual(refusedWith('FORBIDDEN'));
      expect(refusal).toHaveProperty('details', { hint: expect.stringContaining('"teams"') });
      expect(String(refusal)).toBe(String(refusals[0]));
    }
  });

  it('for a missing scope names the scope', () => {
    for (const scope of scopes) {
      const others = scopes.filter((other) => other !== scope);
      const call = () => requireScope(principal('user', [], others), scope);
      expect(call).toThrow(
        expect.objectContaining({
          code: 'PERMISSION_ERROR',
          details: { description: `The operation needs the scope ${scope}.` },
        }),
      );
    }
  });

  it('of wrong credentials is the same whatever was wrong with them', () => {
    const [missing, wrong] = [unauthorized(), unauthorized({ reason: 'audience', hint: 'It is another.' })];
    expect([wrong.code, wrong.message, wrong.details.description]).toEqual([
      missing.code,
      missing.message,
      missing.details.description,
    ]);
  });
});

it('authenticated returns the principal of a call, and refuses a call without one', () => {
  const ada = principal('user');
  expect(authenticated(calling(ada))).toBe(ada);
  expect(() => authenticated(calling(null))).toThrow(refusedWith('UNAUTHORIZED'));
});
