import type { ExecutionResult, GraphQLError } from 'graphql';
import { CollectedErrors } from './collected-errors.ts';
import { type Data, executeField, executeFields, type Run } from './execute-fields.ts';
import type { FieldPlan, OperationPlan, SelectionPlan } from './plan.ts';
import { isPromise } from './promise.ts';

/** @param variableValues coerced */
export function executePlan(
  plan: OperationPlan,
  values: Pick<Run, 'contextValue' | 'rootValue' | 'variableValues'>,
): ExecutionResult | Promise<ExecutionResult> {
  const collected = new CollectedErrors();
  const run: Run = { plan, ...values, collected };
  const answer = (data: Data | null): ExecutionResult =>
    collected.errors.length === 0 ? { data } : { errors: collected.errors, data };
  const fail = (error: unknown): ExecutionResult => {
    collected.add(error as GraphQLError, undefined);
    return answer(null);
  };
  try {
    const { operation, root } = plan;
    const data =
      operation.operation === 'mutation' ? executeInTurn(run, root) : executeFields(run, root, run.rootValue);
    return isPromise(data) ? data.then(answer as (data: unknown) => ExecutionResult, fail) : answer(data);
  } catch (error) {
    return fail(error);
  }
}

/** The fields of a mutation, each after the one before it has ended. */
function executeInTurn(run: Run, fields: SelectionPlan): Data | Promise<Data> {
  const results: Data = {};
  const execute = (field: FieldPlan): Data | Promise<Data> => {
    const result = executeField(run, field, run.rootValue, undefined);
    if (isPromise(result)) {
      return result.then((value) => {
        results[field.key] = value;
        return results;
      });
    }
    results[field.key] = result;
    return results;
  };
  let done: Data | Promise<Data> = results;
  for (const field of fields) done = isPromise(done) ? done.then(() => execute(field)) : execute(field);
  return done;
}
