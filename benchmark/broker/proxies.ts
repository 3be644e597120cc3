import { type ChildProcess, execFileSync, fork, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, untilAnswering } from '../contender.ts';
import type { Question, Usage } from '../contenders/probe.ts';
import { audience, type Identities, issuer } from '../identities.ts';
import type { Profile } from '../profile.ts';
import { value, type Workload } from './workloads.ts';

const here = import.meta.dirname;
const contender = (file: string) => join(here, '../contenders', file);
const gateway = join(here, '../../src/main.ts');

export const protocols = ['http', 'https'] as const;
export type Protocol = (typeof protocols)[number];

/** Where the upstream listens. */
export interface Upstream {
  readonly origins: Readonly<Record<Protocol, string>>;
  readonly certificateFile: string;
}

/** What a request to a proxy has in place of the path of the upstream, and besides the headers of all. */
interface Address {
  readonly prefix: string;
  readonly headers: readonly string[];
}

/** A proxy under measurement, in its own process. */
export interface ProxyProcess {
  readonly name: string;
  readonly port: number;
  /** To which of the upstream's ports it can send. */
  readonly protocols: readonly Protocol[];
  address(protocol: Protocol, connection: number): Address;
  /** User and system time of the process since its start, all threads. */
  cpuMicroseconds(): Promise<number>;
  stop(): Promise<void>;
}

/** What an SDK sends. */
export function requestOf(proxy: Pick<ProxyProcess, 'port' | 'address'>, of: RequestOf): string {
  const { workload, protocol, connection } = of;
  const { prefix, headers } = proxy.address(protocol, connection);
  const lines = [
    `${workload.method} ${prefix}${workload.path} HTTP/1.1`,
    `Host: localhost:${proxy.port}`,
    ...headers,
    'Accept: application/json',
    'User-Agent: OpenAI/JS 6.9.1',
    'X-Stainless-Lang: js',
    'X-Stainless-OS: Linux',
    'X-Stainless-Runtime: node',
    ...(workload.requestBytes > 0
      ? ['Content-Type: application/json', `Content-Length: ${workload.requestBytes}`]
      : []),
  ];
  return `${lines.join('\r\n')}\r\n\r\n${'x'.repeat(workload.requestBytes)}`;
}

export interface RequestOf {
  readonly workload: Workload;
  readonly protocol: Protocol;
  readonly connection: number;
}

async function ask<T>(child: ChildProcess, question: Question): Promise<T> {
  const answered = once(child, 'message');
  child.send(question);
  const [{ answer }] = (await answered) as [{ answer: T }];
  return answer;
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill();
  await exited;
}

