import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Budget, createBudget } from '../../../src/http/rate-limit/budget.ts';
import { createRateLimiter } from '../../../src/http/rate-limit/rate-limiter.ts';
import type { Principal, PrincipalKind } from '../../../src/model/principal.ts';
import { createTrace } from '../../../src/runtime/trace.ts';
import type { Counter } from '../../../src/store/store.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Counts in one window, which begins now for every key. */
function counterOf(windowSeconds: number): Counter {
  const counts = new Map<string, number>();
  return {
    async add(key, points) {
      const count = (counts.get(key) ?? 0) + points;
      counts.set(key, count);
      return { count, resetsInMs: windowSeconds * 1000 };
    },
  };
}

function budgetOf(points: number, trustProxy = false): Budget {
  const limiter = createRateLimiter({ points, windowSeconds: 60 }, counterOf(60), createTrace());
  return createBudget(limiter, trustProxy);
}

function requestFrom(remoteAddress: string, forwardedFor?: string): IncomingMessage {
  const headers = forwardedFor === undefined ? {} : { 'x-forwarded-for': forwardedFor };
  return { headers, socket: { remoteAddress } } as unknown as IncomingMessage;
}

const newResponse = () => new ServerResponse(new IncomingMessage(new Socket()));
const here = requestFrom('192.0.2.1');

function principal(kind: PrincipalKind, subject: string, more: Partial<Principal> = {}): Principal {
  return { kind, subject, teams: [], scopes: new Set(), ...more };
}

type Spend = (budget: Budget, response: ServerResponse) => Promise<void>;
const of =
  (who: Principal | null, points = 1, request = here): Spend =>
  async (budget, response) =>
    budget.spend(who, request, response, points);
const failure: Spend = async (budget, response) => budget.spendFailure(here, response);

/** @returns the RateLimit-Remaining header of the response */
async function left(budget: Budget, spend: Spend): Promise<number> {
  const response = newResponse();
  await spend(budget, response);
  return Number(response.getHeader('ratelimit-remaining'));
}

const tooMany = { code: 'TOO_MANY_REQUESTS' };

describe('a budget of its own has', () => {
  const spenders: [string, Spend][] = [
    ['a user', of(principal('user', 'ada'))],
    ['another user', of(principal('user', 'eve'))],
    ['an API key whose id is the user’s', of(principal('apiKey', 'ada'))],
    ['a user whose sub looks like the API key’s budget', of(principal('user', 'apiKey ada'))],
    ['a user whose sub looks like the user’s budget', of(principal('user', 'user ada'))],
    ['an address without credentials', of(null)],
    ['a user whose sub is that address', of(principal('user', '192.0.2.1'))],
    ['a user whose sub looks like the address’s budget', of(principal('user', 'address 192.0.2.1'))],
    ['a user whose sub looks like the budget of failures', of(principal('user', 'failures 192.0.2.1'))],
    ['an address for its failures', failure],
  ];

  it.each(spenders)('%s', async (_who, spend) => {
    const budget = budgetOf(20);
    for (const [, other] of spenders) if (other !== spend) await exhaust(budget, other);
    expect(await left(budget, spend)).toBe(spend === failure ? 10 : 19);
  });

  async function exhaust(budget: Budget, spend: Spend): Promise<void> {
    for (let spent = 0; spent < 20; spent += 1) {
      const refused = await spend(budget, newResponse()).catch((error: unknown) => error);
      if (refused) return expect(refused).toMatchObject(tooMany);
    }
  }

  it('a principal, from any address and with any rights', async () => {
    const budget = budgetOf(20);
    expect(await left(budget, of(principal('user', 'ada')))).toBe(19);
    const admin = principal('user', 'ada', {
      teams: [{ id: 'red', role: 'admin' }],
      scopes: new Set(['secrets:read']),
    });
    expect(await left(budget, of(admin, 1, requestFrom('198.51.100.7')))).toBe(18);
  });

  it('the address that a trusted proxy saw', async () => {
    const budget = budgetOf(20, true);
    const from = (address: string) => of(null, 1, requestFrom('192.0.2.1', address));
    expect(await left(budget, from('203.0.113.1'))).toBe(19);
    expect(await left(budget, from('203.0.113.2'))).toBe(19);
    expect(await left(budget, from('203.0.113.1'))).toBe(18);
  });
});

