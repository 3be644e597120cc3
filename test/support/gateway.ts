import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { pino } from 'pino';
import { inject } from 'vitest';
import { readConfig } from '../../src/config.ts';
import type { Keyring } from '../../src/crypto/keyring.ts';
import { openRecord } from '../../src/crypto/record.ts';
import { startGateway } from '../../src/gateway.ts';
import { readKeyring } from '../../src/keyring/file.ts';
import type { SecretRecord } from '../../src/model/secret.ts';
import { openStore } from '../../src/store/open-store.ts';
import { Issuer } from './issuer.ts';
import { requireShards, watchShards } from './mongos.ts';
import { withoutPlans } from './plans.ts';

export type StoreName = 'sqlite' | 'mongodb';

/** Every store; mongodb only where a mongod is available. */
export const storeNames: StoreName[] = inject('mongodbUri') ? ['sqlite', 'mongodb'] : ['sqlite'];

export interface GraphQLAnswer {
  status: number;
  headers: Headers;
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test reads the fields that it selected
  data: any;
  errors: AnswerError[];
}

export interface AnswerError {
  message: string;
  path?: (string | number)[];
  locations?: { line: number; column: number }[];
  extensions: {
    code: string;
    status: number;
    type: string;
    requestId: string;
    description?: string;
    errors?: { field: string; loc: (string | number)[]; message: string; type: string }[];
    retryAfter?: number;
    currentVersion?: number;
  };
}

export interface RequestOptions {
  token?: string | null;
  headers?: Record<string, string>;
}

/** A whole gateway on loopback with its own issuer, in its own directory. */
export class TestGateway {
  readonly issuer: Issuer;
  readonly directory: string;
  /** What it logged, at debug level. */
  readonly log: string[] = [];
  url = '';
  databaseUrl = '';
  #token = '';
  #close: () => Promise<void> = async () => {};

  private constructor(issuer: Issuer, directory: string) {
    this.issuer = issuer;
    this.directory = directory;
  }

  static async start(store: StoreName = 'sqlite', env: Record<string, string> = {}): Promise<TestGateway> {
    if (store === 'mongodb') watchShards();
    const directory = await mkdtemp(join(tmpdir(), 'secrets-gateway-'));
    const gateway = new TestGateway(await Issuer.start(), directory);
    gateway.databaseUrl = env.DATABASE_URL ?? newDatabaseUrl(store, directory);
    await gateway.launch(env);
    return gateway;
  }

  /** Starts the gateway (again) with the files in its directory. */
  async launch(env: Record<string, string> = {}): Promise<void> {
    const config = readConfig({
      PORT: '0',
      DATABASE_URL: this.databaseUrl,
      KEYRING_FILE: join(this.directory, 'keyring.json'),
      JWT_ISSUER: this.issuer.issuer,
      JWT_AUDIENCE: this.issuer.audience,
      JWT_JWKS_URL: this.issuer.jwksUrl,
      LOG_LEVEL: 'debug',
      ...withoutPlans,
      ...env,
    });
    const lines = new Writable({
      write: (chunk, _encoding, done) => {
        this.log.push(String(chunk));
        done();
      },
    });
    const gateway = await startGateway(config, pino({ level: config.logLevel }, lines));
    this.url = gateway.url;
    this.#close = () => gateway.close();
    this.#token = await this.issuer.token();
  }

  /** Runs a document as ada, who is in the team red and may read and write; `token: null` sends no credentials. */
  async run(query: string, variables?: Record<string, unknown>, options: RequestOptions = {}): Promise<GraphQLAnswer> {
    return this.send({ body: JSON.stringify({ query, variables }) }, options);
  }

  /** Sends anything at all. */
  async send(init: RequestInit, { token, headers }: RequestOptions = {}, path = ''): Promise<GraphQLAnswer> {
    const response = await fetch(this.url + path, {
      method: 'POST',
      ...init,
      headers: {
        'content-type': 'application/json',
        accept: 'application/graphql-response+json',
        ...(token !== null && { authorization: `Bearer ${token ?? this.#token}` }),
        ...headers,
      },
    });
    const text = await response.text();
    let json: { data?: unknown; errors?: AnswerError[] } = {};
    try {
      json = JSON.parse(text);
    } catch {
      // Not every answer is JSON; tests can read the text.
    }
    return { status: response.status, headers: response.headers, text, data: json.data, errors: json.errors ?? [] };
  }

  /** Opens the stored value of a secret with the keyring of the gateway, through a separate connection to the store. */
  async openValue(id: string): Promise<{ record: SecretRecord; value: string }> {
    const store = await openStore(this.databaseUrl);
    try {
      const record = await store.findRecord(id);
      const value = record && (await openRecord(record, await keyringOf(this)));
      if (!record || value == null) throw new Error('the store holds no value');
      return { record, value };
    } finally {
      await store.close();
    }
  }

  async stop(): Promise<void> {
    await this.#close();
  }

  async close(): Promise<void> {
    await this.stop();
    await this.issuer.close();
    await rm(this.directory, { recursive: true, force: true });
    requireShards();
  }
}

/** Its keyring as it is in the file now. */
export function keyringOf({ directory }: TestGateway): Promise<Keyring> {
  return readKeyring(join(directory, 'keyring.json'));
}

export function newDatabaseUrl(store: StoreName, directory: string): string {
  if (store === 'sqlite') return `sqlite:${join(directory, 'secrets.db')}`;
  const uri = new URL(inject('mongodbUri') ?? '');
  uri.pathname = `/test-${randomBytes(6).toString('hex')}`;
  return uri.href;
}
