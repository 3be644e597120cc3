import { LRUCache } from 'lru-cache';
import { mayHoldValue } from './document-cache.ts';
import type { Parameters } from './parameters.ts';

/** Of all documents together. */
const maxCharacters = 200_000;
const maxDocumentCharacters = 16 * 1024;

type Named = Pick<Parameters, 'query' | 'operationName'>;

/** The operations that were refused without credentials: when they come again, they need not be parsed to be refused. */
export class RefusedDocuments {
  readonly #names = new LRUCache<string, Set<string | null>>({
    maxSize: maxCharacters,
    maxEntrySize: maxDocumentCharacters,
    sizeCalculation: (_names, text) => 200 + text.length,
  });

  add({ query, operationName }: Named): void {
    const text = query ?? '';
    if (mayHoldValue(text)) return;
    const names = this.#names.get(text);
    // A document has one operation of a name, and few are sent.
    if (!names) this.#names.set(text, new Set([operationName ?? null]));
    else if (names.size < maxOperations) names.add(operationName ?? null);
  }

  has({ query, operationName }: Named): boolean {
    return this.#names.get(query ?? '')?.has(operationName ?? null) ?? false;
  }
}

const maxOperations = 20;
