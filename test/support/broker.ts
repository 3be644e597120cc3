import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { connect } from 'node:net';
import { newApiKey, withApiKey } from './api-keys.ts';
import type { GraphQLAnswer, RequestOptions, TestGateway } from './gateway.ts';
import { createSecret } from './graphql.ts';
import type { Upstream } from './upstream.ts';

/** Somebody who may use secrets, and how the credential is sent. */
export interface User {
  /** What the gateway calls it: a subject, or the id of an API key. */
  readonly id: string;
  readonly kind: 'USER' | 'API_KEY';
  /** A JWT or an API key. */
  readonly credential: string;
  /** To send GraphQL with. */
  readonly options: RequestOptions;
}

export const userKinds = ['a JWT', 'an API key'] as const;
export type UserKind = (typeof userKinds)[number];

export const mayUse = 'secrets:read secrets:write secrets:use';

/** A user of its own, or a key of a team of its own: what is `{}` for it, nobody else has. */
export async function newUser(gateway: TestGateway, kind: UserKind, scope = mayUse): Promise<User> {
  const name = `user-${crypto.randomUUID()}`;
  if (kind === 'a JWT') {
    const credential = await gateway.issuer.token({ sub: name, teams: [], scope });
    return { id: name, kind: 'USER', credential, options: { token: credential } };
  }
  const { id, key } = await newApiKey(gateway, { teamId: name, scopes: scope.split(' ') });
  return { id, kind: 'API_KEY', credential: key, options: withApiKey(key) };
}

export interface Usable {
  readonly id: string;
  readonly name: string;
  readonly placeholder: string;
  readonly useUrl: string;
  readonly value: string;
}

/** A value with every sign that is escaped somewhere. Two of them have no ten signs in common. */
export function newValue(): string {
  const [one, two, three] = [1, 2, 3].map(() => randomBytes(9).toString('hex'));
  return `sk-${one}/+="${two}<&'>${three}\\%~ $?`;
}

/** Creates a secret of the user's own, whose destination is the upstream. */
export async function newUsable(
  gateway: TestGateway,
  user: User,
  upstream: Upstream,
  {
    value = newValue(),
    owner = {},
    provider = 'custom',
    ...destination
  }: { value?: string; owner?: object; provider?: string; [member: string]: unknown } = {},
): Promise<Usable> {
  const name = `KEY_${crypto.randomUUID().replaceAll('-', '')}`;
  const input = { owner, name, provider, value, destination: { origin: upstream.origin, ...destination } };
  const { data, text } = await gateway.run(createSecret('id name placeholder useUrl'), { input }, user.options);
  if (!data?.createSecret) throw new Error(`no secret was made: ${text}`);
  return { ...data.createSecret.secret, value };
}

export interface UseOptions {
  readonly method?: string;
  readonly headers?: Record<string, string | string[]>;
  readonly body?: string | Buffer;
}

export interface UseAnswer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly rawHeaders: readonly string[];
  readonly text: string;
  /** Everything that a client sees, one character for each byte. */
  readonly seen: string;
  /** Whether the answer ended before it was complete. */
  readonly isCut: boolean;
}

/** Sends any request to the broker. @param path what comes after `/v1/use/` */
export function useSecret(
  gateway: { url: string },
  path: string,
  { method = 'GET', headers = {}, body }: UseOptions = {},
): Promise<UseAnswer> {
  const { hostname, port } = new URL(gateway.url);
  return new Promise((resolve, reject) => {
    const sent = request(
      { hostname, port, method, path: `/v1/use/${path}`, headers, agent: false },
      async (response) => {
        const parts: Buffer[] = [];
        let isCut = false;
        try {
          for await (const part of response) parts.push(part);
        } catch {
          isCut = true;
        }
        const text = Buffer.concat(parts);
        const head = `${response.statusCode} ${response.statusMessage}\n${response.rawHeaders.join('\n')}`;
        const after = response.rawTrailers.join('\n');
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          rawHeaders: response.rawHeaders,
          text: text.toString(),
          seen: `${head}\n\n${text.toString('latin1')}\n${after}`,
          isCut,
        });
      },
    );
    sent.on('information', () => reject(new Error('an interim response came through')));
    sent.on('error', reject);
    sent.end(body);
  });
}

/** The same with the user's credential in `Authorization`. */
export function useAs(
  gateway: { url: string },
  user: User,
  path: string,
  { headers, ...options }: UseOptions = {},
): Promise<UseAnswer> {
  return useSecret(gateway, path, {
    ...options,
    headers: { authorization: `Bearer ${user.credential}`, ...headers },
  });
}

/** The code of a refusal of the gateway, once all that a refusal has was checked; null: the upstream answered. */
export function refusedBy(answer: Pick<UseAnswer, 'status' | 'headers' | 'text'>): string | null {
  const code = answer.headers['secrets-gateway-error'];
  if (code === undefined) return null;
  const problem = JSON.parse(answer.text);
  const isProblem =
    /^application\/problem\+json/.test(String(answer.headers['content-type'])) &&
    problem.code === code &&
    problem.status === answer.status &&
    problem.requestId === answer.headers['x-request-id'] &&
    [problem.type, problem.title, problem.detail].every((member) => typeof member === 'string' && member !== '');
  // As SDKs of providers read it.
  const { message, type } = problem.error ?? {};
  const isForSdks =
    message === problem.detail && problem.type === `urn:secrets-gateway:${type}` && problem.error.code === code;
  if (!isProblem || !isForSdks) throw new Error(`not a problem of RFC 9457: ${answer.text}`);
  return String(code);
}

/** The same in short: the code, and the type of the first broken field. */
export function refusal(answer: UseAnswer): [code: string | null, type?: string] {
  const code = refusedBy(answer);
  const [first] = code === null ? [] : (JSON.parse(answer.text).errors ?? []);
  return first ? [code, first.type] : [code];
}

/** What is wrong with a request to GraphQL: its code, and the field and type of each broken field. */
export function brokenFields({ errors }: GraphQLAnswer): unknown[] {
  return errors.map(({ extensions }) => [
    extensions.code,
    ...(extensions.errors ?? []).map(({ field, type }) => `${field}: ${type}`),
  ]);
}

/** Writes bytes to a connection, and reads until it is closed, until an answer is whole, or until nothing comes for 10 s. */
export function rawUse(gateway: { url: string }, bytes: string, isWhole: (text: string) => boolean): Promise<string> {
  const { hostname, port } = new URL(gateway.url);
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(Number(port), hostname, () => socket.write(Buffer.from(bytes, 'latin1')));
    socket.setEncoding('latin1').on('data', (piece: string) => {
      text += piece;
      if (isWhole(text)) socket.destroy();
    });
    // A request that is never answered is shown by the test that sent it; when the test's own time is over, nothing says which it was.
    socket.setTimeout(10_000, () => socket.destroy());
    socket.on('error', () => {});
    socket.on('close', () => resolve(text));
  });
}
