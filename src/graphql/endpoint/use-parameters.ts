import { DomainError } from '../../errors.ts';
import { checkParameters, type ParameterRules } from './parameters.ts';
import type { GatewayPlugin } from './server-context.ts';

/** The parameters were read before Yoga. Its own parsers would accept forms, and quote what they cannot read. */
export function useParameters(rules: ParameterRules): GatewayPlugin {
  return {
    onRequestParse({ serverContext, setRequestParser }) {
      setRequestParser(() => serverContext.parameters as never);
    },
    onParams({ params, context }) {
      if (Array.isArray(context.parameters)) checkParameters(params, rules);
      // Clients of automatic persisted queries look for this in the answer to an operation, and then send the document.
      if (!rules.persistedOperations && params.query == null) throw notSupported();
    },
  };
}

function notSupported(): DomainError {
  return new DomainError('PersistedQueryNotSupported', { description: 'Send the document itself, as "query".' });
}
