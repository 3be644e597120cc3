import { getOperationAST } from 'graphql';
import type { Answer } from '../../runtime/answer.ts';
import type { GatewayPlugin } from './server-context.ts';

/** A query costs one point, which the request has paid; each mutation at the root of an operation costs five. */
const mutationPoints = 5;
/** Objects that an operation could return, for one more point: to read and write them takes milliseconds. */
const objectsPerPoint = 1000;
/** A list costs as much as this many objects, however few it returns. */
const objectsPerList = 10;
/** Rows that filters looked at, for one more point: this takes milliseconds. */
const scannedRowsPerPoint = 20_000;
/** Values that were delivered, for one more point: each is opened and sealed, in some 500 µs. */
const deliveriesPerPoint = 25;
/** Bytes of values that were delivered, for one more point. */
const valueBytesPerPoint = 1024 * 1024;

/** Takes the points that an operation costs from the caller's rate limit: before it is executed, and what only then is known. */
export function usePoints(): GatewayPlugin {
  return {
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
        if (points > 0) await Promise.try(spend, points).catch(() => {});
      };
      // Most queries cost nothing more, and nothing is waited for far from the limit.
      const spending = points > 0 ? spend(points) : undefined;
      return spending ? spending.then(() => ({ onExecuteDone })) : { onExecuteDone };
    },
  };
}

/** For what is only known when it has been done. */
function pointsOfWork({ scannedRows, deliveries, valueBytes }: Answer): number {
  return scannedRows / scannedRowsPerPoint + deliveries / deliveriesPerPoint + valueBytes / valueBytesPerPoint;
}
