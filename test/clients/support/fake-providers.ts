import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What arrived at a provider. */
export interface Arrived {
  readonly method: string;
  /** As it stood in the request line. */
  readonly target: string;
  /** Names and values in turn. */
  readonly rawHeaders: readonly string[];
  readonly body: string;
}

interface Asked extends Arrived {
  readonly path: string;
  readonly query: URLSearchParams;
  /** The key as it arrived. Every provider tells it once, as a careless one would. */
  readonly key: string;
  readonly response: ServerResponse;
}

/** Answers, or says what the answer is. */
type Behave = (asked: Asked) => unknown;

export const providerNames = ['openai', 'anthropic', 'github', 'stripe'] as const;
export type ProviderName = (typeof providerNames)[number];

/** The header in which a provider takes its keys, and what is around them there. */
export const keyHeaders: Record<ProviderName, readonly [name: string, scheme: string]> = {
  openai: ['authorization', 'Bearer '],
  anthropic: ['x-api-key', ''],
  github: ['authorization', 'Bearer '],
  stripe: ['authorization', 'Bearer '],
};

/** Services on loopback that answer as the providers document it, as far as the examples ask. All that arrives is kept. */
export class FakeProviders {
  readonly arrived: Record<ProviderName, Arrived[]> = { openai: [], anthropic: [], github: [], stripe: [] };
  readonly #servers = {} as Record<ProviderName, Server>;
  #seen: PromiseWithResolvers<void> = Promise.withResolvers();

