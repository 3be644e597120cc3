import type { Plugin } from 'graphql-yoga';
import type { Caller } from '../../model/caller.ts';
import type { OperationCost } from '../limits/operation-cost.ts';
import type { GraphQLContext } from '../schema/builder.ts';
import type { EventStream } from './event-stream.ts';
import type { Spend } from './points.ts';

/** The status and the headers of an answer. */
export interface Head {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** What the route found out before Yoga is called. */
export interface ServerContext {
  readonly caller: Caller;
  /** Checked. Those of an array are checked one by one, when each of them runs. */
  readonly parameters: unknown;
  /** The response media type that was agreed on. */
  readonly mediaType: string;
  /** On the clock of `performance.now()`. */
  readonly startedAtMs: number;
  /** Sends the answer. */
  readonly send: (head: Head, body: string | AsyncIterable<string>) => Promise<void> | void;
  readonly spend: Spend;
  /** Begins an answer of events: nothing limits how long it takes. */
  readonly openStream: () => EventStream;
}

/** What the limits found out about the operation. */
export interface CostContext {
  readonly cost: OperationCost;
}

export type GatewayPlugin = Plugin<GraphQLContext & ServerContext & CostContext, ServerContext>;
