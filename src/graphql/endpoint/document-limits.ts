import { type DocumentNode, type GraphQLError, type GraphQLSchema, getOperationAST } from 'graphql';
import { DomainError, withoutStack } from '../../errors.ts';
import { parseDocument } from '../errors/parse-document.ts';
import { validateDocument } from '../errors/validate-document.ts';
import { checkDocumentSize, maxTokens } from '../limits/document-size.ts';
import { checkOperation } from '../limits/operation-cost.ts';
import type { GatewayPlugin } from './server-context.ts';

/** Refuses a document that is too long before it is parsed, and an operation that asks for too much before it is validated. */
export function useLimits(schema: GraphQLSchema): GatewayPlugin {
  return {
    onParse({ setParseFn }) {
      setParseFn(parseWithin);
      return ({ result, context, extendContext }) => {
        if (result instanceof Error || result === null) return;
        const { params, caller } = context;
        const operation = getOperationAST(result, params.operationName);
        const teams = caller.principal?.teams.length ?? 0;
        if (!operation) throw noOperation();
        const variables = params.variables ?? {};
        extendContext({ cost: checkOperation(result, operation, { schema, variables, teams }) });
      };
    },
    onValidate({ setValidationFn }) {
      setValidationFn(validateWithin);
    },
  };
}

function parseWithin(source: Parameters<typeof parseDocument>[0]): DocumentNode {
  checkDocumentSize(typeof source === 'string' ? source : source.body);
  return withoutStack(() => parseDocument(source, { maxTokens }));
}

function validateWithin(...args: Parameters<typeof validateDocument>): readonly GraphQLError[] {
  return withoutStack(() => validateDocument(...args));
}

function noOperation(): DomainError {
  return new DomainError('BAD_REQUEST', {
    message: 'Could not determine what operation to execute.',
    description: 'Give operationName the name of an operation in the document, if it holds several.',
  });
}
