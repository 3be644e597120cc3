import type { IncomingMessage, ServerResponse } from 'node:http';
import type { GraphQLSchema } from 'graphql';
import { createYoga } from 'graphql-yoga';
import { badRequest, type DomainError } from '../../errors.ts';
import type { Caller } from '../../model/caller.ts';
import type { Operations } from '../../operations.ts';
import type { GraphQLContext } from '../schema/builder.ts';
import { useAdmission } from './admission.ts';
import { useClientErrors } from './client-errors.ts';
import { createDocumentCache } from './document-cache.ts';
import { useLimits } from './document-limits.ts';
import { eventStreamType } from './event-stream.ts';
import { useExecution } from './execution.ts';
import { useIntrospectionSwitch } from './introspection.ts';
import { type ConclusionOptions, createConclude, type Outcome, respond } from './outcome.ts';
import { readParameters } from './parameters.ts';
import type { PersistedOperations } from './persisted-operations.ts';
import { usePoints } from './points.ts';
import { createPreparedWay, type PreparedWay, type Run } from './prepared-way.ts';
import { RefusedDocuments } from './refused-documents.ts';
import { sendAnswer } from './send-answer.ts';
import type { Head, ServerContext } from './server-context.ts';
import type { Subscriptions } from './subscriptions.ts';
import { useParameters } from './use-parameters.ts';
import { usePersistedOperations } from './use-persisted-operations.ts';
import { useSubscriptions } from './use-subscriptions.ts';

export interface EngineOptions extends ConclusionOptions {
  readonly schema: GraphQLSchema;
  readonly bindOperations: (caller: Caller) => Operations;
  readonly introspection: boolean;
  readonly securityDirectives: boolean;
  /** How many operations may come in one array; 0 for none. */
  readonly batchLimit: number;
  /** Whether operations are prepared; otherwise Yoga's executor executes each. */
  readonly plans: boolean;
  readonly subscriptions: Subscriptions;
  /** Null where every document is accepted. */
  readonly persistedOperations: PersistedOperations | null;
}

export interface RequestContext extends Omit<ServerContext, 'parameters' | 'send'> {
  /** The parsed JSON body of a POST. */
  readonly body: unknown;
  /** Called when the answer is complete, and only has to be sent. */
  readonly onAnswer: () => void;
}

/**
 * Runs the operations of a request and answers it.
 * @throws DomainError for parameters that are not GraphQL over HTTP's
 */
export type Engine = (request: IncomingMessage, response: ServerResponse, context: RequestContext) => Promise<void>;

/**
 * The engine for requests whose caller is known and whose body is JSON. Operations that were sent before run without Yoga's hooks.
 * Everything else goes through GraphQL Yoga.
 */
export function createEngine(options: EngineOptions): Engine {
  const { schema, bindOperations, introspection, securityDirectives, batchLimit, persistedOperations } = options;
  const rules = { batchLimit, persistedOperations: persistedOperations !== null };
  const documents = createDocumentCache(schema, options.plans);
  const refused = new RefusedDocuments();
  const conclude = createConclude(options);
  const contextOf = ({ caller }: Pick<ServerContext, 'caller'>): GraphQLContext => ({
    operations: bindOperations(caller),
    answer: caller.answer,
    securityDirectives,
  });
  const prepared = createPreparedWay({ ...options, rules, documents, refused, contextOf, conclude });
  const yoga = createYoga<ServerContext, GraphQLContext>({
    schema,
    context: contextOf,
    batching: batchLimit > 0 && { limit: batchLimit },
    parserAndValidationCache: documents.options,
    plugins: [
      useParameters(rules),
      ...(persistedOperations ? [usePersistedOperations(persistedOperations)] : []),
      documents.plugin,
      useAdmission(introspection, refused),
      usePoints(),
      useLimits(schema),
      useIntrospectionSwitch(introspection),
      useClientErrors(conclude),
      useExecution(schema, documents),
      useSubscriptions({ ...options, contextOf, conclude }),
    ],
    // The route around Yoga does these, and error texts are made in one place.
    maxRequestBodySize: false,
    multipart: false,
    cors: false,
    graphiql: false,
    landingPage: false,
    logging: false,
    maskedErrors: false,
  });
  /** Not `yoga.handle`: whatever fails outside Yoga's stages it would answer itself, with a stack trace. */
  async function answer(request: IncomingMessage, response: ServerResponse, context: ServerContext): Promise<void> {
    try {
      const answered = await yoga.handleNodeRequestAndResponse(request, response, context);
      if (response.headersSent || response.closed) return;
      // What Yoga refused by itself.
      const { status, headers, body } = answered;
      await context.send({ status, headers: Object.fromEntries(headers) }, body ? textsOf(body) : '');
    } catch (error) {
      // The client left, and what was under way for it has ended.
      if (!response.closed) throw error;
    }
  }
  return async (request, response, { body, onAnswer, ...rest }) => {
    const { spend, mediaType } = rest;
    const parameters = readParameters(request, body, rules);
    if (Array.isArray(parameters) && mediaType === eventStreamType) throw oneAtATime();
    // The point that was taken for the request is that of its first operation.
    if (Array.isArray(parameters) && parameters.length > 1) await spend(parameters.length - 1);
    const send = (head: Head, answer: string | AsyncIterable<string>) => {
      onAnswer();
      return sendAnswer(response, head, answer);
    };
    const context: ServerContext = { ...rest, parameters, send };
    const running = runPrepared(prepared, request.method ?? '', context);
    if (running === undefined) return answer(request, response, context);
    return respond(running instanceof Promise ? await running : running, context);
  };
}

function oneAtATime(): DomainError {
  return badRequest('Accept JSON for an array of operations, or send one operation.');
}

/** @returns undefined where an operation of the request needs Yoga */
function runPrepared(find: PreparedWay, method: string, context: ServerContext) {
  const { parameters } = context;
  if (!Array.isArray(parameters)) return find(parameters, method, context)?.();
  const runs: Run[] = [];
  for (const one of parameters) {
    const run = find(one, method, context);
    if (!run) return undefined;
    runs.push(run);
  }
  return Promise.all(runs.map((run): Outcome | Promise<Outcome> => run()));
}

async function* textsOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  for await (const bytes of body) yield decoder.decode(bytes, { stream: true });
}
