import { getOperationAST } from 'graphql';
import type { DomainError } from '../../errors.ts';
import { HttpRefusal } from '../../http/refusal.ts';
import { unauthorized } from '../../identity/authorize.ts';
import { anonymousMayRun } from './anonymous.ts';
import type { GatewayPlugin } from './server-context.ts';

/**
 * Refuses an operation without credentials before it is validated, so that an anonymous caller is not told what is wrong
 * with it (the operations would refuse it all the same), and a mutation that came by GET.
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
  };
}

/** GraphQL over HTTP, section 6.2.1: a link or a prefetch must not change anything. */
function mutationByGet(): DomainError {
  return new HttpRefusal('METHOD_NOT_ALLOWED', { Allow: 'POST' }, { description: 'Send a mutation with POST.' });
}