  static async start(): Promise<FakeProviders> {
    const providers = new FakeProviders();
    for (const name of providerNames) {
      const server = createServer((request, response) => void providers.#receive(name, request, response));
      providers.#servers[name] = server;
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    }
    return providers;
  }

  origin(name: ProviderName): string {
    return `http://127.0.0.1:${(this.#servers[name].address() as AddressInfo).port}`;
  }

  /** Streams go on when the reader has seen their first words: who waits for whole answers waits forever. */
  firstWordsWereSeen(): void {
    this.#seen.resolve();
  }

  forget(): void {
    for (const name of providerNames) this.arrived[name].length = 0;
    this.#seen = Promise.withResolvers();
  }

  close(): void {
    for (const server of Object.values(this.#servers)) {
      server.close();
      server.closeAllConnections();
    }
  }

  async #receive(name: ProviderName, request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const piece of request.setEncoding('utf8')) body += piece;
    const { method = '', url: target = '', rawHeaders, headers } = request;
    const arrived = { method, target, rawHeaders, body };
    this.arrived[name].push(arrived);
    const [header, scheme] = keyHeaders[name];
    const key = String(headers[header]).slice(scheme.length);
    const { pathname: path, searchParams: query } = new URL(target, this.origin(name));
    const behave = answers(this.origin(name), () => this.#seen.promise)[name][`${method} ${path}`];
    const answer = behave ? await behave({ ...arrived, path, query, key, response }) : null;
    if (response.writableEnded) return;
    response.writeHead(answer === null ? 404 : 200, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(answer ?? { error: { message: `nothing is at ${method} ${path}` } }));
  }
}

function answers(origin: string, seen: () => Promise<void>): Record<ProviderName, Record<string, Behave>> {
  return {
    openai: {
      'POST /v1/responses': ({ body, key, response }) => {
        if (!JSON.parse(body).stream) return openaiResponse(`Hello. Your key is ${key}.`);
        const text = (delta: string) => ({ type: 'response.output_text.delta', item_id: 'msg_1', delta });
        const whole = { type: 'response.completed', response: openaiResponse('') };
        return stream(response, seen, { begin: [], text, end: whole, key });
      },
      'POST /v1/chat/completions': ({ body, key }) => openaiTurn(JSON.parse(body), key),
    },
    anthropic: {
      'POST /v1/messages': ({ body, key, response }) => {
        if (!JSON.parse(body).stream) return anthropicMessage([{ type: 'text', text: `Hello. Your key is ${key}.` }]);
        const begin = [
          { type: 'message_start', message: anthropicMessage([]) },
          { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
        ];
        const text = (delta: string) => ({
          type: 'content_block_delta',
          index: 0,
          delta: { type: 'text_delta', text: delta },
        });
        return stream(response, seen, { begin, text, end: { type: 'message_stop' }, key });
      },
    },
    github: {
      'GET /user': ({ key }) => ({ login: 'ada', bio: `has the key ${key}` }),
      'GET /repos/octokit/rest.js/issues': ({ query, response, key }) => {
        const page = Number(query.get('page') ?? '1');
        const next = `${origin}/repos/octokit/rest.js/issues?per_page=100&page=${page + 1}`;
        if (page < 3) response.setHeader('Link', `<${next}>; rel="next", <${origin}/repos>; rel="last"`);
        return [{ number: page, title: `written with ${key}`, user: { email: 'ada@example.com' } }];
      },
      'GET /repos/octokit/rest.js/contents/src/index.ts': async ({ response, key }) => {
        response.writeHead(200, { 'Content-Type': 'application/vnd.github.raw+json' });
        response.write('one, ');
        await seen();
        response.end(`two, ${key}\n`);
      },
    },
    stripe: {
      'POST /v1/customers': ({ body, key }) => {
        const { name, email } = Object.fromEntries(new URLSearchParams(body));
        return { id: 'cus_1', object: 'customer', name: `${name} ${key}`, email };
      },
      'GET /v1/customers': ({ query, key }) => {
        const after = Number(query.get('starting_after')?.slice(4) ?? 0);
        const customer = (number: number) => ({
          id: `cus_${number}`,
          object: 'customer',
          name: `Ada ${number}`,
          email: key,
        });
        return {
          object: 'list',
          url: '/v1/customers',
          data: [customer(after + 1), customer(after + 2)],
          has_more: after === 0,
        };
      },
      'DELETE /v1/customers/cus_1': () => ({ id: 'cus_1', object: 'customer', deleted: true }),
    },
  };
}

const sse = (event: { type: string; [member: string]: unknown }) =>
  `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;

interface Told {
  readonly begin: readonly { type: string }[];
  readonly text: (delta: string) => { type: string };
  readonly end: { type: string };
  readonly key: string;
}

/** Says its first words, waits until they are seen, and tells the key in two writes. */
async function stream(
  response: ServerResponse,
  seen: () => Promise<void>,
  { begin, text, end, key }: Told,
): Promise<void> {
  response.setHeader('Content-Type', 'text/event-stream');
  for (const event of begin) response.write(sse(event));
  response.write(sse(text('one, ')));
  await seen();
  const second = sse(text(`two, ${key}, three`));
  const middle = second.indexOf(key) + 9;
  response.write(second.slice(0, middle));
  await new Promise(setImmediate);
  response.write(second.slice(middle));
  response.end(sse(end));
}

function openaiResponse(text: string) {
  const content = [{ type: 'output_text', text, annotations: [] }];
  const output = [{ type: 'message', id: 'msg_1', role: 'assistant', status: 'completed', content }];
  return { id: 'resp_1', object: 'response', status: 'completed', model: 'fake', output };
}

function anthropicMessage(content: unknown[]) {
  const usage = { input_tokens: 1, output_tokens: 1 };
  return { id: 'msg_1', type: 'message', role: 'assistant', model: 'fake', content, stop_reason: 'end_turn', usage };
}

interface Turn {
  readonly messages: readonly { readonly role: string; readonly content: unknown }[];
}

/** A model that uses each tool once, tries to leave the path of one, and then says all that it knows. */
function openaiTurn({ messages }: Turn, key: string) {
  const results = messages.filter(({ role }) => role === 'tool').map(({ content }) => content);
  const calls = [
    ['list_issues', 'octokit/rest.js'],
    ['find_customers', 'ada@example.com'],
    ['list_issues', '../../00000000-0000-4000-8000-000000000000'],
  ].map(([name, argument], at) => ({
    id: `call_${at}`,
    type: 'function',
    function: { name, arguments: JSON.stringify({ argument }) },
  }));
  const next = calls.slice(results.length, results.length + 1);
  const content = next.length > 0 ? null : `I know: ${results.join(' | ')} and ${key}`;
  const message = { role: 'assistant', content, ...(next.length > 0 && { tool_calls: next }) };
  const choice = { index: 0, message, finish_reason: next.length > 0 ? 'tool_calls' : 'stop' };
  return { id: 'chatcmpl_1', object: 'chat.completion', created: 1, model: 'fake', choices: [choice] };
}
