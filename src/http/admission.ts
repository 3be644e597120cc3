import { getOperationAST, NoSchemaIntrospectionCustomRule } from 'graphql';
import { anonymousMayRun } from '../graphql/anonymous.ts';
import { unauthorized } from '../identity/authorize.ts';
import type { GatewayPlugin, ServerContext } from './server-context.ts';

/** A mutation costs five points, a query one. */
const mutationPoints = 4;

/**
 * Refuses an operation without credentials before anything of it runs (operations would refuse it all the same),
 * and a mutation beyond the rate limit.
 */
export function useAdmission(): GatewayPlugin {
  return {
    onParams({ params, context }) {
      const { parameters, spend } = context as unknown as ServerContext;
      // The server took one for the request; in a batch each further operation takes its own.
      if (Array.isArray(parameters) && params !== parameters[0]) return spend(1);
      return undefined;
    },
    onExecute({ args }) {
      const { caller, spend } = args.contextValue;
      const operation = getOperationAST(args.document, args.operationName);
      if (!operation) return undefined;
      if (!caller.principal && !anonymousMayRun(operation, args.document)) throw unauthorized();
      // A query is not made to wait for what concerns mutations alone.
      return operation.operation === 'mutation' ? spend(mutationPoints) : undefined;
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
