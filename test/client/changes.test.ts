import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type ClientOptions, createClient, type FollowedChanges, type SecretChange } from '../../src/client/index.ts';
import { newApiKey, revokeApiKey } from '../support/api-keys.ts';
import { refusalOf, transportFaultOf } from '../support/client.ts';
import { storeNames, TestGateway } from '../support/gateway.ts';
import { createSecret, deleteSecret, updateSecret } from '../support/graphql.ts';

const red = { teamId: 'red' };

/** The shortest pauses that are possible, and shorter: they are random. */
beforeEach(() => void vi.spyOn(Math, 'random').mockReturnValue(-0.98));
afterEach(() => void vi.restoreAllMocks());

/** What is told, as it comes. */
class Told {
  readonly changes: SecretChange[] = [];
  readonly openings: boolean[] = [];
  readonly end: Promise<void>;
  readonly #over = new AbortController();
  #look = () => {};

  constructor(options: ClientOptions, followed: FollowedChanges = { owner: red }) {
    const read = async () => {
      const onOpen = ({ resumed }: { resumed: boolean }) => {
        this.openings.push(resumed);
        this.#look();
      };
      const { signal } = this.#over;
      for await (const change of createClient(options).secretChanges(followed, { onOpen, signal })) {
        this.changes.push(change);
        this.#look();
      }
    };
    this.end = read();
    this.end.catch(() => this.#look());
  }

  get types(): string[] {
    return this.changes.map(({ type }) => type);
  }

  until(isSo: () => boolean): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#look = () => {
      if (isSo()) resolve();
    };
    this.#look();
    return Promise.race([promise, this.end]);
  }

  async leave(): Promise<void> {
    this.#over.abort();
    expect(await transportFaultOf(this.end)).toMatchObject({ code: 'ABORTED' });
  }
}

describe.each(storeNames)('the changes that a client follows, on %s', (name) => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await TestGateway.start(name, { RATE_LIMIT: 'off' });
  });
  afterAll(() => gateway.close());

  async function change(query: string, input: object): Promise<string> {
    const { data, errors } = await gateway.run(query, { input });
    expect(errors).toEqual([]);
    return data.createSecret?.secret.id;
  }
  const create = () => change(createSecret(), { owner: red, name: crypto.randomUUID(), value: 'a value' });
  const credentials = async (claims = {}): Promise<ClientOptions> => ({
    url: gateway.url,
    token: await gateway.issuer.token(claims),
  });

  it('come in order with the secret as it is, each once, also over a restart of the gateway', async () => {
    const told = new Told(await credentials());
    await told.until(() => told.openings.length === 1);
    const id = await create();
    await change(updateSecret(), { id, notes: 'n' });
    await told.until(() => told.changes.length === 2);
    expect(told.changes[1]).toMatchObject({ type: 'UPDATED', secretId: id, version: 2, secret: { id, notes: 'n' } });
    const { port } = new URL(gateway.url);
    await gateway.stop();
    await gateway.launch({ PORT: port, RATE_LIMIT: 'off' });
    await change(updateSecret(), { id, value: 'another value' });
    await change(deleteSecret, { id });
    await told.until(() => told.changes.length === 4);
    const last = await create();
    await told.until(() => told.changes.length === 5);
    expect(told.types).toEqual(['CREATED', 'UPDATED', 'UPDATED', 'DELETED', 'CREATED']);
    expect(told.changes.map(({ secretId }) => secretId)).toEqual([id, id, id, id, last]);
    expect(told.changes[3]?.secret).toBeNull();
    expect(told.openings).toEqual([false, true]);
    expect(new Set(told.changes.map(({ cursor }) => cursor)).size).toBe(5);
    await told.leave();

    // Another one goes on from any of these.
    const later = new Told(await credentials(), { owner: red, after: told.changes[1]?.cursor });
    await later.until(() => later.changes.length === 3);
    expect(later.changes.map(({ cursor }) => cursor)).toEqual(told.changes.slice(2).map(({ cursor }) => cursor));
    expect(later.openings).toEqual([true]);
    await later.leave();
  });

  it('end with the credential, with an error that says so, unless there is another one', async () => {
    const [first, second] = [await newApiKey(gateway), await newApiKey(gateway, { name: 'next' })];
    const { url } = gateway;
    const ended = new Told({ url, apiKey: first.key });
    let current = first.key;
    const renewed = new Told({ url, apiKey: () => current });
    await Promise.all([ended, renewed].map((told) => told.until(() => told.openings.length === 1)));
    current = second.key;
    const admin = await gateway.issuer.token({ teams: [{ id: 'red', role: 'admin' }], scope: 'keys:manage' });
    await gateway.run(revokeApiKey, { input: { id: first.id } }, { token: admin });
    expect(await refusalOf(ended.end)).toMatchObject({
      code: 'UNAUTHORIZED',
      message: 'The credentials have ended.',
      description: expect.stringContaining('"after"'),
    });
    await renewed.until(() => renewed.openings.length === 2);
    await create();
    await renewed.until(() => renewed.changes.length === 1);
    await renewed.leave();
  });

  it('are refused at first as anything else is', async () => {
    const refused = async (claims: object, followed: FollowedChanges = { owner: red }) =>
      (await refusalOf(new Told(await credentials(claims), followed).end)).code;
    expect(await refused({}, { owner: { teamId: 'blue' } })).toBe('FORBIDDEN');
    expect(await refused({ scope: 'secrets:write' })).toBe('PERMISSION_ERROR');
    expect(await refused({ exp: 1 })).toBe('UNAUTHORIZED');
    expect(await refused({}, { owner: red, after: 'forged' })).toBe('BAD_REQUEST');
    const nobody = new Told({ url: 'http://127.0.0.1:1', token: 't' });
    expect(await transportFaultOf(nobody.end)).toMatchObject({ code: 'UNREACHABLE' });
    expect(nobody.openings).toEqual([]);
  });
});

