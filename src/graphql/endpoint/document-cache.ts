import type { DocumentNode } from 'graphql';
import type { YogaServerOptions } from 'graphql-yoga';
import { LRUCache } from 'lru-cache';
import { DomainError } from '../../errors.ts';
import { maxDocumentLength } from '../limits/document-size.ts';
import type { GatewayPlugin } from './server-context.ts';

type DocumentCacheOptions = Exclude<YogaServerOptions<object, object>['parserAndValidationCache'], boolean | undefined>;

const maxCachedLength = 16 * 1024;
/** Of all of them together. A parsed document takes up to 70 bytes for each of its characters. */
const maxCachedCharacters = 500_000;

/** Text, a comment, or a number that is no size of a page. */
const mayHoldValue = /["#]|\d{7}/;

/**
 * Parsed documents are kept for the next request that sends the same, but none that could hold a value, which would
 * stay in memory. Nor are those that do not parse or are not valid: nobody sends
 * these twice but to fill the memory.
 *
 * A new document costs up to milliseconds of parsing and validation in one piece: they take turns, so that those who send
 * known documents are answered in between, however many new ones come at once.
 */
export function createDocumentCache(): { options: DocumentCacheOptions; plugin: GatewayPlugin } {
  const documents = new LRUCache<string, DocumentNode>({
    maxSize: maxCachedCharacters,
    maxEntrySize: maxCachedLength,
    sizeCalculation: (_document, text) => text.length,
  });
  const turn = createReadingTurns();
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
        // What is too long is refused at once, and not kept until then.
        if (query === undefined || query.length > maxDocumentLength || documents.get(query)) return undefined;
        return turn();
      },
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

const maxWaiting = 1000;

/** What new documents may take of one turn of the event loop before others have theirs. */
const turnMilliseconds = 2;

/** @returns a function whose promises are fulfilled in the order of asking, as many in each turn of the event loop as have time in it */
function createReadingTurns(): () => Promise<void> {
  const waiting: (() => void)[] = [];
  let isRunning = false;
  let startedAt = 0;
  const beginTurn = () => {
    startedAt = performance.now();
    beginNext();
  };
  const beginNext = () => {
    waiting.shift()?.();
    // Goes on when what has begun has come as far as it can without waiting itself.
    queueMicrotask(() => process.nextTick(goOn));
  };
  const goOn = () => {
    if (waiting.length === 0) isRunning = false;
    else if (performance.now() - startedAt < turnMilliseconds) beginNext();
    else setImmediate(beginTurn);
  };
  return () => {
    if (waiting.length >= maxWaiting) throw tooMany();
    return new Promise((begin) => {
      waiting.push(begin);
      if (isRunning) return;
      isRunning = true;
      setImmediate(beginTurn);
    });
  };
}

function tooMany(): DomainError {
  return new DomainError('SERVICE_UNAVAILABLE', {
    description: 'Too many documents that the gateway has not seen before wait to be read. Retry, with variables.',
    retryAfterSeconds: 1,
  });
}
