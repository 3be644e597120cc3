import { getOperationAST, NoSchemaIntrospectionCustomRule } from 'graphql';
import { DomainError } from '../../errors.ts';
import { unauthorized } from '../../identity/authorize.ts';
import { anonymousMayRun } from './anonymous.ts';
import type { GatewayPlugin } from './server-context.ts';

/** A query costs a point, and so does a request for itself; each mutation at the root of an operation costs five. */
const mutationPoints = 5;
/** One more for each thousand that an operation could return: to write them out takes milliseconds. */
const objectsForPoint = 1000;

/**
 * Refuses an operation without credentials before anything of it is looked at (operations would refuse it all the same):
 * who has none is not told what is wrong with it. And what is beyond the rate limit.
 */
export function useAdmission(introspection: boolean): GatewayPlugin {
  return {
    onParse:
      () =>
      ({ result, context }) => {
        if (result instanceof Error || result === null) return;
        const operation = getOperationAST(result, context.params.operationName);
        if (operation?.operation === 'mutation' && context.request.method === 'GET') throw mutationByGet();
        if (operation && !context.caller.principal && !anonymousMayRun(operation, result, introspection))
          throw unauthorized();
      },
    onExecute({ args }) {
      const { measure, spend } = args.contextValue;
      const operation = getOperationAST(args.document, args.operationName);
      if (!operation) return undefined;
      const ofMutations = operation.operation === 'mutation' ? mutationPoints * measure.rootFields - 1 : 0;
      const points = ofMutations + Math.floor(measure.objects / objectsForPoint);
      // Most queries have nothing to wait for.
      return points > 0 ? spend(points) : undefined;
    },
  };
}

/** GraphQL over HTTP, section 6.2.1: what is fetched, linked to or fetched ahead must change nothing. */
function mutationByGet(): DomainError {
  return new DomainError('METHOD_NOT_ALLOWED', {
    description: 'Send a mutation with POST.',
    headers: { Allow: 'POST' },
  });
}

export function useIntrospectionSwitch(enabled: boolean): GatewayPlugin {
  return {
    onValidate({ addValidationRule }) {
      if (!enabled) addValidationRule(NoSchemaIntrospectionCustomRule);
    },
  };
}
