import { getOperationAST, NoSchemaIntrospectionCustomRule } from 'graphql';
import { anonymousMayRun } from '../graphql/anonymous.ts';
import { unauthorized } from '../identity/authorize.ts';
import type { GatewayPlugin } from './server-context.ts';

/** A query costs a point, and so does a request for itself; each mutation at the root of an operation costs five. */
const mutationPoints = 5;
/** One more for each thousand that an operation could return: to write them out takes milliseconds. */
const objectsForPoint = 1000;

/**
 * Refuses an operation without credentials before anything of it runs (operations would refuse it all the same),
 * and mutations beyond the rate limit.
 */
export function useAdmission(): GatewayPlugin {
  return {
    onExecute({ args }) {
      const { caller, measure, spend } = args.contextValue;
      const operation = getOperationAST(args.document, args.operationName);
      if (!operation) return undefined;
      if (!caller.principal && !anonymousMayRun(operation, args.document)) throw unauthorized();
      const ofMutations = operation.operation === 'mutation' ? mutationPoints * measure.rootFields - 1 : 0;
      const points = ofMutations + Math.floor(measure.objects / objectsForPoint);
      // Most queries have nothing to wait for.
      return points > 0 ? spend(points) : undefined;
    },
  };
}

export function useIntrospectionSwitch(enabled: boolean): GatewayPlugin {
  return {
    onValidate({ addValidationRule }) {
      if (!enabled) addValidationRule(NoSchemaIntrospectionCustomRule);
    },
  };
}
