import { parse } from 'graphql';
import { ConfigurationError, DomainError } from '../../errors.ts';
import { readSettingFile } from '../../runtime/setting-file.ts';
import type { Parameters } from './parameters.ts';

/** Documents by their ids. No other document runs. */
export type PersistedOperations = ReadonlyMap<string, string>;

/** Enough for 10,000 documents of a large client. */
const maxBytes = 16 * 1024 * 1024;

/**
 * Reads a JSON file of `{ "<id>": "<document>" }`, as codegen's client preset and Relay's compiler write it, or a manifest of
 * Apollo's tools.
 * @throws ConfigurationError
 */
export async function readPersistedOperations(path: string): Promise<PersistedOperations> {
  const refuse = (what: string) => new ConfigurationError(`PERSISTED_OPERATIONS ${path}: ${what}`);
  const text = await readSettingFile({ variable: 'PERSISTED_OPERATIONS', path, access: 'public', maxBytes });
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch {
    throw refuse(`it is not JSON. ${howToWrite}`);
  }
  if (typeof file !== 'object' || file === null || Array.isArray(file)) {
    throw refuse(`it is not a JSON object. ${howToWrite}`);
  }
  const operations = new Map<string, string>();
  for (const [id, document] of 'format' in file ? entriesOfManifest(file, refuse) : Object.entries(file)) {
    const where = `the document of ${JSON.stringify(id)}`;
    if (!isDocument(document)) throw refuse(`${where} is not GraphQL. Fix or remove it.`);
    if ((operations.get(id) ?? document) !== document) throw refuse(`${where} is there twice, with different text.`);
    operations.set(id, document);
  }
  return operations;
}

const howToWrite = 'Write it as { "<id>": "<document>" }, or let the tools of Apollo Client write it.';

const manifestFormat = 'apollo-persisted-query-manifest';

/** `{ format, version: 1, operations: [{ id, name, type, body }] }` */
function entriesOfManifest(
  manifest: { format?: unknown; version?: unknown; operations?: unknown },
  refuse: (what: string) => ConfigurationError,
): [string, unknown][] {
  const { format, version, operations } = manifest;
  if (format !== manifestFormat) throw refuse(`its "format" is not "${manifestFormat}". ${howToWrite}`);
  if (version !== 1) throw refuse('its "version" is not 1. Write the manifest with a tool that writes version 1.');
  if (!Array.isArray(operations)) throw refuse('its "operations" are not a list. Write the manifest again.');
  return operations.map((operation: unknown, index): [string, unknown] => {
    const { id, body } = Object(operation) as { id?: unknown; body?: unknown };
    if (typeof id !== 'string') throw refuse(`operation ${index + 1} has no "id". Write the manifest again.`);
    return [id, body];
  });
}

function isDocument(document: unknown): document is string {
  try {
    parse(document as string);
    return typeof document === 'string';
  } catch {
    return false;
  }
}

/**
 * The document that a request names, by `documentId` or as Apollo clients do by `extensions.persistedQuery.sha256Hash`.
 * @throws DomainError PersistedQueryNotFound for an unknown id, BAD_REQUEST for a request that sends a document or no id
 */
export function persistedDocument(parameters: Parameters, operations: PersistedOperations): string {
  const persistedQuery = parameters.extensions?.persistedQuery as { sha256Hash?: unknown } | null | undefined;
  const id = parameters.documentId ?? persistedQuery?.sha256Hash;
  if (typeof id !== 'string' || parameters.query != null) {
    throw new DomainError('BAD_REQUEST', {
      type: 'unknown_operation_error',
      message: 'Only known operations are accepted.',
      description: 'Send the documentId of an operation that the operator has registered, and no query.',
    });
  }
  const document = operations.get(id);
  if (document !== undefined) return document;
  throw new DomainError('PersistedQueryNotFound', {
    description: 'Only operations that the operator has registered are accepted, and this id is not among them.',
  });
}
