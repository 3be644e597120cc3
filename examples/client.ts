import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { TypedDocumentString } from './documents.ts';

/** An error of the gateway: branch on the code, show the message, log the request id. */
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
 * Runs a document. Codegen gave its variables and its answer their types.
 * @throws GatewayError
 */
export async function run<Data, Variables>(
  document: TypedDocumentString<Data, Variables>,
  variables: Variables,
): Promise<Data> {
  // A value goes into the variables, never into the document: a document may end up in logs on the way.
  const response = await ask(JSON.stringify({ query: document.toString(), variables }));
  const { data, errors } = (await response.json().catch(() => ({}))) as Answer<Data>;
  const [error] = errors ?? [];
  if (error) throw new GatewayError(error.message, error.extensions);
  if (!data) throw new Error(`no GraphQL answer, but HTTP status ${response.status}`);
  return data;
}

async function ask(body: string): Promise<Response> {
  const request = {
    method: 'POST',
    headers: {
      accept: 'application/graphql-response+json',
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
    },
    body,
  };
  try {
    return await fetch(url, request);
  } catch {
    console.error(`No gateway answers at ${url}. Run "npm start" in another terminal, or set SECRETS_GATEWAY_URL.`);
    process.exit(1);
  }
}

/** The gateway that `npm start` runs in this folder accepts it, and no other. */
function developmentToken(): string {
  const command = ['bin/secrets-gateway.js', 'token', '--sub', 'developer', '--team', 'demo:admin'];
  return execFileSync(process.execPath, command, { cwd: root, encoding: 'utf8' }).trim();
}
