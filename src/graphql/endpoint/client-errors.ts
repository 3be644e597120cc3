import { getOperationAST } from 'graphql';
import { nameOf } from './operation-name.ts';
import { type Conclude, type ExecutionResult, Outcome, respond } from './outcome.ts';
import { RunningSubscription } from './running-subscription.ts';
import type { GatewayPlugin, ServerContext } from './server-context.ts';

/** The last stage of what goes through Yoga: see createConclude. */
export function useClientErrors(concludeAs: Conclude): GatewayPlugin {
  const names = new WeakMap<object, string>();
  const conclude = (result: ExecutionResult | Outcome, context: ServerContext): Outcome =>
    result instanceof Outcome ? result : concludeAs(result, names.get(result), context);

  return {
    onExecute({ args }) {
      const operation = getOperationAST(args.document, args.operationName);
      const name = operation ? nameOf(operation) : 'none';
      return {
        onExecuteDone({ result, setResult }) {
          const { stopped } = args.contextValue.answer;
          const ended = stopped ? { errors: [stopped] } : result;
          if (stopped) setResult(ended as never);
          names.set(ended, name);
        },
      };
    },
    // For operations that went through Yoga's stages, also those of an array one by one. The others end below.
    onExecutionResult({ result, setResult, context }) {
      if (!isRunning(result)) setResult(conclude(result as ExecutionResult, context) as never);
    },
    onResultProcess({ result, setResult, setResultProcessor, serverContext }) {
      if (isRunning(result)) return;
      const outcome = Array.isArray(result)
        ? result.map((one) => conclude(one, serverContext))
        : conclude(result as ExecutionResult, serverContext);
      setResult(outcome as never);
      setResultProcessor(async (_result, { Response }) => {
        await respond(outcome, serverContext);
        return new Response();
      }, serverContext.mediaType);
    },
  };
}

/** A subscription sends its events itself, see useSubscriptions. */
const isRunning = (result: unknown) => result instanceof RunningSubscription;
