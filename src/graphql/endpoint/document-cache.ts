import type { DocumentNode } from 'graphql';
import type { YogaServerOptions } from 'graphql-yoga';
import { LRUCache } from 'lru-cache';
import { DomainError } from '../../errors.ts';
import { maxDocumentLength } from '../limits/document-size.ts';
import type { GatewayPlugin } from './server-context.ts';

type DocumentCacheOptions = Exclude<YogaServerOptions<object, object>['parserAndValidationCache'], boolean | undefined>;

const maxCachedLength = 16 * 1024;
/** Of all documents together. A parsed document takes up to 70 bytes for each of its characters. */
const maxCachedCharacters = 500_000;

/** A string, a comment, or a number that is too long for a page size. */
const mayHoldValue = /["#]|\d{7}/;

/**
 * Parsed documents are kept for the next request that sends the same text, except those that could hold a value, which would
 * stay in memory. Documents that do not parse or are not valid are not kept either: clients have no reason to repeat them.
 *
 * A new document takes up to milliseconds of parsing and validation without a break. New documents wait in a queue, so that
 * requests with known documents are answered in between, however many new documents arrive at once.
 */
export function createDocumentCache(): { options: DocumentCacheOptions; plugin: GatewayPlugin } {
  const documents = new LRUCache<string, DocumentNode>({
    maxSize: maxCachedCharacters,
    maxEntrySize: maxCachedLength,
    sizeCalculation: (_document, text) => text.length,
  });
  const parsing = createParsingQueue();
  return {
    options: {
      documentCache: {
        get: (text) => documents.get(text),
        set(text, document) {
          if (!mayHoldValue.test(text)) documents.set(text, document);
        },
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
        ({ params }) =>
        ({ valid }) => {
          // Yoga keeps the result of the validation on the document.
          const text = params.documentAST.loc?.source.body;
          if (!valid && text !== undefined) documents.delete(text);
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
