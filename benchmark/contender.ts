import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { Question, Usage } from './contenders/probe.ts';
import type { Identities } from './identities.ts';
import { audience, issuer } from './identities.ts';
import type { Profile } from './profile.ts';

const here = import.meta.dirname;
const probe = join(here, 'contenders/probe.ts');
const gatewayFile = join(here, '../bin/secrets-gateway.js');

interface Program {
  readonly file: string;
  readonly args: readonly string[];
  /** The gateway does not report its port, so it gets a fixed one. */
  readonly isGateway?: boolean;
  readonly env?: Readonly<Record<string, string>>;
}

const program = (name: string, ...args: string[]): Program => ({ file: join(here, 'contenders', name), args });
const gateway: Program = { file: gatewayFile, args: ['serve'], isGateway: true };

/** By their names in the tables, the gateway first. */
export const programs = {
  'secrets-gateway': gateway,
  'bare, batched': program('bare.ts', 'batched'),
  'bare, naive': program('bare.ts', 'naive'),
  'Mercurius + JIT': program('mercurius.ts'),
  'graphql-http': program('graphql-http.ts'),
  'Apollo Server 5': program('apollo-server.ts'),
  'secrets-gateway, SQLite': gateway,
  'secrets-gateway, limited': { ...gateway, env: { RATE_LIMIT: '1/3600s' } },
} as const satisfies Record<string, Program>;

export type ContenderName = keyof typeof programs;

/** The rate limiter is on as by default, with a limit that the benchmark does not reach. */
const rateLimit = '999999999/60s';

export function gatewayEnvironment(databaseUrl: string, identities: Identities): NodeJS.ProcessEnv {
  return {
    PATH: process.env.PATH,
    DATABASE_URL: databaseUrl,
    KEYRING_FILE: identities.keyringFile,
    JWT_ISSUER: issuer,
    JWT_AUDIENCE: audience,
    JWT_JWKS_FILE: identities.jwksFile,
    RATE_LIMIT: rateLimit,
    LOG_LEVEL: 'warn',
  };
}

/** A server under measurement, in its own process. */
export class Contender {
  readonly name: ContenderName;
  readonly port: number;
  readonly #process: ChildProcess;

  private constructor(name: ContenderName, port: number, child: ChildProcess) {
    this.name = name;
    this.port = port;
    this.#process = child;
  }

  static async start(name: ContenderName, databaseUrl: string, identities: Identities): Promise<Contender> {
    const { file, args, isGateway, env: more }: Program = programs[name];
    // Libraries check less in production; TLS ends elsewhere.
    const env = { ...gatewayEnvironment(databaseUrl, identities), NODE_ENV: 'production', REQUIRE_TLS: 'off' };
    const givenPort = isGateway ? await freePort() : 0;
    const child = fork(file, args, {
      execArgv: ['--import', probe],
      env: { ...env, ...more, PORT: String(givenPort) },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    const died = once(child, 'exit').then(([code]) => {
      throw new Error(`${name} ended with ${code} before it listened`);
    });
    if (isGateway) {
      await Promise.race([untilAnswering(givenPort), died]);
      return new Contender(name, givenPort, child);
    }
    const [{ port }] = (await Promise.race([once(child, 'message'), died])) as [{ port: number }];
    return new Contender(name, port, child);
  }

  usage(): Promise<Usage> {
    return this.#ask<Usage>('usage');
  }

  async startProfile(): Promise<void> {
    await this.#ask('profile');
  }

  stopProfile(): Promise<Profile> {
    return this.#ask<Profile>('profiled');
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null) return;
    const exited = once(this.#process, 'exit');
    this.#process.kill();
    await exited;
  }

  async #ask<T>(question: Question): Promise<T> {
    const answered = once(this.#process, 'message');
    this.#process.send(question);
    const [{ answer }] = (await answered) as [{ answer: T }];
    return answer;
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  return typeof address === 'object' && address ? address.port : 0;
}

const patienceMilliseconds = 15_000;

/** Resolves with the first answer to `{ __typename }`, or whatever else is posted. */
export async function untilAnswering(port: number, init: RequestInit = {}, pauseMilliseconds = 20): Promise<void> {
  const body = JSON.stringify({ query: '{ __typename }' });
  const headers = { 'content-type': 'application/json' };
  for (const start = performance.now(); ; ) {
    try {
      const response = await fetch(`http://127.0.0.1:${port}/graphql`, { method: 'POST', body, headers, ...init });
      const text = await response.text();
      if (response.ok) return;
      throw new Error(`the gateway answered ${response.status}: ${text}`);
    } catch (error) {
      const isDown = error instanceof TypeError;
      if (!isDown || performance.now() - start > patienceMilliseconds) throw error;
      await new Promise((resolve) => setTimeout(resolve, pauseMilliseconds));
    }
  }
}
