import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';

/** What the subgraph has to know of a client's request. Of the client's own headers only these are passed on. */
const passed = ['authorization', 'x-api-key', 'x-request-id'] as const;

export function forwardedHeaders({ headers, socket }: IncomingMessage): Record<string, string> {
  const forwarded: Record<string, string> = {
    // As this gateway saw them: what a client says of itself proves nothing.
    'x-forwarded-for': socket.remoteAddress ?? 'unknown',
    'x-forwarded-proto': (socket as Partial<TLSSocket>).encrypted ? 'https' : 'http',
  };
  for (const name of passed) {
    const value = headers[name];
    if (value !== undefined) forwarded[name] = String(value);
  }
  return forwarded;
}
