import type { IncomingMessage } from 'node:http';
import { badRequest, DomainError } from '../../errors.ts';

/** What a request asks for (GraphQL over HTTP, section 5). */
export interface Parameters {
  /** Left out where `documentId` or an extension names the document. */
  readonly query?: string | null;
  readonly documentId?: unknown;
  readonly variables?: Readonly<Record<string, unknown>> | null;
  readonly operationName?: string | null;
  readonly extensions?: Readonly<Record<string, unknown>> | null;
}

export interface ParameterRules {
  /** How many operations may come in one array; 0 for none. */
  readonly batchLimit: number;
  /** Whether documents are named by their id instead of sent. */
  readonly persistedOperations: boolean;
}

/**
 * Reads the parameters from a parsed body, or from the URL of a GET. Each operation of an array is checked later on its own,
 * so that the error of a bad one stands in its position of the answer.
 * @throws DomainError BAD_REQUEST, or PAYLOAD_TOO_LARGE for too many operations at once
 */
export function readParameters(request: IncomingMessage, body: unknown, rules: ParameterRules): unknown {
  const sent = request.method === 'GET' ? parametersOfUrl(request.url ?? '') : body;
  if (!Array.isArray(sent)) {
    const parameters = withoutBlanks(sent);
    checkParameters(parameters, rules);
    return parameters;
  }
  if (rules.batchLimit === 0) throw badRequest('Batching is off here. Send one operation.');
  if (sent.length === 0) throw badRequest('An array must hold at least one operation.');
  if (sent.length > rules.batchLimit) {
    throw new DomainError('PAYLOAD_TOO_LARGE', {
      type: 'batch_limit_error',
      description: `Send at most ${rules.batchLimit} operations in one array.`,
    });
  }
  return sent.map(withoutBlanks);
}

const known = new Set(['query', 'variables', 'operationName', 'extensions', 'documentId']);

/** Clients that fill in forms or templates send parameters that they do not have as empty text. */
function withoutBlanks(sent: unknown): unknown {
  if (!isObject(sent) || !hasBlanks(sent)) return sent;
  return Object.fromEntries(Object.entries(sent).filter(([name, value]) => value !== '' || !known.has(name)));
}

function hasBlanks(sent: Record<string, unknown>): boolean {
  for (const name in sent) if (sent[name] === '' && known.has(name)) return true;
  return false;
}

/** @throws DomainError BAD_REQUEST */
export function checkParameters(sent: unknown, { persistedOperations }: ParameterRules): asserts sent is Parameters {
  if (!isObject(sent)) throw badRequest('The body must be a JSON object with a "query".');
  for (const name in sent) {
    if (sent[name] !== null && !known.has(name)) {
      throw badRequest('The body may hold query, variables, operationName, extensions and documentId, nothing else.');
    }
  }
  const { query, variables, operationName, extensions, documentId } = sent;
  if (typeof query !== 'string' && !(query == null && (persistedOperations || namesDocument(sent)))) {
    throw badRequest('"query" is required, as a string.');
  }
  if (!persistedOperations && query != null && documentId != null) {
    throw badRequest('Send the "query" alone, without a "documentId".');
  }
  if (variables != null && !isObject(variables)) throw badRequest('"variables" must be an object.');
  if (operationName != null && typeof operationName !== 'string') throw badRequest('"operationName" must be text.');
  if (extensions != null && !isObject(extensions)) throw badRequest('"extensions" must be an object.');
  checkEntries(variables);
}

/** Whether a request names its document by an id or a hash. */
function namesDocument({ documentId, extensions }: Parameters): boolean {
  return typeof documentId === 'string' || (isObject(extensions) && extensions.persistedQuery != null);
}

/** The largest legitimate use, a batch of 500 secrets with 50 tags each, has 29,000. */
const maxEntries = 30_000;

/** For each unknown key graphql-js makes an error that quotes the whole object, before anything shortens it. */
function checkEntries(variables: unknown): void {
  if (variables == null) return;
  const waiting = [variables];
  let entries = 0;
  while (waiting.length > 0) {
    const value = waiting.pop();
    if (typeof value !== 'object' || value === null) continue;
    const inner = Object.values(value);
    entries += inner.length;
    if (entries > maxEntries) {
      throw new DomainError('BAD_REQUEST', {
        type: 'variables_limit_error',
        message: 'The variables hold too much.',
        description: `They may have at most ${maxEntries.toLocaleString('en')} keys and items. Send them in parts.`,
      });
    }
    for (const one of inner) waiting.push(one);
  }
}

/** Other parameters of the URL are ignored. */
function parametersOfUrl(url: string): Record<string, unknown> {
  const search = new URLSearchParams(url.includes('?') ? url.slice(url.indexOf('?') + 1) : '');
  const parameters: Record<string, unknown> = {};
  for (const name of known) {
    const text = search.get(name);
    if (text === null) continue;
    parameters[name] = name === 'variables' || name === 'extensions' ? jsonOfUrl(text) : text;
  }
  return parameters;
}

function jsonOfUrl(text: string): unknown {
  try {
    return text === '' ? null : JSON.parse(text);
  } catch {
    throw badRequest('variables and extensions in a URL must be JSON.');
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
