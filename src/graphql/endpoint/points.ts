import { getOperationAST, type OperationDefinitionNode } from 'graphql';
import type { Answer } from '../../runtime/answer.ts';
import type { OperationCost } from '../limits/operation-cost.ts';
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

/** Secrets that a batch was asked to write, for one more point, whatever became of them. */
const writtenPerPoint = 10;

/** Takes points from the caller's rate limit. @throws DomainError TOO_MANY_REQUESTS */
export type Spend = (points: number) => Promise<void> | void;

/**
 * Takes what an operation costs from the caller's rate limit, before it is executed.
 * @returns a promise only where there is something to wait for
 * @throws DomainError TOO_MANY_REQUESTS, or why nothing more is made for the request
 */
export function charge(
  { operation }: OperationDefinitionNode,
  cost: OperationCost,
  { answer, spend }: { readonly answer: Answer; readonly spend: Spend },
): Promise<void> | void {
  // All else in the answer is counted when it is resolved.
  answer.count(cost.typeNameBytes);
  answer.throwIfStopped();
  const ofMutations = operation === 'mutation' ? mutationPoints * cost.rootFields - 1 : 0;
  const points = ofMutations + Math.floor((cost.objects + objectsPerList * cost.lists) / objectsPerPoint);
  // Most queries cost nothing more, and nothing is waited for far from the limit.
  return points > 0 ? spend(points) : undefined;
}

/**
 * Takes what was only known when it had been done. It is answered all the same. If it was too much, the next request is
 * refused.
 * @param before the work that had been done for the request before the operation
 */
export function chargeWork(answer: Answer, before: number, spend: Spend): Promise<void> | void {
  const points = Math.floor(workOf(answer) - before);
  return points > 0 ? Promise.try(spend, points).catch(() => {}) : undefined;
}

/** What was done for a request so far, in points. */
export function workOf({ scannedRows, deliveries, valueBytes, written }: Answer): number {
  const delivered = deliveries / deliveriesPerPoint + valueBytes / valueBytesPerPoint;
  return scannedRows / scannedRowsPerPoint + delivered + written / writtenPerPoint;
}

/** Charges what goes through Yoga. */
export function usePoints(): GatewayPlugin {
  return {
    onExecute({ args }) {
      const { answer, cost, spend } = args.contextValue;
      const operation = getOperationAST(args.document, args.operationName);
      if (!operation) return undefined;
      const charging = charge(operation, cost, { answer, spend });
      const before = workOf(answer);
      const onExecuteDone = () => chargeWork(answer, before, spend);
      return charging ? charging.then(() => ({ onExecuteDone })) : { onExecuteDone };
    },
  };
}
