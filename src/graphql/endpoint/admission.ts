import { getOperationAST, NoSchemaIntrospectionCustomRule } from 'graphql';
import type { DomainError } from '../../errors.ts';
import { HttpRefusal } from '../../http/refusal.ts';
import { unauthorized } from '../../identity/authorize.ts';
import type { Answer } from '../../runtime/answer.ts';
import { anonymousMayRun } from './anonymous.ts';
import type { GatewayPlugin } from './server-context.ts';

/** A query costs one point, which the request has paid; each mutation at the root of an operation costs five. */
const mutationPoints = 5;
/** One more point for so many objects that an operation could return: to read and write them takes milliseconds. */
const objectsPerPoint = 1000;
/** A list costs as much as so many objects, however few it returns. */
const objectsPerList = 10;
/** One more point for so many rows that filters looked at, which takes milliseconds. */
const scannedRowsPerPoint = 20_000;

/** One more point for so many values that were delivered: each is opened and sealed, in some 500 µs. */
const deliveriesPerPoint = 25;
/** One more point for so many bytes of them. */
const valueBytesPerPoint = 1024 * 1024;

/**
 * Refuses an operation without credentials before it is validated, so that an anonymous caller is not told what is wrong
 * with it (the operations would refuse it all the same). Takes the points that an operation costs.
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
      const { answer, cost, spend } = args.contextValue;
      // All else in the answer is counted when it is resolved.
      answer.count(cost.typeNameBytes);
      answer.throwIfStopped();
      const operation = getOperationAST(args.document, args.operationName);
      if (!operation) return undefined;
      const ofMutations = operation.operation === 'mutation' ? mutationPoints * cost.rootFields - 1 : 0;
      const objects = cost.objects + objectsPerList * cost.lists;
      const points = ofMutations + Math.floor(objects / objectsPerPoint);
      const before = pointsOfWork(answer);
      const onExecuteDone = async () => {
        const points = Math.floor(pointsOfWork(answer) - before);
        // What was done is answered. If it was too much, the next request is refused.
        if (points > 0) await spend(points).catch(() => {});
      };
      // Most queries cost nothing more, and need not wait.
      return points > 0 ? spend(points).then(() => ({ onExecuteDone })) : { onExecuteDone };
    },
  };
}

/** For what is only known when it has been done. */
function pointsOfWork({ scannedRows, deliveries, valueBytes }: Answer): number {
  return scannedRows / scannedRowsPerPoint + deliveries / deliveriesPerPoint + valueBytes / valueBytesPerPoint;
}

/** GraphQL over HTTP, section 6.2.1: a link or a prefetch must not change anything. */
function mutationByGet(): DomainError {
  return new HttpRefusal('METHOD_NOT_ALLOWED', { Allow: 'POST' }, { description: 'Send a mutation with POST.' });
}

export function useIntrospectionSwitch(enabled: boolean): GatewayPlugin {
  return {
    onValidate({ addValidationRule }) {
      if (!enabled) addValidationRule(NoSchemaIntrospectionCustomRule);
    },
  };
}
