import type { Plugin } from 'graphql-yoga';
import type { GraphQLContext } from '../graphql/builder.ts';
import type { Measure } from '../graphql/check-operation.ts';
import type { Caller } from '../identity/principal.ts';

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
