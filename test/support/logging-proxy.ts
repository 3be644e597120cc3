import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** One request and its answer, as the proxy saw them. */
export interface Exchange {
  readonly request: Seen;
  readonly answer: Seen;
}

interface Seen {
  /** The request line or the status line. */
  readonly line: string;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: string;
}

/**
 * What may stand between a client and the gateway: it passes everything on, and keeps all that it saw, in both directions.
 * Bodies are not compressed, so that a detector reads them.
 */
export class LoggingProxy {
  readonly exchanges: Exchange[] = [];
  /** Added to each request, as a proxy adds X-Forwarded-Proto. */
  readonly addedHeaders: Record<string, string> = {};
  readonly #target: string;
  readonly #server = createServer((incoming, response) => {
    this.#pass(incoming, response).catch(() => response.writeHead(502).end());
  });

  private constructor(target: string) {
    this.#target = target;
  }

  /** @param target the URL of a gateway: the paths of requests are kept */
  static async start(target: string): Promise<LoggingProxy> {
    const proxy = new LoggingProxy(target);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  /** As of the target, with the proxy’s own port. */
  get url(): string {
    const url = new URL(this.#target);
    url.port = String((this.#server.address() as AddressInfo).port);
    return url.href;
  }

  /** Everything it saw, for a detector. */
  record(): string {
    return this.exchanges
      .flatMap(({ request, answer }) => [request, answer])
      .map(({ line, headers, body }) => `${line}\n${JSON.stringify(headers)}\n\n${body}`)
      .join('\n\n');
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #pass(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method, url = '', headers } = incoming;
    const body = await buffer(incoming);
    const target = new URL(url, this.#target);
    const { 'accept-encoding': _, 'transfer-encoding': __, ...kept } = headers;
    const outgoing = request(target, { method, headers: { ...kept, host: target.host, ...this.addedHeaders } });
    outgoing.end(body);
    const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
    const answered = await buffer(answer);
    this.exchanges.push({
      request: { line: `${method} ${url}`, headers, body: body.toString() },
      answer: {
        line: `${answer.statusCode} ${answer.statusMessage}`,
        headers: answer.headers,
        body: answered.toString(),
      },
    });
    response.writeHead(answer.statusCode ?? 502, answer.statusMessage, answer.headers);
    response.end(answered);
  }
}
