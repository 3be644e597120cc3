import { getOperationAST } from 'graphql';
import type { DomainError } from '../../errors.ts';
import { HttpRefusal } from '../../http/refusal.ts';
import { unauthorized } from '../../identity/authorize.ts';
import { anonymousMayRun } from './anonymous.ts';
import type { RefusedDocuments } from './refused-documents.ts';
import type { GatewayPlugin } from './server-context.ts';

/** What decides whether an operation is admitted. */
export interface Admission {
  readonly isMutation: boolean;
  readonly method: string;
  readonly isAnonymous: boolean;
  /** Whether it is open to callers without credentials. */
  readonly isOpen: () => boolean;
}

/**
 * Refuses a mutation that came by GET, and an operation without credentials: before it is validated, so that an anonymous
 * caller is not told what is wrong with it. The operations would refuse it all the same.
 * @throws DomainError METHOD_NOT_ALLOWED, UNAUTHORIZED
 */
export function admit({ isMutation, method, isAnonymous, isOpen }: Admission): void {
  if (isMutation && method === 'GET') throw mutationByGet();
  if (isAnonymous && !isOpen()) throw unauthorized();
}

/** Admits what goes through Yoga. */
export function useAdmission(introspection: boolean, refused: RefusedDocuments): GatewayPlugin {
  return {
    onParse:
      () =>
      ({ result, context }) => {
        if (result instanceof Error || result === null) return;
        const { params, caller, request } = context;
        const operation = getOperationAST(result, params.operationName);
        if (!operation) return;
        const isOpen = () => {
          const isOpen = anonymousMayRun(operation, result, introspection);
          if (!isOpen) refused.add(params);
          return isOpen;
        };
        const isMutation = operation.operation === 'mutation';
        admit({ isMutation, method: request.method, isAnonymous: !caller.principal, isOpen });
      },
  };
}

/** GraphQL over HTTP, section 6.2.1: a link or a prefetch must not change anything. */
function mutationByGet(): DomainError {
  return new HttpRefusal('METHOD_NOT_ALLOWED', { Allow: 'POST' }, { description: 'Send a mutation with POST.' });
}