describe('a response', () => {
  it('has the limit, what is left of it, and in how many seconds it starts again', async () => {
    const response = newResponse();
    await budgetOf(20).spend(principal('user', 'ada'), here, response, 5);
    expect(response.getHeaders()).toEqual({
      'ratelimit-policy': '"user";q=20;w=60',
      ratelimit: '"user";r=15;t=60',
      'ratelimit-limit': 20,
      'ratelimit-remaining': 15,
      'ratelimit-reset': 60,
    });
  });

  it('of a refused request has the same headers, and its error says when to retry', async () => {
    const budget = budgetOf(1);
    await left(budget, of(null));
    const response = newResponse();
    const refusal = of(null)(budget, response);
    await expect(refusal).rejects.toMatchObject({
      ...tooMany,
      details: {
        description: expect.stringMatching(/^The limit is 1 points .* Retry in 60 s\.$/),
        retryAfterSeconds: 60,
      },
    });
    expect(response.getHeaders()).toEqual({
      'ratelimit-policy': '"address";q=1;w=60',
      ratelimit: '"address";r=0;t=60',
      'ratelimit-limit': 1,
      'ratelimit-remaining': 0,
      'ratelimit-reset': 60,
    });
  });

  it('names whose points are counted: those of a user, of an API key, of an address, or its failures', async () => {
    for (const [spend, policy] of [
      [of(principal('user', 'ada')), 'user'],
      [of(principal('apiKey', 'ada')), 'apiKey'],
      [of(null), 'address'],
      [failure, 'failures'],
    ] as const) {
      const response = newResponse();
      await spend(budgetOf(100), response);
      expect(response.getHeader('ratelimit-policy')).toBe(`"${policy}";q=100;w=60`);
      expect(response.getHeader('ratelimit')).toMatch(new RegExp(`^"${policy}";r=\\d+;t=60$`));
    }
  });

  it('has no such headers, and is never refused, without a limit', async () => {
    const budget = createBudget(null, false);
    const response = newResponse();
    for (let spent = 0; spent < 100; spent += 1) {
      await budget.spend(null, here, response, 1_000_000);
      await budget.spendFailure(here, response);
    }
    expect(response.getHeaders()).toEqual({});
  });
});

describe('the points of an operation', () => {
  it('are at most the points of a window minus the point of its request: no operation is refused forever', async () => {
    const budget = budgetOf(20);
    expect(await left(budget, of(null))).toBe(19);
    expect(await left(budget, of(null, 1_000_000))).toBe(0);
    await expect(left(budget, of(null))).rejects.toMatchObject(tooMany);
  });

  it('are 1 where a window has only one point', async () => {
    expect(await left(budgetOf(1), of(null, 1_000_000))).toBe(0);
  });
});

describe('a failure', () => {
  it('takes 10 points', async () => {
    const budget = budgetOf(30);
    expect(await left(budget, failure)).toBe(20);
    expect(await left(budget, failure)).toBe(10);
    expect(await left(budget, failure)).toBe(0);
    await expect(left(budget, failure)).rejects.toMatchObject(tooMany);
  });

  it('takes less where the limit is lower, so that the first wrong credential is answered with 401', async () => {
    const budget = budgetOf(4);
    expect(await left(budget, failure)).toBe(1);
    await expect(left(budget, failure)).rejects.toMatchObject(tooMany);
  });
});

it('of an address that has used up its budget for failures admits no look-up', async () => {
  const budget = budgetOf(30);
  const look = async (request = here) => budget.admitLookUp(request, newResponse());
  for (let failed = 0; failed < 3; failed += 1) {
    await look();
    await left(budget, failure);
  }
  await look();
  await expect(left(budget, failure)).rejects.toMatchObject(tooMany);
  await expect(look()).rejects.toMatchObject({ ...tooMany, details: { retryAfterSeconds: 60 } });
  await look(requestFrom('198.51.100.7'));
  expect(await left(budget, of(principal('user', 'ada')))).toBe(29);
});