describe('a client that follows changes', () => {
  let server: Server;
  let url: string;
  let requests: { readonly headers: IncomingMessage['headers']; readonly variables: { after?: string } }[];
  /** One after the other. */
  let answers: ((response: ServerResponse) => void)[];

  beforeAll(async () => {
    server = createServer(async (request, response) => {
      const body = JSON.parse(Buffer.concat(await request.toArray()).toString());
      requests.push({ headers: request.headers, variables: body.variables });
      (answers.shift() ?? (() => response.destroy()))(response);
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
    answers = [];
  });

  const open = (response: ServerResponse) => response.writeHead(200, { 'content-type': 'text/event-stream' });
  const next = (cursor: string, more: object = {}) =>
    `event: next\ndata: ${JSON.stringify({ data: { secretChanged: { type: 'UPDATED', secretId: 'é', cursor } }, ...more })}\n\n`;
  const follow = () => new Told({ url, token: 'the-token' });
  const cursors = ({ changes }: Told) => changes.map(({ cursor }) => cursor);

  it('reads events however they are cut, and what it does not know it leaves out', async () => {
    const stream = `:\n\n${next('1')}:\n\nevent: other\ndata: x\n\n${next('2')}id: 7\nretry: 10\n\n${next('3').replaceAll('\n', '\r\n')}`;
    answers = [
      (response) => {
        open(response);
        for (const byte of Buffer.from(stream)) response.write(Buffer.of(byte));
      },
    ];
    const told = follow();
    await told.until(() => told.changes.length === 3);
    expect(cursors(told)).toEqual(['1', '2', '3']);
    expect(told.changes[0]?.secretId).toBe('é');
    expect(requests[0]?.headers).toMatchObject({ accept: 'text/event-stream', authorization: 'Bearer the-token' });
    await told.leave();
  });

  it('connects again after the last change, whatever ended the connection', async () => {
    answers = [
      (response) => open(response).end(`:\n\n${next('1')}${next('2')}`),
      (response) => open(response).end(':\n\nevent: complete\ndata:\n\n'),
      (response) => response.writeHead(502, { 'content-type': 'text/html' }).end('Bad Gateway'),
      (response) => response.destroy(),
      (response) => {
        const extensions = { code: 'SERVICE_UNAVAILABLE', status: 503, type: 't', requestId: 'r', retryAfter: 0 };
        const errors = [{ message: 'm', extensions }];
        response.writeHead(503, { 'content-type': 'application/json' }).end(JSON.stringify({ errors }));
      },
      (response) => open(response).end(`:\n\n${next('3')}event: next\ndata: half`),
      (response) => open(response).write(`:\n\n${next('4')}`),
    ];
    const told = follow();
    await told.until(() => told.changes.length === 4);
    expect(cursors(told)).toEqual(['1', '2', '3', '4']);
    expect(requests.map(({ variables }) => variables.after)).toEqual([undefined, '2', '2', '2', '2', '2', '3']);
    expect(told.openings).toEqual([false, true, true, true]);
    await told.leave();
  });

  it('says that it goes on from nothing where the connection was lost before a first change', async () => {
    answers = [(response) => open(response).end(':\n\n'), (response) => open(response).write(':\n\n')];
    const told = follow();
    await told.until(() => told.openings.length === 2);
    expect(told.openings).toEqual([false, false]);
    await told.leave();
  });

  it('tells a change whose secret cannot be read, and goes on after it', async () => {
    const extensions = { code: 'INTERNAL_SERVER_ERROR', status: 500, type: 't', requestId: 'r' };
    answers = [
      (response) => open(response).write(`:\n\n${next('1', { errors: [{ message: 'm', extensions }] })}`),
      (response) => open(response).write(`:\n\n${next('2')}`),
    ];
    const told = follow();
    await told.until(() => told.changes.length === 2);
    expect(cursors(told)).toEqual(['1', '2']);
    expect(requests[1]?.variables.after).toBe('1');
    await told.leave();
  });

  it('ends with what is wrong with the request, and with what is no gateway', async () => {
    answers = [(response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<p>')];
    expect(await transportFaultOf(follow().end)).toMatchObject({ code: 'UNEXPECTED_ANSWER' });
    // What is too large for an event is not kept, and asked for again.
    answers = [
      (response) => open(response).write(`:\n\nevent: next\ndata: ${'x'.repeat(1_100_000)}`),
      (response) => open(response).write(`:\n\n${next('1')}`),
    ];
    const large = follow();
    await large.until(() => large.changes.length === 1);
    await large.leave();
  });
});
