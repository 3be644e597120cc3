import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { type ClientRequest, request } from 'node:http';
import type { AnswerError } from './gateway.ts';

export interface Change {
  type: string;
  secretId: string;
  version: number | null;
  // biome-ignore lint/suspicious/noExplicitAny: a test reads the fields that it selected
  secret?: any;
  cursor: string;
  at: string;
}

/** One event: a result, or null when the stream said that it is complete. */
interface Result {
  data?: { secretChanged: Change } | null;
  errors?: AnswerError[];
}

export const changeFields = 'type secretId version cursor at';

/** A subscription as a client has it, and what it was told. */
export class Events {
  readonly results: Result[] = [];
  /** Comments that keep the connection alive. */
  beats = 0;
  isComplete = false;
  hasEnded = false;
  readonly response: IncomingMessage;
  readonly #request: ClientRequest;
  #text = '';
  #onChange: () => void = () => {};

  constructor(sent: ClientRequest, response: IncomingMessage) {
    this.#request = sent;
    this.response = response;
    response.setEncoding('utf8');
    response.on('data', (piece: string) => this.#read(piece));
    response.on('error', () => {});
    response.on('close', () => {
      this.hasEnded = true;
      this.#onChange();
    });
  }

  get changes(): Change[] {
    return this.results.flatMap(({ data }) => data?.secretChanged ?? []);
  }

  get types(): string[] {
    return this.changes.map(({ type }) => type);
  }

  get errors(): AnswerError[] {
    return this.results.flatMap(({ errors }) => errors ?? []);
  }

  /** Waits for this many changes. */
  async told(count: number): Promise<Change[]> {
    await this.until(() => this.changes.length >= count);
    return this.changes;
  }

  /** Waits until the gateway has ended it. */
  async end(): Promise<void> {
    await this.until(() => this.hasEnded);
  }

  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) {
      if (this.hasEnded) throw new Error(`the stream has ended: ${JSON.stringify(this.results)}`);
      await new Promise<void>((resolve) => {
        this.#onChange = resolve;
      });
    }
  }

  /** As a client that leaves. */
  leave(): void {
    this.#request.destroy();
  }

  #read(piece: string): void {
    this.#text += piece;
    const blocks = this.#text.split('\n\n');
    this.#text = blocks.pop() ?? '';
    for (const block of blocks) {
      if (block === ':') this.beats += 1;
      else if (block.startsWith('event: next\ndata: ')) this.results.push(JSON.parse(block.slice(18)));
      else if (block === 'event: complete\ndata:') this.isComplete = true;
      else throw new Error(`no event of GraphQL over SSE: ${block}`);
    }
    this.#onChange();
  }
}

export interface SubscribeOptions {
  token: string;
  owner?: object;
  after?: string | undefined;
  fields?: string;
}

/** Sends anything, and reads the answer as it comes. */
export async function openEvents(url: string, body: object, headers: Record<string, string>): Promise<Events> {
  const sent = request(url, {
    method: 'POST',
    agent: false,
    headers: { ...headers, 'content-type': 'application/json' },
  });
  sent.on('error', () => {});
  sent.end(JSON.stringify(body));
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  return new Events(sent, response);
}

/** Subscribes, and resolves when the gateway has answered. */
export function subscribe(
  url: string,
  { owner = {}, after, fields = changeFields, token }: SubscribeOptions,
): Promise<Events> {
  const query = `subscription ($owner: OwnerInput!, $after: String) {
    secretChanged(owner: $owner, after: $after) { ${fields} } }`;
  const headers = { accept: 'text/event-stream', authorization: `Bearer ${token}` };
  return openEvents(url, { query, variables: { owner, after } }, headers);
}
