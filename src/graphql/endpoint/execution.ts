import { execute, type GraphQLSchema, getOperationAST, type OperationDefinitionNode } from 'graphql';
import { withoutStack } from '../../errors.ts';
import { variableErrors } from '../errors/variable-errors.ts';
import type { DocumentCache } from './document-cache.ts';
import type { GatewayPlugin } from './server-context.ts';

/** Checks the variables before the executor does, and chooses the executor. */
export function useExecution(schema: GraphQLSchema, documents: DocumentCache): GatewayPlugin {
  return {
    onExecute({ args, setExecuteFn, setResultAndStopExecution }) {
      const operation = getOperationAST(args.document, args.operationName);
      if (!operation) return;
      // The executor would print the whole variable for each thing that is wrong with it.
      const errors = withoutStack(() => variableErrors(schema, operation, args.variableValues ?? {}));
      if (errors.length > 0) {
        setResultAndStopExecution({ errors });
        return;
      }
      const prepared = documents.prepared(args.document.loc?.source.body ?? '', args.operationName);
      if (prepared && prepared.document === args.document) {
        const { variableValues, contextValue } = args;
        setExecuteFn(() => prepared.execute({ variableValues, contextValue }));
      } else if (hasNameOfPrototype(operation)) setExecuteFn(execute);
    },
  };
}

/** Yoga's executor is faster than that of graphql-js, but keeps variables in an object that has a prototype. */
function hasNameOfPrototype({ variableDefinitions = [] }: OperationDefinitionNode): boolean {
  return variableDefinitions.some(({ variable }) => variable.name.value in Object.prototype);
}
