import type { ServerResponse } from 'node:http';
import { EventStream } from '../../src/graphql/endpoint/event-stream.ts';
import { Subscriptions } from '../../src/graphql/endpoint/subscriptions.ts';

/** For an engine without a gateway. */
export function subscriptionsForTest(limits = { all: 10, perCaller: 10 }): Subscriptions {
  return new Subscriptions(limits, { told() {}, ended() {} });
}

/** What the route gives the engine for a subscription. */
export const openStreamOn = (response: ServerResponse) => () => new EventStream(response);
