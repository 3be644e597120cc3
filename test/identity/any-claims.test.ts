import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { principalOfClaims, usualClaims } from '../../src/identity/claims.ts';
import { isIdentifier } from '../../src/identity/identifier.ts';
import { type Principal, scopes } from '../../src/model/principal.ts';

const principalOf = (claims: Record<string, unknown>) => principalOfClaims({ sub: 'ada', ...claims });
const refused = expect.objectContaining({ code: 'UNAUTHORIZED' });

describe('for any claims', () => {
  const words = fc.constantFrom(
    'red',
    'blue',
    'admin',
    'member',
    'owner',
    '',
    ...scopes,
    'secrets:read secrets:write',
    'red,blue',
  );
  const json = fc.oneof(words, fc.jsonValue({ maxDepth: 3 }));
  const team = fc.oneof(words, fc.record({ id: json, role: json }, { requiredKeys: [] }), json);
  const scopeClaim = fc.oneof(words, fc.array(words), fc.dictionary(words, json), json);
  const teamsClaim = fc.oneof(words, fc.array(team), fc.dictionary(words, json), json);
  const claims = fc.record(
    {
      sub: fc.oneof({ weight: 5, arbitrary: fc.constant('ada') }, json),
      scope: scopeClaim,
      scp: scopeClaim,
      teams: teamsClaim,
      roles: json,
      groups: json,
    },
    { requiredKeys: ['sub'] },
  );
  const runs = { numRuns: 1000 };

  /** The principal, or null for a token that is refused with UNAUTHORIZED. Any other error is a defect. */
  function read(sent: Record<string, unknown>, mapping = usualClaims): Principal | null {
    try {
      return principalOfClaims(sent, mapping);
    } catch (error) {
      expect(error).toEqual(refused);
      return null;
    }
  }

  /** Every text and every key in a claim, cut where lists in text are. */
  function wordsIn(claim: unknown): string[] {
    if (typeof claim === 'string') return [claim, ...claim.split(/[ ,]+/)];
    if (typeof claim === 'number') return [String(claim)];
    if (typeof claim !== 'object' || claim === null) return [];
    return [...Object.keys(claim), ...Object.values(claim).flatMap(wordsIn)];
  }

  it('the principal is a user with exactly this subject, or the token is refused; only a wrong subject refuses it', () => {
    fc.assert(
      fc.property(claims, (sent) => {
        const principal = read(sent);
        if (principal) expect(principal).toMatchObject({ kind: 'user', subject: sent.sub });
        expect(principal === null).toBe(!isIdentifier(sent.sub));
      }),
      runs,
    );
  });

  it('only scopes and teams that the claims name are granted, and whatever is not understood grants nothing', () => {
    fc.assert(
      fc.property(claims, (sent) => {
        const principal = read(sent);
        for (const scope of principal?.scopes ?? []) expect(wordsIn(sent.scope ?? sent.scp)).toContain(scope);
        for (const { id, role } of principal?.teams ?? []) {
          expect(wordsIn(sent.teams)).toContain(id);
          if (role === 'admin') expect(wordsIn(sent.teams)).toContain('admin');
        }
        expect(new Set(principal?.teams.map(({ id }) => id)).size).toBe(principal?.teams.length ?? 0);
      }),
      runs,
    );
  });

  it('a membership that is not understood takes nothing from the others, and adds nothing to them', () => {
    const understood = fc.record({ id: fc.constantFrom('red', 'blue'), role: fc.constantFrom('admin', 'member') });
    const strange = fc.oneof(
      fc.constantFrom<unknown>(null, true, '', [], {}, -1, 1.5, ['red'], { role: 'admin' }, { id: '', role: 'admin' }),
      fc.record({ id: fc.constantFrom<unknown>(null, true, [], {}, ['red']), role: json }),
    );
    fc.assert(
      fc.property(fc.array(understood), fc.array(strange), fc.nat(), (good, odd, seed) => {
        const mixed: unknown[] = [...good];
        for (const [index, one] of odd.entries()) mixed.splice((seed + index * 7) % (mixed.length + 1), 0, one);
        expect(principalOf({ teams: mixed }).teams).toEqual(principalOf({ teams: good }).teams);
      }),
      runs,
    );
  });

  it('adding a claim with another name changes nothing, and never removes a refusal that the rest earns', () => {
    const name = fc.string().filter((one) => !['sub', 'scope', 'scp', 'teams'].includes(one));
    fc.assert(
      fc.property(claims, name, fc.oneof(scopeClaim, teamsClaim), (sent, added, value) => {
        expect(read({ ...sent, [added]: value })).toEqual(read(sent));
      }),
      runs,
    );
  });

  it('adding scopes never adds a team, and adding teams never adds a scope', () => {
    fc.assert(
      fc.property(claims, scopeClaim, teamsClaim, (sent, scope, teams) => {
        const before = read(sent);
        expect(read({ ...sent, scope })?.teams).toEqual(before?.teams);
        expect(read({ ...sent, teams })?.scopes).toEqual(before?.scopes);
      }),
      runs,
    );
  });

  it('subjects of two issuers are never the same, when neither prefix begins the other', () => {
    const prefix = fc.constantFrom('a|', 'b|', 'okta|', 'k8s:');
    fc.assert(
      fc.property(
        prefix,
        prefix,
        fc.string({ minLength: 1 }),
        fc.string({ minLength: 1 }),
        (one, other, sub, otherSub) => {
          fc.pre(one !== other);
          const first = read({ sub }, { ...usualClaims, subjectPrefix: one });
          const second = read({ sub: otherSub }, { ...usualClaims, subjectPrefix: other });
          if (first && second) expect(first.subject).not.toBe(second.subject);
        },
      ),
    );
  });
});
