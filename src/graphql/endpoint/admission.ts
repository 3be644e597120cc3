import { type DocumentNode, getOperationAST, type OperationDefinitionNode } from 'graphql';
import type { DomainError } from '../../errors.ts';
import { HttpRefusal } from '../../http/refusal.ts';
import { unauthorized } from '../../identity/authorize.ts';
import { anonymousMayRun } from './anonymous.ts';
import type { RefusedDocuments } from './refused-documents.ts';
import { rootFieldNames } from './root-fields.ts';
import type { GatewayPlugin } from './server-context.ts';

/** What decides whether an operation is admitted. */
export interface Admission {
  /** Whether it may only come by POST. */
  readonly needsPost: () => boolean;
  readonly method: string;
  readonly isAnonymous: boolean;
  /** Whether it is open to callers without credentials. */
  readonly isOpen: () => boolean;
}

/**
 * Refuses a mutation or a value that came by GET, and an operation without credentials: before it is validated, so that an anonymous
 * caller is not told what is wrong with it. The operations would refuse it all the same.
 * @throws DomainError METHOD_NOT_ALLOWED, UNAUTHORIZED
 */
export function admit({ needsPost, method, isAnonymous, isOpen }: Admission): void {
  if (method === 'GET' && needsPost()) throw notByGet();
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
        const needsPost = () => isForPost(operation, result);
        admit({ needsPost, method: request.method, isAnonymous: !caller.principal, isOpen });
      },
  };
}

/** Queries that take a value. What is in a URL stands in histories and in the logs of proxies. */
const takingValues: ReadonlySet<string> = new Set(['matchesSecret']);

/** GraphQL over HTTP, section 6.2.1: a link or a prefetch must not change anything. */
export function isForPost(operation: OperationDefinitionNode, document: DocumentNode): boolean {
  return operation.operation === 'mutation' || !takingValues.isDisjointFrom(rootFieldNames(operation, document));
}

function notByGet(): DomainError {
  const description = 'Send mutations and matchesSecret with POST. If you sent a value, treat it as disclosed.';
  return new HttpRefusal('METHOD_NOT_ALLOWED', { Allow: 'POST' }, { description });
}
