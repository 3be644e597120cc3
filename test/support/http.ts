import { connect, type Socket } from 'node:net';

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
}

export async function get(gateway: { url: string }, path: string): Promise<Answer> {
  const response = await fetch(new URL(path, gateway.url));
  return { status: response.status, headers: response.headers, text: await response.text() };
}

/** The first bytes of a POST request. */
export const postHead = 'POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n';

/** Writes these bytes to a new connection. @returns everything that was received until it closed */
export function raw(gateway: { url: string }, bytes: string): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1', () => socket.write(bytes));
    socket.on('data', (data) => {
      text += data;
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(text));
  });
}

/** A POST whose body is not sent until it is released. */
export class SlowRequest {
  readonly answer: Promise<{ status: number; retryAfter: string | undefined; text: string }>;
  readonly #socket: Socket;
  readonly #rest: string;

  constructor(gateway: { url: string }, token: string, body: string) {
    const { port } = new URL(gateway.url);
    this.#rest = body.slice(1);
    this.#socket = connect(Number(port), '127.0.0.1');
    this.#socket.write(
      `POST /graphql HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nAuthorization: Bearer ${token}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body.slice(0, 1)}`,
    );
    this.answer = new Promise((resolve) => {
      let text = '';
      this.#socket.on('data', (data) => {
        text += data;
      });
      this.#socket.on('error', () => {});
      this.#socket.on('close', () => {
        const status = Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? 0);
        resolve({ status, retryAfter: /\r\nretry-after: (.*)\r\n/i.exec(text)?.[1], text });
      });
    });
  }

  release(): void {
    this.#socket.write(this.#rest);
  }
}
