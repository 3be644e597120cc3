import type { GraphQLError, GraphQLSchema } from 'graphql';
import { withoutStack } from '../../errors.ts';
import { unauthorized } from '../../identity/authorize.ts';
import type { PreparedOperation } from '../engine/prepare-operation.ts';
import { variableErrors } from '../errors/variable-errors.ts';
import { checkOperation, type OperationCost } from '../limits/operation-cost.ts';
import type { GraphQLContext } from '../schema/builder.ts';
import { admit, isForPost } from './admission.ts';
import { anonymousMayRun } from './anonymous.ts';
import type { DocumentCache } from './document-cache.ts';
import { nameOf } from './operation-name.ts';
import type { Conclude, ExecutionResult, Outcome } from './outcome.ts';
import { checkParameters, type ParameterRules, type Parameters } from './parameters.ts';
import { type PersistedOperations, persistedDocument } from './persisted-operations.ts';
import { charge, chargeWork, workOf } from './points.ts';
import type { RefusedDocuments } from './refused-documents.ts';
import type { ServerContext } from './server-context.ts';

export interface PreparedWayOptions {
  readonly schema: GraphQLSchema;
  readonly introspection: boolean;
  readonly rules: ParameterRules;
  readonly persistedOperations: PersistedOperations | null;
  readonly documents: DocumentCache;
  readonly refused: RefusedDocuments;
  readonly contextOf: (context: ServerContext) => GraphQLContext;
  readonly conclude: Conclude;
}

const noErrors: readonly GraphQLError[] = [];
const noVariables = Object.freeze({});

/** An operation that needs nothing of Yoga. */
export type Run = () => Outcome | Promise<Outcome>;

/**
 * Finds the operations that were parsed and validated before, and runs them through the same stages as Yoga's hooks do, in the
 * same order: admission, cost, points, variables, execution, conclusion.
 * @returns undefined for an operation that Yoga must run
 */
export type PreparedWay = (sent: unknown, method: string, context: ServerContext) => Run | undefined;

export function createPreparedWay(options: PreparedWayOptions): PreparedWay {
  const { schema, introspection, rules, persistedOperations, documents, refused, contextOf, conclude } = options;
  const known = new WeakMap<PreparedOperation, Known>();

  function knownOf(prepared: PreparedOperation): Known {
    const earlier = known.get(prepared);
    if (earlier) return earlier;
    const found = new Known(schema, prepared, introspection);
    known.set(prepared, found);
    return found;
  }

  async function run(operation: Known, parameters: Parameters, method: string, context: ServerContext) {
    const { caller, spend } = context;
    const { principal, answer } = caller;
    const { needsPost, isOpen, prepared } = operation;
    const variableValues = parameters.variables ?? {};
    let executed: string | undefined;
    let result: ExecutionResult;
    try {
      admit({ needsPost, method, isAnonymous: !principal, isOpen });
      const cost = operation.cost(variableValues, principal?.teams.length ?? 0);
      const charging = charge(prepared.operation, cost, { answer, spend });
      if (charging) await charging;
      const before = workOf(answer);
      // Variables that cannot be coerced at once are looked at one by one.
      const coerced = operation.hasVariables ? withoutStack(() => prepared.coerce(variableValues)) : noVariables;
      const errors = coerced
        ? noErrors
        : withoutStack(() => variableErrors(schema, prepared.operation, variableValues));
      const executing =
        errors.length > 0
          ? { errors }
          : prepared.execute({ variableValues, coerced, contextValue: contextOf(context) });
      result = executing instanceof Promise ? await executing : executing;
      const charged = chargeWork(answer, before, spend);
      if (charged) await charged;
      if (answer.stopped) result = { errors: [answer.stopped] };
      executed = operation.name;
    } catch (error) {
      result = { errors: [error] };
    }
    return conclude(result, executed, context);
  }

  return (sent, method, context) => {
    const parameters = parametersOf(sent, rules, persistedOperations);
    if (!parameters) return undefined;
    // A GET may first be told that it is a mutation.
    if (!context.caller.principal && method === 'POST' && refused.has(parameters)) {
      return () => conclude({ errors: [unauthorized()] }, undefined, context);
    }
    const prepared = documents.prepared(parameters.query ?? '', parameters.operationName);
    return prepared ? () => run(knownOf(prepared), parameters, method, context) : undefined;
  };
}

/** The parameters with the document in them; undefined where Yoga must tell what is wrong with them. */
function parametersOf(
  sent: unknown,
  rules: ParameterRules,
  persistedOperations: PersistedOperations | null,
): Parameters | undefined {
  try {
    checkParameters(sent, rules);
    return persistedOperations ? { ...sent, query: persistedDocument(sent, persistedOperations) } : sent;
  } catch {
    return undefined;
  }
}

/** What is true of a prepared operation whoever sends it. */
class Known {
  readonly prepared: PreparedOperation;
  readonly name: string;
  readonly needsPost: () => boolean;
  readonly hasVariables: boolean;
  readonly isOpen: () => boolean;
  readonly #schema: GraphQLSchema;
  /** Where it depends on the document alone. */
  #cost: OperationCost | undefined;

  constructor(schema: GraphQLSchema, prepared: PreparedOperation, introspection: boolean) {
    const { operation, document } = prepared;
    const isOpen = anonymousMayRun(operation, document, introspection);
    this.#schema = schema;
    this.prepared = prepared;
    this.name = nameOf(operation);
    const needsPost = isForPost(operation, document);
    this.needsPost = () => needsPost;
    this.hasVariables = (operation.variableDefinitions ?? []).length > 0;
    this.isOpen = () => isOpen;
  }

  /** @throws DomainError BAD_REQUEST where the variables, or the caller's teams, make it too much */
  cost(variables: Readonly<Record<string, unknown>>, teams: number): OperationCost {
    if (this.#cost) return this.#cost;
    let isFixed = true;
    const sizes = {
      schema: this.#schema,
      get variables() {
        isFixed = false;
        return variables;
      },
      get teams() {
        isFixed = false;
        return teams;
      },
    };
    const cost = checkOperation(this.prepared.document, this.prepared.operation, sizes);
    if (isFixed) this.#cost = cost;
    return cost;
  }
}
