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
        const text = new Promise<string>((done, failed) => {
          let read = '';
          response.setEncoding('utf8');
          response.on('data', (part: string) => {
            read += part;
          });
          response.once('end', () => done(read));
          // Also for an answer that ends too early.
          response.once('error', failed);
        });
        // It may fail before it is asked for.
        text.catch(() => {});
        const { statusCode = 0 } = response;
        resolve({
          status: statusCode,
          headers: { get: (name) => response.headers[name]?.toString() ?? null },
          text: () => text,
        });
      },
    );
    sent.once('error', reject);
    sent.end(body);
  });
}
