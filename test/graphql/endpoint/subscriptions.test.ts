import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { buildSchema } from 'graphql';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { DomainError } from '../../../src/errors.ts';
import { createEngine } from '../../../src/graphql/endpoint/engine.ts';
import { graphqlResponseType } from '../../../src/graphql/endpoint/response-type.ts';
import { Answer } from '../../../src/runtime/answer.ts';
import { openStreamOn, subscriptionsForTest } from '../../support/subscriptions.ts';

// A subscription of a schema made for this test: how events are sent, whatever they tell.

const schema = buildSchema('type Query { now: Int } type Subscription { ticks: Int }');

let ticks: Iterable<unknown>;
let ended: PromiseWithResolvers<void>;
let resolveTick: (tick: { readonly ticks: unknown }) => unknown;
let answer: Answer;
let spent: number[];

Object.assign(schema.getSubscriptionType()?.getFields().ticks ?? {}, {
  resolve: (tick: { readonly ticks: unknown }) => resolveTick(tick),
  async *subscribe() {
    try {
      for (const tick of ticks) yield [{ ticks: await tick }];
    } finally {
      ended.resolve();
    }
  },
});

const log = { isLevelEnabled: () => true, debug() {}, info() {}, warn() {}, error() {}, fatal() {} } as never;
const subscriptions = subscriptionsForTest();
const engine = createEngine({
  schema,
  bindOperations: () => ({}) as never,
  introspection: true,
  securityDirectives: false,
  batchLimit: 0,
  plans: true,
  subscriptions,
  persistedOperations: null,
  log,
  onOperation() {},
});

const principal = { kind: 'user', subject: 'ada', teams: [], scopes: new Set<never>() } as const;
const server = createServer(async (request, response) => {
  answer = new Answer();
  const caller = { principal, requestId: 'r', answer, writeDeadlineMs: Infinity, secureTransport: true };
  const openStream = openStreamOn(response);
  const given = { caller, mediaType: graphqlResponseType, startedAtMs: 0, openStream };
  const context = { ...given, onAnswer() {}, spend: async (points: number) => void spent.push(points) };
  await engine(request, response, { ...context, body: await json(request) });
});

beforeEach(() => {
  ended = Promise.withResolvers<void>();
  resolveTick = (tick) => tick.ticks;
  spent = [];
});
beforeAll(() => once(server.listen(0, '127.0.0.1'), 'listening'));
afterAll(() => server.close());

async function subscribe(signal?: AbortSignal): Promise<AsyncIterable<string>> {
  const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify({ query: 'subscription { ticks }' }),
    ...(signal && { signal }),
  });
  expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
  return response.body?.pipeThrough(new TextDecoderStream()) as never;
}

it('events of a subscription are sent as they come, by Server-Sent Events', async () => {
  const events = [0, 1, 2, 3].map(() => Promise.withResolvers<number>());
  ticks = events.map(({ promise }) => promise);
  let text = '';
  let next = 0;
  events[next]?.resolve(next);
  for await (const piece of await subscribe()) {
    text += piece;
    // Each event is let go when the one before it has arrived.
    if (!text.includes(`{"data":{"ticks":${next}}}`)) continue;
    next += 1;
    events[next]?.resolve(next);
  }
  expect(text.match(/"ticks":\d/g)).toEqual(['"ticks":0', '"ticks":1', '"ticks":2', '"ticks":3']);
  expect(text).toContain('event: complete');
});

it('an error in an event is answered without a text that is not the gateway’s own', async () => {
  ticks = ['a value', 'a value', 'a value'];
  let text = '';
  for await (const piece of await subscribe()) text += piece;
  expect(text.match(/"code":"INTERNAL_SERVER_ERROR"/g)?.length).toBe(3);
  expect(text.includes('a value')).toBe(false);
});

it('a subscription ends when its client leaves', async () => {
  ticks = endless();
  const leave = new AbortController();
  const reading = async () => {
    for await (const _piece of await subscribe(leave.signal)) leave.abort();
  };
  await expect(reading()).rejects.toThrow('aborted');
  await ended.promise;
});

it('an event that was being made when the caller lost the right to it is not sent', async () => {
  ticks = [1, 2];
  resolveTick = (tick) => {
    answer.stop(new DomainError('UNAUTHORIZED'));
    return tick.ticks;
  };
  let text = '';
  for await (const piece of await subscribe()) text += piece;
  expect(text).toContain('"code":"UNAUTHORIZED"');
  expect(text).not.toContain('"ticks"');
});

it('events that were read are charged also where none of them was a change', async () => {
  ticks = {
    [Symbol.iterator]() {
      answer.countScanned(100_000);
      return [].values();
    },
  };
  for await (const _piece of await subscribe());
  expect(spent).toEqual([5]);
});

it('an event whose store does not answer does not hold up the end of the gateway', async () => {
  ticks = endless();
  const asked = Promise.withResolvers<void>();
  let asks = 0;
  resolveTick = () => {
    asks += 1;
    asked.resolve();
    throw new DomainError('SERVICE_UNAVAILABLE');
  };
  const events = await subscribe();
  await asked.promise;
  await subscriptions.close();
  expect(asks).toBeLessThanOrEqual(2);
  let text = '';
  for await (const piece of events) text += piece;
  expect(text).toContain('"code":"SERVICE_UNAVAILABLE"');
});

function* endless(): Generator<unknown> {
  for (;;) yield new Promise((next) => setImmediate(() => next(1)));
}
