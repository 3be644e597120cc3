import { type DocumentNode, type GraphQLError, getOperationAST, parse, validate } from 'graphql';
import { createLRUCache, type YogaInitialContext, type YogaServerOptions } from 'graphql-yoga';
import { DomainError } from '../errors.ts';
import { checkLimits, maxDocumentLength, maxTokens } from '../graphql/limits.ts';
import type { GatewayPlugin, ServerContext } from './server-context.ts';

/** Refuses what asks for too much after parsing, which stops at a number of tokens, and before anything else. */
export function useLimits(): GatewayPlugin {
  return {
    onParse({ setParseFn }) {
      setParseFn(parseWithin);
      return ({ result, context }) => {
        if (result instanceof Error || result === null) return;
        const { params, caller } = context as unknown as YogaInitialContext & ServerContext;
        const operation = getOperationAST(result, params.operationName);
        const teams = caller.principal?.teams.length ?? 0;
        if (!operation) throw noOperation();
        checkLimits(result, operation, { variables: Object(params.variables), teams });
      };
    },
    onValidate({ setValidationFn }) {
      setValidationFn(validateWithin);
    },
  };
}

function parseWithin(source: Parameters<typeof parse>[0]): DocumentNode {
  if ((typeof source === 'string' ? source : source.body).length > maxDocumentLength) {
    throw tooLong('length_limit_error', `${maxDocumentLength.toLocaleString('en')} characters`);
  }
  try {
    return parse(source, { maxTokens });
  } catch (error) {
    // Lists in lists take the parser beyond the stack before it has counted that many tokens.
    if (error instanceof RangeError) throw tooLong('depth_limit_error', 'some hundred levels of brackets');
    if (!(error instanceof Error && error.message.endsWith('tokens. Parsing aborted.'))) throw error;
    throw tooLong('tokens_limit_error', `${maxTokens.toLocaleString('en')} tokens`);
  }
}

/** Each error costs a search for what was meant, and a text of its own. */
const maxErrors = 20;

function validateWithin(...[schema, document, rules]: Parameters<typeof validate>): readonly GraphQLError[] {
  return validate(schema, document, rules, { maxErrors });
}

function tooLong(type: string, most: string): DomainError {
  return new DomainError('BAD_REQUEST', {
    type,
    message: 'The document is too long.',
    description: `It may have at most ${most}. Send it in parts, and values in variables.`,
  });
}

function noOperation(): DomainError {
  return new DomainError('BAD_REQUEST', {
    message: 'Could not determine what operation to execute.',
    description: 'Give operationName the name of an operation in the document, if it holds several.',
  });
}

type DocumentCacheOptions = Exclude<YogaServerOptions<object, object>['parserAndValidationCache'], boolean | undefined>;

const maxCachedDocuments = 1000;
const maxCachedLength = 16 * 1024;

/**
 * Parsed documents are kept for the next request that sends the same, but none that could hold a value: what stands in
 * quotes was perhaps a secret, and would stay in memory. Nor are those that do not parse or are not valid: nobody sends
 * these twice but to fill the memory.
 */
export function createDocumentCache(): { options: DocumentCacheOptions; plugin: GatewayPlugin } {
  const documents = createLRUCache<DocumentNode>({ max: maxCachedDocuments });
  return {
    options: {
      documentCache: {
        get: (text) => documents.get(text),
        set(text, document) {
          if (text.length <= maxCachedLength && !text.includes('"')) documents.set(text, document);
        },
      },
      errorCache: { get: () => undefined, set() {} },
    },
    plugin: {
      onValidate:
        ({ params }) =>
        ({ valid }) => {
          // Yoga hangs what validation found on the document.
          const text = params.documentAST.loc?.source.body;
          if (!valid && text !== undefined) documents.delete(text);
        },
    },
  };
}