function start(file: string, args: readonly string[], env: NodeJS.ProcessEnv, preload: readonly string[] = []) {
  const imports = [contender('probe.ts'), ...preload].flatMap((one) => ['--import', one]);
  const child = fork(file, args, { execArgv: imports, env, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const died = once(child, 'exit').then(([code]) => {
    throw new Error(`${file} ended with ${code} before it listened`);
  });
  died.catch(() => {});
  const usage = async () => (await ask<Usage>(child, 'usage')).cpuMicroseconds;
  return { child, died, cpuMicroseconds: usage, stop: () => stop(child) };
}

/** A proxy of one upstream; it puts the value into whatever comes. */
export async function startPlain(
  name: string,
  file: string,
  protocol: Protocol,
  { origins, certificateFile }: Upstream,
): Promise<ProxyProcess> {
  const env = { PATH: process.env.PATH, NODE_ENV: 'production', NODE_EXTRA_CA_CERTS: certificateFile };
  const { child, died, ...rest } = start(contender(file), [origins[protocol]], env);
  const [{ port }] = (await Promise.race([once(child, 'message'), died])) as [{ port: number }];
  const address = { prefix: '', headers: ['Authorization: Bearer what-a-client-would-send-here-0123456789'] };
  return { name, port, protocols: [protocol], ...rest, address: () => address };
}

export interface BrokerOptions {
  readonly name: string;
  readonly databaseUrl: string;
  readonly keyringFile: string;
  readonly isAudited: boolean;
  /** To which of the upstream's ports it sends. */
  readonly protocols: readonly Protocol[];
  readonly connections: number;
}

export interface Broker extends ProxyProcess {
  startProfile(): Promise<void>;
  stopProfile(): Promise<Profile>;
}

const createSecret = 'mutation ($input: CreateSecretInput!) { createSecret(input: $input) { secret { useUrl } } }';

/** The gateway, with a secret of each connection's own caller, once for each protocol. */
export async function startBroker(
  { name, databaseUrl, keyringFile, isAudited, protocols, connections }: BrokerOptions,
  { origins, certificateFile }: Upstream,
  identities: Identities,
): Promise<Broker> {
  const port = await freePort();
  const env = {
    PATH: process.env.PATH,
    PORT: String(port),
    DATABASE_URL: databaseUrl,
    KEYRING_FILE: keyringFile,
    JWT_ISSUER: issuer,
    JWT_AUDIENCE: audience,
    JWT_JWKS_FILE: identities.jwksFile,
    // On, as by default, with a limit that is not reached.
    RATE_LIMIT: '999999999/60s',
    BROKER_ALLOW_PRIVATE: '127.0.0.0/8,::1/128',
    NODE_EXTRA_CA_CERTS: certificateFile,
    LOG_LEVEL: 'warn',
  };
  const { child, died, ...rest } = start(gateway, ['serve'], env, isAudited ? [] : [contender('without-audit.ts')]);
  await Promise.race([untilAnswering(port), died]);

  const create = async (token: string, protocol: Protocol) => {
    const input = { name: protocol, provider: 'openai', value, destination: { origin: origins[protocol] } };
    const response = await fetch(`http://127.0.0.1:${port}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ query: createSecret, variables: { input } }),
    });
    const { data, errors } = await response.json();
    if (errors) throw new Error(JSON.stringify(errors));
    return new URL(data.createSecret.secret.useUrl).pathname.replace(/\/$/, '');
  };
  const addressesOf = async (connection: number) => {
    const token = await identities.token(`user-${connection}`);
    const headers = [`Authorization: Bearer ${token}`];
    return {
      http: { prefix: await create(token, 'http'), headers },
      https: { prefix: await create(token, 'https'), headers },
    };
  };
  const addresses = await Promise.all(Array.from({ length: connections }, (_, n) => addressesOf(n)));
  return {
    name,
    port,
    protocols,
    ...rest,
    address(protocol, connection) {
      const found = addresses[connection]?.[protocol];
      if (!found) throw new Error('there are fewer callers than connections');
      return found;
    },
    startProfile: () => ask(child, 'profile'),
    stopProfile: () => ask(child, 'profiled'),
  };
}

/** superfly/tokenizer, from a binary that was built before. It has TLS alone to upstreams, a new connection for each request. */
export async function startTokenizer(binary: string, { origins, certificateFile }: Upstream): Promise<ProxyProcess> {
  const port = await freePort();
  const openKey = '5f'.repeat(32);
  const password = 'a password of the benchmark';
  const digest = createHash('sha256').update(password).digest('base64');
  const secret = {
    inject_processor: { token: value },
    bearer_auth: { digest },
    allowed_hosts: [new URL(origins.https).host],
  };
  const sealed = execFileSync(binary, ['seal', '-open-key', openKey, '-json', JSON.stringify(secret)], {
    encoding: 'utf8',
  });
  const env = {
    PATH: process.env.PATH,
    OPEN_KEY: openKey,
    LISTEN_ADDRESS: `127.0.0.1:${port}`,
    SSL_CERT_FILE: certificateFile,
  };
  const child = spawn(binary, ['serve'], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  await once(child.stderr, 'data');
  child.stderr.resume();
  const headers = [`Proxy-Tokenizer: ${sealed.trim()}`, `Proxy-Authorization: Bearer ${password}`];
  // The scheme is http: it makes it https itself.
  const address = { prefix: origins.https.replace('https:', 'http:'), headers };
  return {
    name: 'tokenizer',
    port,
    protocols: ['https'],
    address: () => address,
    async cpuMicroseconds() {
      const [user, system] = readFileSync(`/proc/${child.pid}/stat`, 'utf8')
        .replace(/^.*\) /, '')
        .split(' ')
        .slice(11, 13);
      // In ticks of 10 ms.
      return (Number(user) + Number(system)) * 10_000;
    },
    stop: () => stop(child),
  };
}
