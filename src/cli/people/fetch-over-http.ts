import type { IncomingMessage } from 'node:http';
import type { FetchedAnswer } from '../../client/read-answer.ts';

/**
 * A `fetch` for the client. Node's own takes 70 ms to load, which every command would pay. It follows no redirect, and needs a text as its
 * body. Proxies and certificates are set as for Node's own.
 */
export function fetchOverHttp(url: string, { method, headers, body, signal }: RequestInit): Promise<FetchedAnswer> {
  // An import of node:http in an ES module would load the other `fetch`, too.
  const { request } = url.startsWith('https:')
    ? process.getBuiltinModule('node:https')
    : process.getBuiltinModule('node:http');
  return new Promise((resolve, reject) => {
    const sent = request(
      url,
      {
        ...(method !== undefined && { method }),
        headers: { ...(headers as Record<string, string>), 'accept-encoding': 'identity' },
        ...(signal && { signal }),
      },
      (response) => {
        // It may fail before it is read.
        response.on('error', () => {});
        const { statusCode = 0 } = response;
        resolve({
          status: statusCode,
          headers: { get: (name) => response.headers[name]?.toString() ?? null },
          body: response,
          text: () => textOf(response),
        });
      },
    );
    sent.once('error', reject);
    sent.end(body);
  });
}

function textOf(response: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    let read = '';
    response.setEncoding('utf8');
    response.on('data', (part: string) => {
      read += part;
    });
    response.once('end', () => resolve(read));
    // Also for an answer that ends too early.
    response.once('error', reject);
    if (response.errored) reject(response.errored);
  });
}
