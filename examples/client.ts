import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { TypedDocumentString } from './operations.ts';

/** What a client needs to know of an error: branch on the code, show the message, log the request id. */
export class GatewayError extends Error {
  override readonly name = 'GatewayError';
  readonly code: string;
  readonly requestId: string;
  readonly fields: readonly { field: string; message: string }[];

  constructor(message: string, { code, requestId, description, errors }: ErrorExtensions) {
    super(description ? `${message} ${description}` : message);
    this.code = code;
    this.requestId = requestId;
    this.fields = errors ?? [];
  }
}

interface ErrorExtensions {
  code: string;
  requestId: string;
  description?: string;
  errors?: { field: string; message: string }[];
}

interface Answer<T> {
  data?: T | null;
  errors?: { message: string; extensions: ErrorExtensions }[];
}

const root = fileURLToPath(new URL('..', import.meta.url));
const url = process.env.SECRETS_GATEWAY_URL ?? 'http://127.0.0.1:4000/graphql';
const token = process.env.SECRETS_GATEWAY_TOKEN ?? developmentToken();

/**
 * Runs an operation; its variables and its answer have the types that codegen gave it.
 * @throws GatewayError
 */
export async function run<Data, Variables>(
  document: TypedDocumentString<Data, Variables>,
  variables: Variables,
): Promise<Data> {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      accept: 'application/graphql-response+json',
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
    },
    // A value goes into the variables, never into the document: there it could end up in logs on the way.
    body: JSON.stringify({ query: document.toString(), variables }),
  });
  const { data, errors } = (await response.json()) as Answer<Data>;
  const [error] = errors ?? [];
  if (error) throw new GatewayError(error.message, error.extensions);
  if (!data) throw new Error(`no GraphQL answer, but HTTP status ${response.status}`);
  return data;
}

/** Good for the server that `npm start` runs, and for nothing else. */
function developmentToken(): string {
  const command = ['bin/secrets-gateway.js', 'token', '--sub', 'developer', '--team', 'demo:admin'];
  return execFileSync(process.execPath, command, { cwd: root, encoding: 'utf8' }).trim();
}
