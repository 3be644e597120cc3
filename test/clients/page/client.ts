/** What a page does with a client. */
export interface PageClient {
  run(request: PageRequest): Promise<PageResult>;
}

export interface PageRequest {
  readonly document: string;
  readonly variables?: Record<string, unknown>;
  readonly token: string;
  /** Whether the client sends the hash of the document first. */
  readonly persisted?: boolean;
}

/** What the client told the page. */
export interface PageResult {
  readonly data: unknown;
  readonly errors: readonly { readonly message: string; readonly code: unknown; readonly fields: unknown }[];
}

interface ReceivedError {
  readonly message: string;
  readonly extensions?: Readonly<Record<string, unknown>> | undefined;
}

export function resultOf(data: unknown, errors: readonly ReceivedError[] = []): PageResult {
  return {
    data: data ?? null,
    errors: errors.map(({ message, extensions }) => ({
      message,
      code: extensions?.code,
      fields: extensions?.errors,
    })),
  };
}

export async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
