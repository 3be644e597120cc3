import { type IncomingMessage, type OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Exchange } from './exchange.ts';

/**
 * A response whose headers wait in one list until its head is written. Node would make objects for each of them, and a list
 * of the objects then.
 */
export class HttpResponse extends ServerResponse<IncomingMessage> {
  /** What it is the response of; null until its request has been received. */
  exchange: Exchange | null = null;
  /** Names and values in turn. */
  readonly #waiting: (number | string)[] = [];

  override setHeader(name: string, value: number | string | readonly string[]): this {
    const text = typeof value === 'object' ? value.join(', ') : value;
    const at = this.#find(name);
    if (at < 0) this.#waiting.push(name, text);
    else this.#waiting[at + 1] = text;
    return this;
  }

  override getHeader(name: string): number | string | undefined {
    const at = this.#find(name);
    return at < 0 ? undefined : this.#waiting[at + 1];
  }

  /** These headers replace those that wait under the same names. */
  override writeHead(status: number, ...[headers]: readonly unknown[]): this {
    const given = headers as OutgoingHttpHeaders | undefined;
    for (const name in given) {
      const value = given[name];
      if (value !== undefined) this.setHeader(name, value);
    }
    return super.writeHead(status, this.#waiting);
  }

  /**
   * Writes the head of an answer that was made elsewhere. It is sent with the first of the body, or when it is flushed. Of the
   * headers that wait, those are left out that it has itself; several `Vary` count together.
   * @param raw names and values in turn
   */
  forwardHead(status: number, raw: readonly string[]): void {
    const head: (number | string)[] = raw.slice();
    const waiting = this.#waiting;
    for (let at = 0; at < waiting.length; at += 2) {
      const name = waiting[at] as string;
      if (find(raw, name) < 0 || isSameName(name, 'vary')) head.push(name, waiting[at + 1] ?? '');
    }
    super.writeHead(status, head);
  }

  /** @returns where the name stands; -1 where it does not */
  #find(name: string): number {
    return find(this.#waiting, name);
  }
}

function find(headers: readonly (number | string)[], name: string): number {
  for (let at = 0; at < headers.length; at += 2) {
    if (isSameName(headers[at] as string, name)) return at;
  }
  return -1;
}

/** Names have no case. Most are told apart by their lengths. */
function isSameName(one: string, other: string): boolean {
  return one.length === other.length && (one === other || one.toLowerCase() === other.toLowerCase());
}
