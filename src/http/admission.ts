import { getOperationAST, NoSchemaIntrospectionCustomRule } from 'graphql';
import { anonymousMayRun } from '../graphql/anonymous.ts';
import { countRootFields } from '../graphql/check-operation.ts';
import { unauthorized } from '../identity/authorize.ts';
import type { GatewayPlugin } from './server-context.ts';

/** A query costs a point, and so does a request for itself; each mutation at the root of an operation costs five. */
const mutationPoints = 5;

/**
 * Refuses an operation without credentials before anything of it runs (operations would refuse it all the same),
 * and mutations beyond the rate limit.
 */
export function useAdmission(): GatewayPlugin {
  return {
    onExecute({ args }) {
      const { caller, spend } = args.contextValue;
      const operation = getOperationAST(args.document, args.operationName);
      if (!operation) return undefined;
      if (!caller.principal && !anonymousMayRun(operation, args.document)) throw unauthorized();
      // A query is not made to wait for what concerns mutations alone.
      if (operation.operation !== 'mutation') return undefined;
      return spend(mutationPoints * countRootFields(args.document, operation) - 1);
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
