import { type DocumentNode, type GraphQLSchema, getOperationAST, type OperationDefinitionNode } from 'graphql';
import type { YogaServerOptions } from 'graphql-yoga';
import { LRUCache } from 'lru-cache';
import { DomainError } from '../../errors.ts';
import { type PreparedOperation, prepareOperation } from '../engine/prepare-operation.ts';
import { maxDocumentLength } from '../limits/document-size.ts';
import type { GatewayPlugin } from './server-context.ts';

type DocumentCacheOptions = Exclude<YogaServerOptions<object, object>['parserAndValidationCache'], boolean | undefined>;

const maxCachedLength = 16 * 1024;
/** Of all documents together. A parsed document takes up to 70 bytes for each of its characters. */
const maxCachedCharacters = 500_000;
/** What any document takes, however short it is: as much as this many of its characters. */
const charactersPerDocument = 40;
/** What a field of a plan takes: as much as this many characters of a document. */
const charactersPerField = 6;
/** Of one document with its plans. */
const maxEntryCharacters = 2 * maxCachedLength;

interface CachedDocument {
  readonly document: DocumentNode;
  /** Those that were executed. */
  readonly operations: ReadonlyMap<OperationDefinitionNode, PreparedOperation | null>;
  /** In characters. */
  readonly size: number;
}

export interface DocumentCache {
  readonly options: DocumentCacheOptions;
  readonly plugin: GatewayPlugin;
  /**
   * An operation of a document that was sent before, and is valid.
   * @returns null where the document is not known, and where the engine must execute it
   */
  prepared(text: string, operationName: string | null | undefined): PreparedOperation | null;
}

/** Whether a document has a string, a comment, or a number that is too long for a page size. */
export function mayHoldValue(text: string): boolean {
  return /["#]|\d{7}/.test(text);
}

/**
 * Valid documents are kept for the next request that sends the same text, except those that could hold a value, which would
 * stay in memory. Clients have no reason to repeat others.
 *
 * A new document takes up to milliseconds of parsing and validation without a break. New documents wait in a queue, so that
 * requests with known documents are answered in between, however many new documents arrive at once.
 */
export function createDocumentCache(schema: GraphQLSchema, plans: boolean): DocumentCache {
  const documents = new LRUCache<string, CachedDocument>({
    maxSize: maxCachedCharacters,
    sizeCalculation: ({ size }) => size,
  });
  const parsing = createParsingQueue();
  return {
    prepared(text, operationName) {
      const cached = documents.get(text);
      const operation = plans && cached && getOperationAST(cached.document, operationName);
      if (!operation) return null;
      const known = cached.operations.get(operation);
      if (known !== undefined) return known;
      const maxFields = Math.floor((maxEntryCharacters - cached.size) / charactersPerField);
      const prepared = prepareOperation(schema, cached.document, operationName, maxFields);
      const operations = new Map(cached.operations).set(operation, prepared);
      const size = cached.size + charactersPerField * (1 + (prepared?.size ?? 0));
      documents.set(text, { ...cached, operations, size });
      return prepared;
    },
    options: {
      documentCache: {
        get: (text) => documents.get(text)?.document,
        // Only when it is valid, see onValidate: who has no credentials must not fill the cache.
        set() {},
      },
      errorCache: { get: () => undefined, set() {} },
    },
    plugin: {
      onParams({ params: { query } }) {
        // A document that is too long is refused without waiting.
        if (query === undefined || query.length > maxDocumentLength || documents.get(query)) return undefined;
        return parsing();
      },
      onValidate:
        ({ params: { documentAST: document } }) =>
        ({ valid }) => {
          // Yoga keeps the result of the validation on the document.
          const text = document.loc?.source.body;
          if (!valid || text === undefined || documents.peek(text)) return;
          if (text.length > maxCachedLength || mayHoldValue(text)) return;
          documents.set(text, { document, operations: new Map(), size: charactersPerDocument + text.length });
        },
    },
  };
}

const maxWaiting = 1000;

/** How much of one tick of the event loop new documents may take. */
const tickMs = 2;

/** @returns a function whose promises are fulfilled in the order of the calls, in each tick as many as fit into its time */
function createParsingQueue(): () => Promise<void> {
  const waiting: (() => void)[] = [];
  let isRunning = false;
  let startedAt = 0;
  const beginTick = () => {
    startedAt = performance.now();
    beginNext();
  };
  const beginNext = () => {
    waiting.shift()?.();
    // Continues when the document that was begun has been parsed and validated.
    queueMicrotask(() => process.nextTick(goOn));
  };
  const goOn = () => {
    if (waiting.length === 0) isRunning = false;
    else if (performance.now() - startedAt < tickMs) beginNext();
    else setImmediate(beginTick);
  };
  return () => {
    if (waiting.length >= maxWaiting) throw tooMany();
    return new Promise((begin) => {
      waiting.push(begin);
      if (isRunning) return;
      isRunning = true;
      setImmediate(beginTick);
    });
  };
}

function tooMany(): DomainError {
  return new DomainError('SERVICE_UNAVAILABLE', {
    description: 'Too many new documents wait to be parsed. Retry, and send values in variables.',
    retryAfterSeconds: 1,
  });
}
