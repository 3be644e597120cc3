import type { Plugin } from 'graphql-yoga';
import type { Caller } from '../../model/principal.ts';
import type { Measure } from '../limits/operation-cost.ts';
import type { GraphQLContext } from '../schema/builder.ts';

/** What the HTTP server found out before Yoga is asked. */
export interface ServerContext {
  readonly caller: Caller;
  /** Checked; those of an array one by one, when their turn comes. */
  readonly parameters: unknown;
  /** Of the two of GraphQL over HTTP, the one that was agreed on. */
  readonly mediaType: string;
  readonly startedAt: number;
  /** To be called when the answer is there, and only has to be sent. */
  readonly onAnswer: () => void;
  /** Takes points from the caller's rate limit. @throws DomainError TOO_MANY_REQUESTS */
  readonly spend: (points: number) => Promise<void>;
}

/** What the limits found out about the operation. */
export interface MeasuredContext {
  readonly measure: Measure;
}

export type GatewayPlugin = Plugin<GraphQLContext & ServerContext & MeasuredContext, ServerContext>;
