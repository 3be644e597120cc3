import { createSourceEventStream, type ExecutionArgs, type GraphQLSchema, getOperationAST } from 'graphql';
import { badRequest, DomainError, withoutStack } from '../../errors.ts';
import { preferredType } from '../../http/media-type.ts';
import { variableErrors } from '../errors/variable-errors.ts';
import { eventStreamType } from './event-stream.ts';
import { nameOf } from './operation-name.ts';
import type { Conclude, Outcome } from './outcome.ts';
import { charge } from './points.ts';
import { type RunningOptions, RunningSubscription } from './running-subscription.ts';
import type { CostContext, GatewayPlugin, ServerContext } from './server-context.ts';

export interface UseSubscriptionsOptions extends RunningOptions {
  readonly schema: GraphQLSchema;
  readonly conclude: Conclude;
}

/** Begins subscriptions, through the same stages as other operations: the media type, the variables, points, a place among those that are open. */
export function useSubscriptions(options: UseSubscriptionsOptions): GatewayPlugin {
  const { schema, subscriptions, conclude } = options;

  async function begin(args: ExecutionArgs): Promise<RunningSubscription | Outcome> {
    const context = args.contextValue as ServerContext & CostContext & { readonly request: Request };
    const operation = getOperationAST(args.document, args.operationName);
    if (!operation) throw new Error('an operation that is not there was admitted');
    if (Array.isArray(context.parameters)) throw badRequest('Send a subscription alone, not in an array.');
    // What has no Accept header takes anything (RFC 9110, section 12.5.1).
    if (!preferredType(context.request.headers.get('accept') || '*/*', [eventStreamType])) throw notAcceptable();
    const { answer, principal } = context.caller;
    const charging = charge(operation, context.cost, { answer, spend: context.spend });
    if (charging) await charging;
    const name = nameOf(operation);
    const { variableValues } = args;
    const errors = withoutStack(() => variableErrors(schema, operation, variableValues ?? {}));
    if (errors.length > 0) return conclude({ errors }, name, context);

    const running = new RunningSubscription(options, { ...args, contextValue: null }, name, context);
    const place = subscriptions.begin(principal, running.shutDown);
    try {
      const source = await createSourceEventStream(args);
      if (Symbol.asyncIterator in source) {
        conclude({}, name, context);
        running.begin(source as AsyncGenerator<readonly unknown[]>, place);
        return running;
      }
      place.end();
      return conclude(source, name, context);
    } catch (error) {
      place.end();
      throw error;
    }
  }

  return {
    onSubscribe({ setSubscribeFn }) {
      setSubscribeFn(begin as never);
    },
    onResultProcess({ result, setResultProcessor }) {
      if (!((result as unknown) instanceof RunningSubscription)) return;
      // Its events go on when Yoga has long forgotten the request.
      setResultProcessor((running, { Response }) => {
        (running as unknown as RunningSubscription).start();
        return new Response();
      }, eventStreamType);
    },
  };
}

function notAcceptable(): DomainError {
  return new DomainError('NOT_ACCEPTABLE', {
    description: 'A subscription is answered by Server-Sent Events. Accept text/event-stream.',
  });
}
