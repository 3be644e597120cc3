import {
  assertValidSchema,
  type DocumentNode,
  type ExecutionResult,
  execute,
  type GraphQLSchema,
  getOperationAST,
  getVariableValues,
  type OperationDefinitionNode,
} from 'graphql';
import { executePlan } from './execute-plan.ts';
import { planOperation } from './plan-operation.ts';
import { type CoerceVariables, planVariables } from './plan-variables.ts';

export interface ExecutionRequest {
  /** As they were sent. */
  readonly variableValues?: Readonly<Record<string, unknown>> | null | undefined;
  /** What `coerce` made of them, where it was called before. */
  readonly coerced?: Record<string, unknown> | null;
  readonly contextValue: unknown;
  readonly rootValue?: unknown;
}

/** An operation of a valid document, of which everything that depends on the document alone was found out. */
export interface PreparedOperation {
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
  /** How many fields its plan has, which is what it takes of memory. */
  readonly size: number;
  readonly coerce: CoerceVariables;
  /** The same as `execute` of graphql-js: it answers errors, and neither throws nor rejects. */
  execute(request: ExecutionRequest): ExecutionResult | Promise<ExecutionResult>;
}

/**
 * @param document valid
 * @param operationName may be left out where the document has one operation
 * @param maxFields how many fields the plan may have
 * @returns null where the engine must execute it
 */
export function prepareOperation(
  schema: GraphQLSchema,
  document: DocumentNode,
  operationName?: string | null,
  maxFields = Number.MAX_SAFE_INTEGER,
): PreparedOperation | null {
  assertValidSchema(schema);
  const operation = getOperationAST(document, operationName);
  const plan = operation && planOperation(schema, document, operation, maxFields);
  if (!plan) return null;
  const definitions = operation.variableDefinitions ?? [];
  const coerce = planVariables(schema, operation);
  return {
    document,
    operation,
    size: plan.size,
    coerce,
    execute({ variableValues, coerced: before, contextValue, rootValue }) {
      const sent = variableValues ?? {};
      // What is wrong with variables, graphql-js says.
      const coerced = before ?? coerce(sent) ?? getVariableValues(schema, definitions, sent, { maxErrors: 0 }).coerced;
      if (coerced) return executePlan(plan, { contextValue, rootValue, variableValues: coerced });
      return execute({ schema, document, operationName, variableValues, contextValue, rootValue });
    },
  };
}
