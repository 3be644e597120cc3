import { parse } from 'graphql';
import { ConfigurationError, DomainError } from '../../errors.ts';
import { readSettingFile } from '../../runtime/setting-file.ts';
import type { Parameters } from './parameters.ts';

/** Documents by their ids. No other document runs. */
export type PersistedOperations = ReadonlyMap<string, string>;

/** Enough for 10,000 documents of a large client. */
const maxBytes = 16 * 1024 * 1024;

/**
 * Reads a JSON file of `{ "<id>": "<document>" }`, as codegen's client preset and Relay's compiler write it.
 * @throws ConfigurationError
 */
export async function readPersistedOperations(path: string): Promise<PersistedOperations> {
  const refuse = (what: string) => new ConfigurationError(`PERSISTED_OPERATIONS ${path}: ${what}`);
  const text = await readSettingFile({ variable: 'PERSISTED_OPERATIONS', path, access: 'public', maxBytes });
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch {
    throw refuse('it is not JSON. Write it as { "<id>": "<document>" }.');
  }
  if (typeof file !== 'object' || file === null || Array.isArray(file)) {
    throw refuse('it is not a JSON object. Write it as { "<id>": "<document>" }.');
  }
  const documents: [string, unknown][] = Object.entries(file);
  for (const [id, document] of documents) {
    try {
      parse(document as string);
    } catch {
      throw refuse(`the document of ${JSON.stringify(id)} is not GraphQL. Fix or remove it.`);
    }
  }
  return new Map(documents as [string, string][]);
}

/**
 * The document that a request names, by `documentId` or as Apollo clients do by `extensions.persistedQuery.sha256Hash`.
 * @throws DomainError BAD_REQUEST for an unknown id, and for a request that sends a document
 */
export function persistedDocument(parameters: Parameters, operations: PersistedOperations): string {
  const persistedQuery = parameters.extensions?.persistedQuery as { sha256Hash?: unknown } | null | undefined;
  const id = parameters.documentId ?? persistedQuery?.sha256Hash;
  const document = typeof id === 'string' ? operations.get(id) : undefined;
  if (document !== undefined && parameters.query == null) return document;
  throw new DomainError('BAD_REQUEST', {
    type: 'unknown_operation_error',
    message: 'Only known operations are accepted.',
    description: 'Send the documentId of an operation that the operator has registered, and no query.',
  });
}
