import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type ClientOptions, createClient, type TransportError } from '../../src/client/index.ts';
import { refusalOf, rejectionOf, transportFaultOf } from '../support/client.ts';

const token = 'the-token-of-the-caller';
const json = { 'content-type': 'application/graphql-response+json' };
const viewer = { kind: 'USER', subject: 'ada', scopes: [], teams: [] };

describe('a client', () => {
  let server: Server;
  let url: string;
  let requests: IncomingMessage[];
  let answer: (response: ServerResponse, request: IncomingMessage) => void;

  beforeAll(async () => {
    server = createServer((request, response) => {
      requests.push(request);
      answer(response, request);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  beforeEach(() => {
    requests = [];
    answer = (response) => response.writeHead(200, json).end(JSON.stringify({ data: { viewer } }));
  });

  const clientOf = (options: Partial<ClientOptions> = {}) => createClient({ url, token, ...options });

  it('sends one POST that asks for GraphQL over HTTP', async () => {
    expect(await clientOf().viewer()).toEqual(viewer);
    const [{ method, url: target, headers } = {}, ...others] = requests;
    expect(others).toEqual([]);
    expect({ method, target }).toEqual({ method: 'POST', target: '/graphql' });
    expect(headers).toMatchObject({
      accept: expect.stringMatching(/^application\/graphql-response\+json/),
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
    });
    expect(headers).not.toHaveProperty('x-api-key');
  });

  it('sends an API key as X-API-Key, and no other credential', async () => {
    await createClient({ url, apiKey: () => 'sgk_key' }).viewer();
    expect(requests[0]?.headers).toMatchObject({ 'x-api-key': 'sgk_key' });
    expect(requests[0]?.headers).not.toHaveProperty('authorization');
  });

  it.each<[string, Partial<ClientOptions>]>([
    ['no credential', { token: undefined }],
    ['two credentials', { apiKey: 'sgk_key' }],
    ['a URL that is none', { url: 'secrets.example.com' }],
    ['a URL of another protocol', { url: 'ftp://secrets.example.com' }],
    ['a URL with a password', { url: 'https://ada:hunter2@secrets.example.com' }],
    ['a URL with a query', { url: 'https://secrets.example.com/?key=hunter2' }],
  ])('is not made with %s, and the error repeats nothing', (_name, options) => {
    const make = () => clientOf(options);
    expect(make).toThrow(TypeError);
    expect(make).not.toThrow(/hunter2|secrets\.example\.com\/|sgk_key|the-token/);
  });

  it.each(['', 'two words', 'a line\nX-Injected: 1', 'an ümlaut'])(
    'does not send the token %j, nor repeats it',
    async (bad) => {
      const error = await rejectionOf(clientOf({ token: () => bad }).viewer());
      expect(error).toBeInstanceOf(TypeError);
      if (bad !== '') expect(inspect(error)).not.toContain(bad);
      expect(requests).toEqual([]);
    },
  );

  it('says of an empty token that it is the token', async () => {
    const error = await rejectionOf(clientOf({ token: '' }).viewer());
    expect(String(error)).toBe('TypeError: The token must be a text without spaces and line breaks.');
  });

  it('passes an error of the function that gives the token', async () => {
    const error = new Error('signed out');
    expect(await rejectionOf(clientOf({ token: () => Promise.reject(error) }).viewer())).toBe(error);
  });

  describe('tells of', () => {
    it('a gateway that is not there', async () => {
      const gone = createServer();
      await new Promise<void>((resolve) => gone.listen(0, '127.0.0.1', resolve));
      const { port } = gone.address() as AddressInfo;
      await new Promise((resolve) => gone.close(resolve));
      const error = await transportFaultOf(clientOf({ url: `http://127.0.0.1:${port}` }).viewer());
      expect(error).toMatchObject({ code: 'UNREACHABLE', status: undefined });
      expect(error.message).toBe(`No gateway answers at http://127.0.0.1:${port}/graphql (ECONNREFUSED).`);
    });

    it.each<[string, (response: ServerResponse) => void]>([
      ['before an answer', (response) => response.destroy()],
      [
        'in the middle of an answer',
        (response) => {
          response.writeHead(200, { ...json, 'content-length': 1000 });
          response.write('{"data":', () => response.destroy());
        },
      ],
    ])('a connection that breaks %s', async (_when, breaking) => {
      answer = breaking;
      expect(await transportFaultOf(clientOf().viewer())).toMatchObject({ code: 'UNREACHABLE' });
      expect(requests).toHaveLength(1);
    });

    it.each([401, 403, 413, 502, 503])('a page of a proxy with status %i', async (status) => {
      answer = (response) => response.writeHead(status, { 'content-type': 'text/html' }).end('<h1>hunter2</h1>');
      const error = await transportFaultOf(clientOf().viewer());
      expect(error).toMatchObject({ code: 'UNEXPECTED_ANSWER', status });
      expect(error.message).toBe(`${url} answered with HTTP ${status} and text/html, not as a gateway does.`);
    });

    it.each<[string, string, Record<string, string>]>([
      ['nothing', '', {}],
      ['JSON that is cut off', '{"data":{"viewer":{"subject":"hunter2', json],
      ['JSON that is no answer', '"hunter2"', json],
      ['an object that is no answer', '{"message":"hunter2"}', json],
      ['null', 'null', json],
      ['errors that are none', '{"errors":["hunter2"]}', json],
      ['neither data nor errors', '{"data":null}', json],
      ['an answer under another media type', JSON.stringify({ data: { viewer } }), { 'content-type': 'text/plain' }],
    ])('%s, and repeats none of it', async (_name, body, headers) => {
      answer = (response) => response.writeHead(200, headers).end(body);
      const error = await transportFaultOf(clientOf().viewer());
      expect(error).toMatchObject({ code: 'UNEXPECTED_ANSWER', status: 200 });
      expect(inspect(error)).not.toContain('hunter2');
    });

    it('an error of a router, whose words are only in the answer', async () => {
      const routers = { message: 'got invalid value "hunter2"', extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } };
      answer = (response) => response.writeHead(400, json).end(JSON.stringify({ errors: [routers] }));
      const error = await transportFaultOf(clientOf().viewer());
      expect(error).toMatchObject({ code: 'UNEXPECTED_ANSWER', status: 400 });
      expect(error.message).toContain('GRAPHQL_VALIDATION_FAILED');
      expect(inspect(error)).not.toContain('hunter2');
      expect(error.answer).toEqual({ errors: [routers] });
    });

    it('an error of the gateway beside a part of the data, which is only in the answer', async () => {
      const extensions = {
        code: 'GATEWAY_TIMEOUT',
        status: 504,
        type: 'upstream_timeout_error',
        requestId: 'r',
        retryAfter: 2,
      };
      const body = { data: { createApiKey: { key: 'sgk_hunter2' } }, errors: [{ message: 'Late.', extensions }] };
      answer = (response) => response.writeHead(200, json).end(JSON.stringify(body));
      const error = await refusalOf(clientOf().createApiKey({ teamId: 'red', name: 'n', scopes: [] }));
      expect(error).toMatchObject({ code: 'GATEWAY_TIMEOUT', status: 504, requestId: 'r', retryAfter: 2 });
      expect(error.answer).toEqual(body);
      expect(inspect(error) + JSON.stringify(error)).not.toContain('hunter2');
    });

    it.each([301, 302, 303, 307, 308])('a redirect with %i, which it does not follow', async (status) => {
      const { port } = server.address() as AddressInfo;
      answer = (response, { url: path }) =>
        path === '/graphql'
          ? response.writeHead(status, { location: `http://localhost:${port}/elsewhere` }).end()
          : response.writeHead(200, json).end(JSON.stringify({ data: { viewer } }));
      expect(await transportFaultOf(clientOf().viewer())).toMatchObject({ code: 'REDIRECTED', status });
      expect(requests.map((one) => one.url)).toEqual(['/graphql']);
    });

    it('an answer that does not come in time, or does not end', async () => {
      for (const begin of [() => {}, (response: ServerResponse) => response.writeHead(200, json).write('{')]) {
        answer = begin;
        const error = await transportFaultOf(clientOf({ timeoutMs: 60_000 }).viewer({ timeoutMs: 50 }));
        expect(error).toMatchObject({ code: 'TIMEOUT', message: 'No answer within 50 ms.' });
        expect(await transportFaultOf(clientOf({ timeoutMs: 50 }).viewer())).toMatchObject({ code: 'TIMEOUT' });
      }
    });

    it('a token, and a fetch, that never come', async () => {
      const never = () => new Promise<never>(() => {});
      for (const options of [{ token: never }, { fetch: never }]) {
        expect(await transportFaultOf(clientOf({ ...options, timeoutMs: 50 }).viewer())).toMatchObject({
          code: 'TIMEOUT',
        });
      }
      expect(requests).toEqual([]);
    });

    it.each(['the call', 'the client'])(
      'a call that is aborted by the signal of %s, which closes its connection',
      async (whose) => {
        const controller = new AbortController();
        const closed = new Promise((resolve) => {
          answer = (response) => {
            response.once('close', resolve);
            controller.abort(new Error('hunter2'));
          };
        });
        const { signal } = controller;
        const call = whose === 'the call' ? clientOf().viewer({ signal }) : clientOf({ signal }).viewer();
        const error = await transportFaultOf(call);
        expect(error).toMatchObject({ code: 'ABORTED', message: 'The call was aborted.' });
        await closed;
      },
    );

    it('a call whose signal was aborted before, and sends nothing', async () => {
      const sent: string[] = [];
      const fetch = async (to: string) => {
        sent.push(to);
        return new Response();
      };
      const error = await transportFaultOf(clientOf({ fetch }).viewer({ signal: AbortSignal.abort() }));
      expect(error).toMatchObject({ code: 'ABORTED' });
      expect(sent).toEqual([]);
    });
  });

  it('leaves no timer and no listener behind, and takes any time', async () => {
    const controller = new AbortController();
    const listeners = vi.spyOn(controller.signal, 'addEventListener');
    const removed = vi.spyOn(controller.signal, 'removeEventListener');
    const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    const before = timers();
    for (const timeoutMs of [1e6, Number.POSITIVE_INFINITY]) {
      expect(await clientOf({ timeoutMs, signal: controller.signal }).viewer()).toEqual(viewer);
    }
    expect(timers()).toBeLessThanOrEqual(before);
    expect(removed.mock.calls).toEqual(listeners.mock.calls);
    expect(listeners).toHaveBeenCalledTimes(2);
  });

  it('tries nothing again by itself', async () => {
    const extensions = {
      code: 'SERVICE_UNAVAILABLE',
      status: 503,
      type: 'unavailable_error',
      requestId: 'r',
      retryAfter: 1,
    };
    answer = (response) =>
      response.writeHead(503, json).end(JSON.stringify({ errors: [{ message: 'Later.', extensions }] }));
    expect(await refusalOf(clientOf().viewer())).toMatchObject({ code: 'SERVICE_UNAVAILABLE', retryAfter: 1 });
    expect(requests).toHaveLength(1);
  });

  it('has its credential in no error and no print of itself', async () => {
    const echoing = async (_url: string, init: RequestInit): Promise<Response> => {
      throw Object.assign(new Error(JSON.stringify(init)), { request: init, code: 'E_HTTP', cause: init });
    };
    const faults: (() => Promise<TransportError>)[] = [
      () => transportFaultOf(clientOf({ fetch: echoing }).viewer()),
      () => transportFaultOf(clientOf({ url: 'http://127.0.0.1:1' }).viewer()),
      () => transportFaultOf(clientOf().viewer({ signal: AbortSignal.abort() })),
      () => {
        answer = (response, { headers }) =>
          response.writeHead(502, { 'content-type': 'text/html' }).end(headers.authorization);
        return transportFaultOf(clientOf().viewer());
      },
    ];
    for (const fault of faults) {
      const error = await fault();
      expect(inspect(error, { depth: 9, showHidden: true }) + error.stack + error.cause).not.toContain(token);
    }
    expect(inspect(clientOf(), { depth: 9, showHidden: true })).not.toContain(token);
  });
});
